"""Reading results back: the tidy frame, and one grid of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import OldFileError, ProbingError
from probing.results.baselines import with_baselines
from probing.results.checks import check_there, numbers, single_heads
from probing.results.schema import COLUMNS, NONE, PREDICTED, RESULT, as_frame, places
from probing.results.several import differing, preferred, several
from probing.results.store import read_result, read_results
from probing.validation.arguments import checked

log = logging.getLogger(__name__)


@checked()
def load_results(root: str | Path = "outputs") -> pd.DataFrame:
    """All results under a folder that `paths.root` named, one tidy row per probe.

    Args:
        root: The folder; a folder without results gives an empty frame with all columns.

    Returns:
        Columns as in `probing.results.schema.COLUMNS`, then those of `DERIVED`, which set a row beside the
        same cell of its baselines; scores are fractions, layers and heads count from 0, layer -1 is the
        embeddings, and `head` is missing where a row is of more than one head. Rows of runs that another
        run made on its way are marked in column `inner`.

    Raises:
        ProbingError: If there is no such folder, or a file is damaged, or is not the result that its name
            says; the message names it.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise ProbingError(f"{folder}: no such folder; give the paths.root that the runs wrote to")
    found, problems = read_results(folder / "results")
    old = [problem for problem in problems if isinstance(problem, OldFileError)]
    for problem in problems:
        if problem not in old:
            raise type(problem)(problem.path, problem.reason, "remove it, and run its command again")
    if old:
        first = Path(old[0].path).name
        log.warning(
            "%s: %d results of an older version are left out (%s, ...); run their commands again, and remove "
            "the files", folder / "results", len(old), first,
        )  # fmt: skip
    frames = [result.frame for result in found]
    frame = pd.concat(frames, ignore_index=True)[list(COLUMNS)] if frames else as_frame([])
    return with_baselines(frame)


@dataclass(frozen=True)
class Predictions:
    """What the probes of one run answered to every test item.

    Attributes:
        rows: Rows of the result frame, one for each probe; those of variant `permuted` were fitted to, and
            scored on, other labels than `gold`.
        answers: (probes, n_test), predicted classes, int64, or scores, float64; or labels, bool (probes,
            n_test, k).
        gold: (n_test,) or (n_test, k), the same of the test items.
        groups: int64 (n_test,), the data set of each item where scores are averaged over data sets; or None.
    """

    rows: pd.DataFrame
    answers: NDArray[Any]
    gold: NDArray[Any]
    groups: NDArray[np.int64] | None = None


@checked()
def load_predictions(root: str | Path = "outputs", **where: object) -> Predictions:
    """The answers to every test item of the probes of one run, for tests that pair items.

    Args:
        root: The folder that `paths.root` named.
        **where: Which rows, as in `select`; they must be of one run.

    Raises:
        ProbingError: If no run, or more than one, answers, or the run kept no answers.
    """
    frame = load_results(root)
    rows = preferred(select(frame, **where), frame)
    if rows.empty:
        raise ProbingError(f"{root}: no results there; run probing first")
    keys = rows["key"].unique()
    if len(keys) != 1:
        raise several(rows, "run")
    paths = list((Path(root) / "results").glob(f"*.{keys[0]}.parquet"))
    if len(paths) != 1:
        raise ProbingError(f"{root}: {len(paths)} files are called by key {keys[0]}; do not rename results")
    path = paths[0]
    frame, about = read_result(path, predicted=True)
    if PREDICTED not in frame or "gold" not in about:
        raise ProbingError(f"{path}: holds no answers to test items; run it again with overwrite=always")
    chosen = places(frame).get_indexer(places(rows)).tolist()
    whole = frame["n_classes"].notna().all()
    answers = np.stack(list(frame[PREDICTED][chosen]))
    kind: type[np.generic] = np.bool_ if answers.dtype == bool else np.int64 if whole else np.float64
    groups = about.get("groups")
    return Predictions(
        rows=rows.reset_index(drop=True),
        answers=answers.astype(kind),
        gold=_label_sets(about["gold"], answers.shape[2])
        if kind is np.bool_
        else np.array(about["gold"], kind),
        groups=None if groups is None else np.asarray(groups, dtype=np.int64),
    )


def _label_sets(gold: list[list[int]], k: int) -> NDArray[np.bool_]:
    """Lists of the labels that items have as bool (n, k)."""
    sets = np.zeros((len(gold), k), dtype=bool)
    for row, present in zip(sets, gold, strict=True):
        row[present] = True
    return sets


def select(frame: pd.DataFrame, **where: object) -> pd.DataFrame:
    """The rows whose columns have the given values; None leaves a column free, "none" asks for missing ones.

    A full run has no limit, so that `limit="none"` selects full runs and `limit=200` quick looks.

    Raises:
        ProbingError: If there is no such column, or no such row; the message lists what there is.
    """
    for column, value in where.items():
        check_there(frame, column)
        if value is None:
            continue
        if not pd.api.types.is_scalar(value):
            raise ProbingError(f"{column}= is a {type(value).__name__}; give one value, a number or a text")
        chosen = frame[(frame[column] == value).fillna(value=False).astype(bool)]
        if chosen.empty and value == NONE:
            chosen = frame[frame[column].isna()]
        if chosen.empty:
            there = ", ".join(sorted(map(str, frame[column].dropna().unique()))) or "nothing"
            raise ProbingError(f"no result with {column}={value!r}; there is {there}")
        frame = chosen
    return frame


@checked(frame=RESULT)
def grid(frame: pd.DataFrame, *, value: str = "test", **where: object) -> pd.DataFrame:
    """One layers x heads grid out of a result frame.

    Args:
        frame: What `load_results` gives.
        value: The column that fills the cells.
        **where: Which grid: `model=...`, `task=...`, and any other column that it takes to name one.

    Returns:
        A frame with layers as its index and heads as its columns; whole layers are column 0.

    Raises:
        ProbingError: If no grid, or more than one, answers; the message says what to add.
    """
    rows = preferred(select(frame, **where), frame)
    numbers(rows, value, argument="grid: value")
    if rows.empty:
        raise ProbingError("the frame holds no results; run probing first")
    rows = single_heads(rows)
    if differing(rows):
        raise several(rows)
    cells = rows.assign(head=rows["head"].fillna(0))
    return cells.pivot(index="layer", columns="head", values=value).astype(float)
