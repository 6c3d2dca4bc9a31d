"""Comparisons of grids: rank correlations, differences of two grids, and stability."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from probing.errors import ProbingError
from probing.results.alike import quantity, refuse_unlike
from probing.results.checks import check_numbers, check_there, numbers, single_heads
from probing.results.schema import GRID, NONE, PAIR, PLACE, RESULT
from probing.results.several import preferred, several
from probing.statistics.ranks import spearman, top_overlap, top_size
from probing.validation.arguments import checked

# columns that may vary together with the column by which grids are compared
ALONG = {"task": {"metric", "probe"}, "model": {"pooling", "step"}, "step": {"model"}, "probe": {"metric"}}


@checked(frame=RESULT)
def correlations(frame: pd.DataFrame, *, by: str = "task", value: str = "test") -> pd.DataFrame:
    """Return Spearman's rank correlation of the scores of the same cells, for example between tasks.

    Between models only layers correspond, since equal head numbers mean nothing there. A correlation
    between models then shows agreement about the depth at which a task is encoded.

    Args:
        frame: Result rows of one granularity, with one grid for every value of `by`.
        by: The column in which the grids differ: `task`, `model`, `seed`, `probe`, `pooling` …
        value: The column of scores.

    Returns:
        A square, symmetric frame of float64 with the values of `by` as index and columns, in the order in
        which they first occur; NaN for a grid that is the same everywhere.

    Raises:
        ProbingError: If there is no such column, grids differ in other columns, or they differ in shape.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> scores = {"tense": [0.5, 0.6, 0.9], "depth": [0.3, 0.4, 0.8]}
        >>> frame = as_frame([
        ...     {"task": task, "granularity": "head", "layer": 0, "head": head, "test": score}
        ...     for task, values in scores.items() for head, score in enumerate(values)
        ... ])
        >>> float(probing.correlations(frame).loc["tense", "depth"].round(2))
        1.0
    """
    return spearman(_table(frame, by, value)).rename_axis(index=by, columns=by)


@dataclass(frozen=True)
class Comparison:
    """Differences between two grids, over the cells that both have.

    Attributes:
        n: Number of common cells.
        spearman: Rank correlation; NaN where a grid is the same everywhere.
        pearson: Correlation.
        mean_difference: Mean of b − a, in the unit of the score.
        mean_absolute_difference: Mean of |b − a|.
        largest_difference: The b − a that is furthest from 0.
        largest_at: Its cell: (layer, head), or the other columns that place the cell.
        top_k: Number of cells in the top tenth.
        top_overlap: Share of the top cells of a that are also top cells of b; about a tenth by chance.
        best_a: The best cell of a.
        best_b: The best cell of b.
    """

    n: int
    spearman: float
    pearson: float
    mean_difference: float
    mean_absolute_difference: float
    largest_difference: float
    largest_at: tuple[int, ...]
    top_k: int
    top_overlap: float
    best_a: tuple[int, ...]
    best_b: tuple[int, ...]

    def __repr__(self) -> str:
        """Return the comparison in one line, with its class."""
        return f"Comparison({self})"

    def __str__(self) -> str:
        """Return the comparison in one line."""
        return (
            f"{self.n} common cells: Spearman {self.spearman:.3f}, Pearson {self.pearson:.3f}; differences: "
            f"mean {self.mean_difference:+.4f}, mean absolute {self.mean_absolute_difference:.4f}, largest "
            f"{self.largest_difference:+.4f} at {self.largest_at}; {self.top_overlap:.0%} of the top "
            f"{self.top_k} in common; best {self.best_a} and {self.best_b}"
        )


@checked(a=RESULT, b=RESULT)
def compare(a: pd.DataFrame, b: pd.DataFrame, *, value: str = "test") -> Comparison:
    """Compare two grids cell by cell, for example a run with the published one.

    Args:
        a: Rows of one grid.
        b: Rows of another grid of the same granularity. Cells that only one has are left out.
        value: The column of scores.

    Raises:
        ProbingError: If either is not one grid, they have no cell in common, or their numbers differ in kind,
            such as an accuracy and a correlation.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> heads = [{"granularity": "head", "layer": 0, "head": head} for head in range(3)]
        >>> a = as_frame([{**head, "test": score} for head, score in zip(heads, [0.5, 0.6, 0.9])])
        >>> b = as_frame([{**head, "test": score} for head, score in zip(heads, [0.5, 0.7, 0.9])])
        >>> found = probing.compare(a, b)
        >>> found.n, found.largest_at, round(found.largest_difference, 2)
        (3, (0, 1), 0.1)
    """
    a, b = (single_heads(preferred(frame), "a comparison of grids") for frame in (a, b))
    for frame, what in ((a, "the first"), (b, "the second")):
        check_numbers(frame, value, what=what, argument="value")
    refuse_unlike(quantity(a, value), quantity(b, value), "the two grids")
    one, two = (_series(frame, name, value) for frame, name in ((a, "the first"), (b, "the second")))
    both = pd.concat([one, two], axis=1, join="inner", keys=["a", "b"]).dropna()
    if both.empty:
        kinds = " and ".join(f"{', '.join(map(str, f['granularity'].unique()))} rows" for f in (a, b))
        raise ProbingError(f"the grids have no scored cell in common: {kinds}; compare one granularity")
    first, second = both.to_numpy().T
    cells, difference = list(both.index), second - first
    furthest = int(np.abs(difference).argmax())
    return Comparison(
        n=len(both),
        spearman=float(spearman(both).to_numpy()[0, 1]),
        pearson=float(both.corr().to_numpy()[0, 1]),
        mean_difference=float(difference.mean()),
        mean_absolute_difference=float(np.abs(difference).mean()),
        largest_difference=float(difference[furthest]),
        largest_at=_place(cells[furthest]),
        top_k=top_size(len(both)),
        top_overlap=top_overlap(first, second),
        best_a=_place(cells[int(first.argmax())]),
        best_b=_place(cells[int(second.argmax())]),
    )


@checked(frame=RESULT)
def stability(frame: pd.DataFrame, *, by: str = "seed", value: str = "test") -> pd.DataFrame:
    """Measure how far the ranking of cells agrees between seeds of the same grid.

    Args:
        frame: Result rows. Grids with a single value of `by` are left out.
        by: The column in which the runs of a grid differ, such as `seed`, `probe` or `pooling`.
        value: The column of scores.

    Returns:
        One row for each grid: the columns that name it, the number `n` of runs, the mean and the minimum rank
        correlation of two of them, and the mean share `top_overlap` of the top tenth that two have in common.

    Raises:
        ProbingError: If no grid has two runs, or runs of one grid cannot be distinguished.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> frame = as_frame([
        ...     {"task": "tense", "granularity": "head", "layer": 0, "head": head, "seed": seed, "test": test}
        ...     for seed, scores in enumerate([[0.5, 0.6, 0.9], [0.4, 0.7, 0.8]])
        ...     for head, test in enumerate(scores)
        ... ])
        >>> probing.stability(frame)[["task", "n", "spearman_mean"]]
            task  n  spearman_mean
        0  tense  2            1.0
    """
    check_there(frame, by, argument="by")
    frame = single_heads(preferred(frame), "a comparison of grids")
    check_numbers(frame, value, argument="value")
    names, found = [name for name in (*GRID, "step") if name not in {by, *ALONG.get(by, ())}], []
    for cells, rows in frame.groupby(names, dropna=False, sort=False):
        if rows[by].nunique() < 2:
            continue
        table = _table(rows, by, value)
        rho = spearman(table).to_numpy()[np.triu_indices(table.shape[1], 1)]
        pairs = [top_overlap(table[one], table[two]) for one, two in combinations(table, 2)]
        row = {"n": table.shape[1], "spearman_mean": rho.mean(), "spearman_min": rho.min()}
        found.append(dict(zip(names, cells, strict=True)) | row | {"top_overlap": np.mean(pairs)})
    if not found:
        raise ProbingError(f"no grid has more than one {by}; run it with several, probing -m {by}=...")
    return pd.DataFrame(found)


def _table(frame: pd.DataFrame, by: str, value: str) -> pd.DataFrame:
    """Return a table with cells as rows and values of `by` as columns; every entry is filled."""
    check_there(frame, by, argument="by")
    frame = single_heads(preferred(frame), "a comparison of grids")
    check_numbers(frame, value, argument="value")
    _one_grid_each(frame, by)
    grids = {name: _series(rows, f"{by}={name}", value) for name, rows in frame.groupby(by, sort=False)}
    table = pd.concat(grids, axis=1)
    sizes = {str(name): len(cells) for name, cells in grids.items()}
    if any(size != len(table) for size in sizes.values()):
        shown = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise ProbingError(f"the grids differ in their cells: {shown}; compare layers with layer_profile")
    return table


def _one_grid_each(frame: pd.DataFrame, by: str) -> None:
    """Refuse rows that differ in more than `by`."""
    for name in (*GRID, "step"):
        several = len(frame[name].unique()) > 1
        within = several and any(len(rows[name].unique()) > 1 for _, rows in frame.groupby(by, sort=False))
        if name != by and (within or (several and name not in ALONG.get(by, ()))):
            texts = [NONE if pd.isna(value) else str(value) for value in frame[name].unique()[:8]]
            raise ProbingError(
                f"more than {by} varies: {name} is any of {', '.join(texts)}; name one, {name}=..."
            )


def _series(rows: pd.DataFrame, what: str, value: str) -> pd.Series:
    """Return scores by cell."""
    # the number of heads distinguishes rows only where they do not belong to a single layer
    names = [name for name in PLACE if name not in (*PAIR, "metric")]
    placed = rows[names].assign(n_heads=rows["n_heads"].where(rows["layer"].isna()))
    cells = pd.MultiIndex.from_frame(placed.astype(object).where(placed.notna(), -9))
    if cells.has_duplicates:
        raise several(rows, "grid", f"{what} is ")
    return pd.Series(numbers(rows, value, argument="value"), index=cells)


def _place(cell: tuple[object, ...]) -> tuple[int, ...]:
    """Return a cell as (layer, head), (layer,) or (n_heads,)."""
    layer, head, n_heads = cell[-3:]
    found = [place for place in (layer, head) if place != -9] or [n_heads]
    return tuple(int(str(place)) for place in found)
