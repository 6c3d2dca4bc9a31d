"""The plan of a sweep: its jobs, prepared once, what is cached already, and what the rest will cost."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from probing.config.run_config import Config
from probing.io.files import nearest
from probing.io.log import kept_back
from probing.io.parquet import read_note
from probing.io.progress import Progress, about
from probing.results.store import newest_notes
from probing.runs.estimate import Cost, Costs, seconds
from probing.runs.pipeline import Run
from probing.runs.prepare import Shared, prepare

log = logging.getLogger(__name__)
# number of examples of prepared runs that are kept in memory, and of results that estimates are taken from
_KEPT, _NOTES = 500_000, 200


@dataclass
class Job:
    """One job of a sweep.

    Attributes:
        config: The configuration that was composed; None if it is invalid.
        run: The prepared run, until the job starts; None if it has to be prepared again.
        records: Log lines of the preparation, which are shown when the job starts.
        valid: Whether the run could be prepared. If not, the job fails.
        result: Path of the result; None if the run could not be prepared.
        cost: Work to do; None if the result is cached, or if the run could not be prepared.
    """

    config: Config | None = None
    run: Run | None = None
    records: list[logging.LogRecord] = field(default_factory=list)
    valid: bool = False
    result: Path | None = None
    cost: Cost | None = None


@dataclass
class Plan:
    """The jobs of a sweep in their order.

    Attributes:
        jobs: The jobs.
        notes: Records of finished runs, from which the remaining time is estimated.
        others: Seconds of each finished job that its record does not count, such as those of drawing.
        free: Free bytes where the vectors will be written; None if nothing will be.
        root: Folder of all output; None if no run could be prepared.
    """

    jobs: list[Job]
    notes: list[dict[str, Any]] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    free: int | None = None
    root: Path | None = None

    def taken(self, number: int, config: Config) -> tuple[Run | None, list[logging.LogRecord]]:
        """Return the run of a job and the log lines of its preparation, and forget them.

        Args:
            number: Number of the job, from 0.
            config: Its configuration as composed for the launch.

        Returns:
            The run; None if this job has to be prepared again.
        """
        job = self.jobs[number]
        run, records = job.run, job.records
        job.run, job.records = None, []
        return (run, records) if run is not None and job.config == config else (None, [])

    def finished(self, number: int, took: float) -> None:
        """Add the record of a job that has run for some seconds, so that later estimates go by it."""
        job = self.jobs[number]
        if job.cost is not None and job.result is not None:
            new = _efforts([read_note(job.result)])
            took -= sum(note["extracting"] + (note["seconds"] or 0) for note in new)
            self.notes += new
        self.others.append(max(took, 0))

    def remaining(self, number: int) -> float | None:
        """Return the estimated seconds from the start of a job to the end of the sweep; None if unknown."""
        times = [seconds(job.cost, self.notes) for job in self.jobs[number:] if job.cost is not None]
        known = [time for time in times if time is not None]
        others = median(self.others) * (len(self.jobs) - number) if self.others else 0.0
        return sum(known) + others if len(known) == len(times) else None

    @property
    def disk(self) -> int | None:
        """Bytes of vectors that will be written; None if unknown."""
        sizes = [job.cost.disk for job in self.jobs if job.cost is not None]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    def announce(self) -> None:
        """Log the number of jobs, what is cached, and the estimate; warn if the disk is too small."""
        costs = [job.cost for job in self.jobs if job.cost is not None]
        log.info("%s", self._counts(costs))
        if not costs:
            return
        disk, time = self.disk, self.remaining(0)
        size = (
            "size of the vectors unknown" if disk is None else f"at most about {_size(disk)} of new vectors"
        )
        log.info("%s, %s", size, "time unknown until the first job is done" if time is None else about(time))
        if disk and self.free is not None and disk > self.free:
            log.warning(
                "%s: the vectors need about %s, but %s are free; choose another paths.root, or fewer layers "
                "(granularity.layers)", self.root, _size(disk), _size(self.free),
            )  # fmt: skip

    def _counts(self, costs: Sequence[Cost]) -> str:
        total, invalid = len(self.jobs), sum(not job.valid for job in self.jobs)
        cached = total - invalid - len(costs)
        parts = [
            f"{total} job" if total == 1 else f"{total} jobs",
            f"{cached} cached",
            f"{len(costs)} to run",
        ]
        ready = sum(cost.reads_vectors and not cost.characters for cost in costs)
        if ready:
            parts[-1] += f" ({ready} of them on cached vectors)"
        return ", ".join([*parts, *([f"{invalid} invalid"] if invalid else [])])


def make_plan(configs: Sequence[Config | None]) -> Plan:
    """Prepare the jobs of a sweep, and find out what they have to do; nothing is written.

    Jobs share the reading of a task and the digests of a model. A job that cannot be prepared is invalid, and
    the others are planned without it.

    Args:
        configs: Configuration of each job; None if it is invalid.
    """
    shared, costs = Shared(), Costs()
    jobs: list[Job] = []
    kept: dict[int, int] = {}
    results: set[Path] = set()
    for config in _with_progress(configs):
        job = Job() if config is None else _job(config, shared)
        if job.run is not None:
            spec = job.run.spec
            job.result = spec.store.path
            if not _is_cached(job.run, results):
                job.cost = costs.of(spec)
            results.add(job.result)
            kept[id(spec.sampled)] = len(spec.sampled)
            if sum(kept.values()) > _KEPT:  # a sweep over many large tasks does not keep them all in memory
                job.run = None
        jobs.append(job)
    return _with_estimates(jobs)


def _with_progress(configs: Sequence[Config | None]) -> Iterator[Config | None]:
    with Progress("preparing", "jobs", len(configs)) as progress:
        for config in configs:
            yield config
            progress.add(1, 1)


def _job(config: Config, shared: Shared) -> Job:
    with kept_back() as records:
        try:
            return Job(config, prepare(config, shared), records, valid=True)
        except Exception:  # the job reports it when it is prepared again
            return Job(config)


def _is_cached(run: Run, earlier: set[Path]) -> bool:
    """Return whether the result exists, or will once the earlier jobs have run."""
    path = run.spec.store.path
    return run.config.overwrite != "always" and (path in earlier or path.exists())


def _with_estimates(jobs: list[Job]) -> Plan:
    first = next((job for job in jobs if job.cost is not None), None)
    if first is None or first.config is None:
        return Plan(jobs)
    paths = first.config.paths
    notes = _efforts(newest_notes(paths.results, _NOTES))
    return Plan(jobs, notes, free=shutil.disk_usage(nearest(paths.root)).free, root=paths.root)


def _efforts(notes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [note["effort"] for note in notes if isinstance(note.get("effort"), dict)]


def _size(count: int) -> str:
    """Return a number of bytes in words, rounded."""
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if count >= unit:
            return f"{count / unit:,.0f} {name}" if count >= 10 * unit else f"{count / unit:.1f} {name}"
    return f"{count / 1e3:.0f} kB"
