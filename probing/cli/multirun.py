"""A sweep, from the command line and from Python."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from probing.config.compose import hydra_session, plain_values
from probing.config.given import as_overrides
from probing.config.overrides import kept
from probing.config.run_config import Config, build_config
from probing.config.sweep import multirun
from probing.config.typed import as_typed
from probing.errors import ProbingError, explained
from probing.io.files import shown_path
from probing.io.log import LOG, log_to_file, log_to_terminal, show, showing
from probing.io.progress import about, clock_time
from probing.results.baselines import with_baselines
from probing.results.schema import as_frame
from probing.runs.console import Outcome, finish, titles
from probing.runs.execute import execute
from probing.runs.folder import marked
from probing.runs.pipeline import Run
from probing.runs.plan import Plan, make_plan
from probing.runs.prepare import prepare
from probing.validation.arguments import checked

log = logging.getLogger(__name__)


@checked()
def sweep(
    overrides: str | Sequence[str | Mapping[str, object]] | Mapping[str, object] = (),
    *,
    failed: Literal["raise", "warn"] = "raise",
    quiet: bool = False,
    **options: object,
) -> pd.DataFrame:
    """Run all combinations of several values, as the command `probing -m` does.

    Options are given as on the command line, as a dict, or as keyword arguments, where the items of a list
    are the values to sweep over. `sweep(["task=grammar/tense,grammar/depth"])` and
    `sweep(task=["grammar/tense", "grammar/depth"])` are the same sweep. A list within the list is one value.

    Args:
        overrides: Overrides as after `probing -m`, a dict of options, or a list of both.
        failed: Whether to raise an error when all jobs have run and some have failed, or to print them and
            return the rows of the others.
        quiet: Whether to print results only, without progress and log, as `probing --quiet` does.
        **options: Options by name; `**{"probe.l2": [[0.1], [1, 10]]}` for those with a dot.

    Returns:
        The tidy rows of all jobs, as `load_results` returns them. The columns of baselines are those of
        baselines within the sweep.

    Raises:
        ProbingError: If one of the combinations cannot be composed, and then no job is run, or if a job
            failed.

    Example:
        >>> import probing
        >>> frame = probing.sweep(task=["grammar/tense", "grammar/depth"], pooling="mean")  # doctest: +SKIP
        >>> frame.groupby("task")["test"].max()  # doctest: +SKIP
    """
    given = [overrides] if isinstance(overrides, str) else overrides
    whole = as_overrides(given, options, swept=True)
    _refuse_repeated(whole)
    with showing(logging.ERROR if quiet else None):
        outcomes = run_sweep(whole)
    problems = [
        f"{title}: {outcome.problem} (log: {shown_path(outcome.folder / LOG)})"
        for title, outcome in zip(titles(outcomes), outcomes, strict=True)
        if outcome.problem is not None
    ]
    if problems and failed == "raise":
        raise ProbingError(
            f"{len(problems)} of {len(outcomes)} jobs failed: {'; '.join(problems)}; the same call with "
            "failed='warn' returns the rows of the others"
        )
    frames = {frame["key"].iloc[0]: frame for frame in (each.frame for each in outcomes) if frame is not None}
    return with_baselines(pd.concat(frames.values(), ignore_index=True) if frames else as_frame([]))


def _refuse_repeated(overrides: Sequence[str]) -> None:
    """Refuse a key that is given twice, since only the last of its values would be run."""
    keys = [each.partition("=")[0] for each in overrides]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ProbingError(
            f"sweep: {twice} is given twice; give its values as one list, {twice}=[...], or call probing.run "
            "once for each of several runs"
        )


def run_sweep(overrides: Sequence[str]) -> list[Outcome]:
    """Run all combinations of a sweep; a failing job does not stop the others.

    Returns:
        The outcomes, in the order of the jobs.

    Raises:
        ProbingError: If one of the combinations cannot be composed. Then none is run.
    """
    task = Jobs()
    with hydra_session() as session:
        assert session.hydra is not None
        jobs = multirun(session.hydra, task, as_typed(overrides, swept=True), task.plan_for)
        outcomes: list[Outcome] = [job.return_value for job in jobs]
    if outcomes:
        finish(outcomes)
    return outcomes


@dataclass
class Jobs:
    """The function that runs one job. In another process it knows only the number of jobs.

    Attributes:
        plan: The plan; None before it is made, and in another process.
        total: Number of jobs; None if the sweeper chooses them as it goes.
        start: Time at which the sweep started, in seconds since the epoch.
    """

    plan: Plan | None = None
    total: int | None = None
    start: float = field(default_factory=time.time)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for another process, without prepared runs."""
        return {**vars(self), "plan": None}

    def plan_for(self, configs: Sequence[Config | None]) -> None:
        """Make the plan and print it."""
        with log_to_terminal():
            self.plan, self.total = make_plan(configs), len(configs)
            self.plan.announce()

    def __call__(self, composed: DictConfig) -> Outcome:
        """Run one job; an error becomes its outcome."""
        hydra = HydraConfig.get()
        number: int = hydra.job.num
        folder = Path(hydra.runtime.output_dir)
        title = " ".join(hydra.overrides.task)
        start_time = time.perf_counter()
        with log_to_file(folder / LOG):
            log.info("%s: %s%s", self._numbered(number), title or "default options", self._times(number))
            try:
                values = plain_values(composed)
                given = kept([*hydra.overrides.hydra, *hydra.overrides.task])
                start = replace(self._prepared(number, build_config(values)), overrides=given)
                with marked(folder, start.config.paths.root):
                    frame = execute(start, values, folder)
                if self.plan is not None:
                    self.plan.finished(number, time.perf_counter() - start_time)
                return Outcome(title, folder, frame, order=start.config.figure.order)
            except BrokenPipeError:  # the reader of the output has gone, so no other job needs to start
                raise
            except (ProbingError, OSError) as error:
                problem = explained(error) if isinstance(error, OSError) else str(error)
                log.debug("%s", traceback.format_exc())
                log.error("failed: %s", problem)
                return Outcome(title, folder, problem=problem)
            except Exception as error:
                log.error("failed: %s", traceback.format_exc())
                return Outcome(title, folder, problem=f"{type(error).__name__}: {error}", ours=True)

    def _prepared(self, number: int, config: Config) -> Run:
        """Return the run of the plan, or prepare it."""
        if self.plan is not None:
            run, records = self.plan.taken(number, config)
            if run is not None:
                show(records)
                return run
        return prepare(config)

    def _numbered(self, number: int) -> str:
        return f"job {number + 1}" if self.total is None else f"job {number + 1} of {self.total}"

    def _times(self, number: int) -> str:
        """Return the elapsed and the remaining time in words; nothing for the first job."""
        if number == 0:
            return ""
        times = f"{clock_time(time.time() - self.start)} elapsed"
        remaining = self.plan.remaining(number) if self.plan is not None else None
        return f" ({times}, {about(remaining)} remaining)" if remaining else f" ({times})"
