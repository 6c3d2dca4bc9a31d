"""Printing and drawing the results of one run, and of all jobs of a sweep."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from probing.errors import ProbingError
from probing.figures.kept import drawn_once
from probing.io.files import shown_path
from probing.io.log import LOG
from probing.io.streams import complain
from probing.results.schema import GRID
from probing.results.table import beside_baseline, grid_text, summary
from probing.runs.pipeline import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one job of a sweep.

    Attributes:
        overrides: Overrides that distinguish this job.
        folder: Folder of its log and pictures.
        frame: Its rows; None if it failed.
        problem: Reason for its failure, in one line; None if it succeeded.
        ours: Whether the failure is a bug in probing rather than the user's mistake.
        order: Order in which its heads are drawn.
    """

    overrides: str
    folder: Path
    frame: pd.DataFrame | None = None
    problem: str | None = None
    ours: bool = False
    order: Literal["head", "score"] = "head"


def present(run: Run, frame: pd.DataFrame, folder: Path) -> None:
    """Print the results of a run, compared with the run that it is a baseline of, and draw them.

    Args:
        run: The run.
        frame: Its rows.
        folder: Folder of the pictures and their tables.
    """
    print(grid_text(frame))  # noqa: T201
    if run.config.baseline.kind != "none":
        _compare(run, frame)
    order = run.config.figure.order

    def draw() -> tuple[Path, ...]:
        from probing.figures.pictures import draw_run  # takes a third of a second to import

        return draw_run(frame, folder, order)

    for path in drawn_once(frame, order, folder, run.config.paths.pictures, draw):
        if path.suffix in (".png", ".csv"):
            log.info("%s: %s", "picture" if path.suffix == ".png" else "table", shown_path(path))


def _compare(run: Run, frame: pd.DataFrame) -> None:
    """Print how far the result is above this baseline of it, unless there is no result to compare with."""
    try:
        reference = run.reference()()
        print(f"without the baseline, {summary(reference)}")  # noqa: T201
        print(beside_baseline(reference, frame))  # noqa: T201
    except ProbingError as error:
        log.warning("the baseline is shown alone; the run to compare it with failed: %s", error)


def finish(outcomes: list[Outcome]) -> None:
    """Print how every job ended, and draw the successful ones side by side."""
    named = list(zip(titles(outcomes), outcomes, strict=True))
    done = {title: job for title, job in named if job.frame is not None}
    failed = [(title, job) for title, job in named if job.problem is not None]
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} jobs done")  # noqa: T201
    for title, job in done.items():
        if job.frame is not None:
            print(f"  {title}: {summary(job.frame)}")  # noqa: T201
    if failed:
        complain(f"{len(failed)} failed:")
    for title, job in failed:
        complain(f"  {title}: {job.problem} (log: {shown_path(job.folder / LOG)})")
    frames = {title: job.frame for title, job in done.items() if job.frame is not None}
    if frames:
        from probing.figures.pictures import draw_sweep

        for picture in draw_sweep(_side_by_side(frames), outcomes[0].folder.parent, outcomes[0].order):
            print(f"side by side: {shown_path(picture)}")  # noqa: T201


def _side_by_side(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one frame of several grids; those that its columns do not distinguish get their job's title."""
    grids = {title: tuple(frame[list(GRID)].iloc[0]) for title, frame in frames.items()}
    different = {frame["key"].iloc[0]: title for title, frame in frames.items()}
    named = []
    for title in different.values():
        frame = frames[title]
        alike = sum(grids[other] == grids[title] for other in different.values())
        named.append(frame.assign(task=frame["task"] + f" ({title})") if alike > 1 else frame)
    return pd.concat(named, ignore_index=True)


def titles(outcomes: list[Outcome]) -> list[str]:
    """Return the overrides that distinguish each job from the others of its sweep."""
    overrides = [outcome.overrides.split() for outcome in outcomes]
    shared = set(overrides[0]).intersection(*overrides) if len(overrides) > 1 else set()
    return [" ".join(item for item in own if item not in shared) or "defaults" for own in overrides]
