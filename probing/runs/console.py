"""What is printed and drawn of results: of one run, and of all jobs of a sweep."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from probing.errors import ProbingError
from probing.figures.kept import drawn_once
from probing.io.log import LOG
from probing.io.streams import complain
from probing.results.schema import GRID
from probing.results.table import beside_baseline, grid_text, summary
from probing.runs.pipeline import Run

log = logging.getLogger(__name__)


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


def present(run: Run, frame: pd.DataFrame, folder: Path) -> None:
    """Print what a run found, beside what it is a baseline of, and draw it.

    Args:
        run: What was asked.
        frame: Its rows.
        folder: Where the pictures and their tables are written.
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
            log.info("%s: %s", "picture" if path.suffix == ".png" else "table", path)


def _compare(run: Run, frame: pd.DataFrame) -> None:
    """Say how far the result lies above this baseline of it, unless there cannot be one."""
    try:
        print(beside_baseline(run.reference()(), frame))  # noqa: T201
    except ProbingError as error:
        log.warning("the baseline stands alone; what it is to be compared with has failed: %s", error)


def finish(outcomes: list[Outcome]) -> None:
    """Say how every job ended, and draw those that were done side by side."""
    titles = _titles(outcomes)
    done = {title: job for title, job in zip(titles, outcomes, strict=True) if job.frame is not None}
    failed = [(title, job) for title, job in zip(titles, outcomes, strict=True) if job.problem is not None]
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} jobs done")  # noqa: T201
    for title, job in done.items():
        if job.frame is not None:
            print(f"  {title}: {summary(job.frame)}")  # noqa: T201
    if failed:
        complain(f"{len(failed)} failed:")
    for title, job in failed:
        complain(f"  {title}: {job.problem} (log: {job.folder / LOG})")
    frames = {title: job.frame for title, job in done.items() if job.frame is not None}
    if frames:
        from probing.figures.pictures import draw_sweep

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
