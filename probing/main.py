"""What the command line and the Python call do: one run, or a sweep of them."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from probing.compose import compose_config, hydra_session, plain_values, tidy
from probing.config import Config, build_config
from probing.errors import ProbingError
from probing.figures.run import draw_run, draw_sweep
from probing.files import remove_empty
from probing.log import log_to_file, log_to_terminal
from probing.pipeline import Run, prepare
from probing.results.schema import GRID
from probing.results.table import beside_baseline, grid_text, summary
from probing.sweep import multirun

log = logging.getLogger(__name__)
LOG = "run.log"


@dataclass(frozen=True)
class Outcome:
    """How one job of a sweep ended.

    Attributes:
        overrides: What set this job apart.
        folder: Where its log and pictures are.
        frame: Its rows; None if it failed.
        problem: Why it failed, in one line; None if it did not.
        ours: Whether the failure is a bug of ours rather than a mistake of the user's.
        order: How its heads are to be drawn.
    """

    overrides: str
    folder: Path
    frame: pd.DataFrame | None = None
    problem: str | None = None
    ours: bool = False
    order: Literal["head", "score"] = "head"


def run(overrides: Sequence[str] = (), *, data: pd.DataFrame | None = None) -> pd.DataFrame:
    """Run one experiment, print its grid and draw it; what the command `probing` does, from Python too.

    Args:
        overrides: As on the command line: `["model=minilm", "task=grammar/tense"]`.
        data: Examples of your own, a row each, for `task=table`: `task.text` and `task.label` name columns.

    Returns:
        The tidy rows of the run, as `load_results` would give them.

    Raises:
        ProbingError: If the configuration, the data or the model is not as it should be; then no run
            folder is left behind.
    """
    composed = compose_config(overrides)
    if composed.hydra.sweeper.params:
        raise ProbingError(f"{' '.join(overrides)} is a sweep; run it with: probing -m {' '.join(overrides)}")
    values = plain_values(composed)
    config = build_config(values)
    with log_to_terminal():
        start = prepare(config if data is None else _with_data(config, data))
        folder = _make(Path(composed.hydra.run.dir))
        try:
            return _execute(start, values, folder)
        except (ProbingError, OSError):
            _clear(folder, config.paths.root)
            raise


def _with_data(config: Config, data: pd.DataFrame) -> Config:
    from probing.tasks.table import TableTask

    if not isinstance(config.task, TableTask):
        raise ProbingError(f"data= is for task=table, and the task is {config.task.name}")
    return replace(config, task=replace(config.task, frame=data))


def run_sweep(overrides: Sequence[str]) -> list[Outcome]:
    """Run all combinations of a sweep; one that fails stops no other.

    Returns:
        The outcomes, in the order of the jobs.

    Raises:
        ProbingError: If one of the combinations cannot be composed; then none is run.
    """
    with hydra_session() as session:
        assert session.hydra is not None
        outcomes: list[Outcome] = [job.return_value for job in multirun(session.hydra, _job, tidy(overrides))]
    if outcomes:
        _finish(outcomes)
    return outcomes


def _job(composed: DictConfig) -> Outcome:
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    title = " ".join(hydra.overrides.task)
    with log_to_file(folder / LOG):
        log.info("[%s] %s", hydra.job.num, title)
        try:
            values = plain_values(composed)
            start = prepare(build_config(values))
            return Outcome(title, folder, _execute(start, values, folder), order=start.config.figure.order)
        except (ProbingError, OSError) as error:
            log.error("failed: %s", error)
            return Outcome(title, folder, problem=str(error))
        except Exception as error:
            log.error("failed: %s", traceback.format_exc())
            return Outcome(title, folder, problem=f"{type(error).__name__}: {error}", ours=True)


def _execute(start: Run, values: dict[str, Any], folder: Path) -> pd.DataFrame:
    """Run in a folder that exists: log, configuration, printed grid, table and picture."""
    with log_to_file(folder / LOG):
        log.info("%s", " | ".join(str(start.names[name]) for name in ("model", "task", "granularity")))
        (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(values)))
        (folder / "task.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(start.card.as_dict())))
        log.info("%s", start.card.text())
        frame = start()
        print(grid_text(frame))  # noqa: T201
        if start.config.baseline.kind != "none":
            _compare(start, frame)
        for path in draw_run(frame, folder, start.config.figure.order):
            if path.suffix in (".png", ".csv"):
                log.info("%s: %s", "picture" if path.suffix == ".png" else "table", path)
    return frame


def _compare(start: Run, frame: pd.DataFrame) -> None:
    """Say how far the result lies above this baseline of it, unless there cannot be one."""
    try:
        print(beside_baseline(start.reference()(), frame))  # noqa: T201
    except ProbingError as error:
        log.warning("the baseline stands alone; what it is to be compared with has failed: %s", error)


def _finish(outcomes: list[Outcome]) -> None:
    """Say how every job ended, and draw those that were done side by side."""
    titles = _titles(outcomes)
    done = {title: job for title, job in zip(titles, outcomes, strict=True) if job.frame is not None}
    failed = [(title, job) for title, job in zip(titles, outcomes, strict=True) if job.problem is not None]
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} jobs done")  # noqa: T201
    for title, job in done.items():
        if job.frame is not None:
            print(f"  {title}: {summary(job.frame)}")  # noqa: T201
    if failed:
        print(f"{len(failed)} failed:", file=sys.stderr)  # noqa: T201
    for title, job in failed:
        print(f"  {title}: {job.problem} (log: {job.folder / LOG})", file=sys.stderr)  # noqa: T201
    frames = {title: job.frame for title, job in done.items() if job.frame is not None}
    if frames:
        for picture in draw_sweep(_side_by_side(frames), outcomes[0].folder.parent, outcomes[0].order):
            print(f"side by side: {picture}")  # noqa: T201


def _side_by_side(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One frame of several grids; those that its columns would not tell apart get their job's title."""
    grids = {title: tuple(frame[list(GRID)].iloc[0]) for title, frame in frames.items()}
    different = {frame["key"].iloc[0]: title for title, frame in frames.items()}
    named = []
    for title in different.values():
        frame = frames[title]
        alike = sum(grids[other] == grids[title] for other in different.values())
        named.append(frame.assign(task=frame["task"] + f" ({title})") if alike > 1 else frame)
    return pd.concat(named, ignore_index=True)


def _titles(outcomes: list[Outcome]) -> list[str]:
    """What sets each job apart from the others of its sweep."""
    overrides = [outcome.overrides.split() for outcome in outcomes]
    shared = set(overrides[0]).intersection(*overrides) if len(overrides) > 1 else set()
    return [" ".join(item for item in own if item not in shared) or "defaults" for own in overrides]


def _make(folder: Path) -> Path:
    """Make a folder of this name, or, if another run has taken it, of one like it."""
    folder = folder.expanduser().resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        name = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        try:
            name.mkdir()
        except FileExistsError:
            number += 1
        else:
            return name


def _clear(folder: Path, root: Path) -> None:
    """Remove what a run that came to nothing has written into its own folder."""
    for name in (LOG, "config.yaml", "task.yaml"):
        (folder / name).unlink(missing_ok=True)
    remove_empty(folder, root)
