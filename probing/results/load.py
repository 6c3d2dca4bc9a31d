"""Loading of results: the tidy frame, one grid of it, and answers to test items."""

from __future__ import annotations

import hashlib
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
from probing.results.grid_key import key_of
from probing.results.schema import CELL, COLUMNS, NONE, PREDICTED, as_frame, completed, places, without_metric
from probing.results.several import differing, preferred, several
from probing.results.store import read_result, read_results
from probing.validation.arguments import checked

log = logging.getLogger(__name__)
SETTINGS = "settings"
"""Name under which the attributes of a grid (`DataFrame.attrs`) note the settings of its run."""


@checked()
def load_results(root: str | Path = "outputs") -> pd.DataFrame:
    """Load all results under a folder into one tidy frame, a row for each probe.

    Args:
        root: Folder that `paths.root` named; one without results gives an empty frame with all columns.

    Returns:
        Columns as in `probing.results.schema.ORDER`, those of `DERIVED` with the scores of the same cell of
        its baselines included. Those that name a cell are first and its scores last, which are the ends that
        pandas prints. Scores are fractions. Layers and heads count from 0, and layer -1 is the embeddings.
        `head` is missing in a row of more than one head. Column `inner` marks the rows of runs that another
        run made on its way.

    Raises:
        ProbingError: If there is no such folder, or if a file is damaged or is not the result that its name
            says; the message names the file.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> frame.groupby("task")["test"].max()  # doctest: +SKIP
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
    """The answers of the probes of one run to every test item.

    Attributes:
        rows: Rows of the result frame, one for each probe; those of variant `permuted` were fitted to and
            scored on labels other than `gold`.
        answers: (probes, n_test), predicted classes, int64, or scores, float64; or labels, bool (probes,
            n_test, k).
        gold: (n_test,) or (n_test, k), true classes, scores or labels of the test items.
        groups: int64 (n_test,), data set of each item if scores are averaged over data sets; otherwise None.
    """

    rows: pd.DataFrame
    answers: NDArray[Any]
    gold: NDArray[Any]
    groups: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        """Return the names of the run, and the number of probes and of test items."""
        names = [self.rows[name].iloc[0] for name in ("model", "task", "granularity") if len(self.rows)]
        run = " | ".join(str(name) for name in names if not pd.isna(name))
        return f"Predictions({run}: {len(self.answers)} probes, {len(self.gold)} test items)"


@checked()
def load_predictions(root: str | Path = "outputs", **where: object) -> Predictions:
    """Load the answers of the probes of one run to every test item, for tests that pair items.

    Args:
        root: Folder that `paths.root` named.
        **where: Values of columns that select rows of one run, such as `task="grammar/tense"`.

    Raises:
        ProbingError: If no run or more than one is selected, or if the run kept no answers.

    Example:
        >>> import probing
        >>> answers = probing.load_predictions("outputs", task="grammar/tense")  # doctest: +SKIP
        >>> (answers.answers == answers.gold).mean(axis=1)  # accuracy of each probe  # doctest: +SKIP
    """
    frame = load_results(root)
    rows = preferred(select(frame, **where), frame)
    if rows.empty:
        raise ProbingError(f"{root}: no results; run probing first")
    keys = rows["key"].unique()
    if len(keys) != 1:
        raise several(rows, "run")
    paths = list((Path(root) / "results").glob(f"*.{keys[0]}.parquet"))
    if len(paths) != 1:
        raise ProbingError(f"{root}: {len(paths)} files have key {keys[0]}; do not rename result files")
    path = paths[0]
    frame, about = read_result(path, predicted=True)
    if PREDICTED not in frame or "gold" not in about:
        raise ProbingError(f"{path}: no answers to test items there; run it again with overwrite=always")
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
    """Select the rows whose columns have the given values.

    None leaves a column free, and "none" selects rows without a value: a full run has no limit, so that
    `limit="none"` selects full runs and `limit=200` quick looks.

    Raises:
        ProbingError: If there is no such column or no such row; the message lists the existing ones.
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


def digest_of(grid: pd.DataFrame) -> str:
    """Return a digest of the numbers of a grid; pandas copies its settings to what is computed from it."""
    return hashlib.sha256(grid.to_numpy(dtype=np.float64).tobytes()).hexdigest()


@checked(frame=CELL)
def grid(frame: pd.DataFrame, *, value: str = "test", **where: object) -> pd.DataFrame:
    """Return one grid of a result frame, layers x heads.

    Args:
        frame: Frame of `load_results`, or any frame with a row for each head and the columns `layer` and
            `head`, such as that of `head_importance`.
        value: Name of the column that fills the cells.
        **where: Values of columns that identify the grid, such as `task="grammar/tense"`.

    Returns:
        A frame with layers as its index and heads as its columns; whole layers are column 0. Its `attrs`
        note the settings of the run, so that `table` can write its unit.

    Raises:
        ProbingError: If no grid or more than one is selected; the message says which column to add.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> tense = probing.grid(frame, task="grammar/tense", granularity="head")  # doctest: +SKIP
        >>> tense.shape  # layers, heads  # doctest: +SKIP
        (6, 12)
    """
    frame = completed(frame, value, "grid: frame")
    numbers(frame, value, argument="grid: value")
    rows = preferred(select(frame, **where), frame)
    if rows.empty:
        raise ProbingError("the frame has no results; run probing first")
    rows = single_heads(rows)
    if differing(rows):
        raise several(rows)
    cells = rows.assign(head=rows["head"].fillna(0))
    found = cells.pivot(index="layer", columns="head", values=value).astype(float)
    rows = without_metric(rows, value)
    known = {name: text for name, text in key_of(rows)._asdict().items() if text != ""}
    plain = {name: text if isinstance(text, str | float) else int(text) for name, text in known.items()}
    ranked = "rank" in rows and bool(rows["rank"].notna().any())
    found.attrs[SETTINGS] = {**plain, "value": value, "ranked": ranked, "numbers": digest_of(found)}
    return found
