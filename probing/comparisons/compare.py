"""Grids beside grids: rank correlations, clusters of tasks, how close two grids come, and stability."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.alike import quantity, refuse_unlike
from probing.results.checks import check_matrix, check_numbers, check_there, numbers, single_heads
from probing.results.schema import GRID, NONE, PAIR, PLACE, RESULT
from probing.results.several import preferred, several
from probing.statistics.ranks import spearman, top_overlap, top_size
from probing.validation.arguments import checked

# columns that may change along with the one that grids are compared by
ALONG = {"task": {"metric", "probe"}, "model": {"pooling", "step"}, "step": {"model"}, "probe": {"metric"}}


@checked(frame=RESULT)
def correlations(frame: pd.DataFrame, *, by: str = "task", value: str = "test") -> pd.DataFrame:
    """Spearman's rank correlation of the scores of the same cells, between tasks or whatever else.

    Between models only layers correspond: that two heads have the same number means nothing, so what agrees
    there is at which layers a task is told.

    Args:
        frame: Result rows, of one grid for every value of `by`; a frame of one granularity.
        by: The column that tells the grids apart: `task`, `model`, `seed`, `probe`, `pooling` …
        value: The column of scores.

    Returns:
        A square, symmetric frame of float64 with the values of `by` as index and columns, in the order in
        which they first occur; NaN beside a grid that is the same everywhere.

    Raises:
        ProbingError: If there is no such column, more than `by` tells grids apart, or they differ in shape.
    """
    return spearman(_table(frame, by, value)).rename_axis(index=by, columns=by)


@checked()
def linkage(matrix: pd.DataFrame) -> NDArray[np.float64]:
    """Average linkage of 1 − correlation, for a dendrogram.

    Args:
        matrix: What `correlations` gives; NaN counts as no correlation.

    Returns:
        float64 (n − 1, 4), as `scipy.cluster.hierarchy.linkage` gives it, neighbours next to each other.

    Raises:
        ProbingError: If there are fewer than two grids.
    """
    from scipy.cluster.hierarchy import linkage as link
    from scipy.spatial.distance import squareform

    check_matrix(matrix)
    if len(matrix) < 2:
        raise ProbingError(f"{len(matrix)} grid to cluster; give two or more")
    distance = 1 - matrix.fillna(0.0).to_numpy(dtype=float)
    np.fill_diagonal(distance, 0.0)
    apart = squareform(np.clip((distance + distance.T) / 2, 0, 2), checks=False)
    found: NDArray[np.float64] = link(apart, method="average", optimal_ordering=True)
    return found


@checked()
def clusters(matrix: pd.DataFrame, n: int) -> pd.Series:
    """Cut the tree of `linkage` into n clusters.

    Returns:
        The number of its cluster, from 1, by name; int64.

    Raises:
        ProbingError: If n is not between 1 and the number of grids.
    """
    from scipy.cluster.hierarchy import cut_tree

    if not 1 <= n <= len(matrix):
        raise ProbingError(f"{n} clusters of {len(matrix)} grids; give 1 to {len(matrix)}")
    numbers = cut_tree(linkage(matrix), n_clusters=n)[:, 0] + 1
    return pd.Series(numbers, index=matrix.index, name="cluster", dtype="int64")


@dataclass(frozen=True)
class Comparison:
    """How close one grid comes to another, over the cells that both have.

    Attributes:
        n: Number of common cells.
        spearman: Rank correlation; NaN where a grid is the same everywhere.
        pearson: Correlation.
        mean_difference: Mean of b − a, in the unit of the score.
        mean_absolute_difference: Mean of |b − a|.
        largest_difference: The b − a that is furthest from 0.
        largest_at: Where: (layer, head), or what else the cell has.
        top_k: How many cells are the top tenth.
        top_overlap: Share of the top cells of a that are top cells of b too; by chance about a tenth.
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

    def __str__(self) -> str:
        """One line."""
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
        b: Rows of another, of the same granularity; cells that only one has are left out.
        value: The column of scores.

    Raises:
        ProbingError: If either is not one grid, they have no cell in common, or their numbers are not of one
            kind, such as an accuracy and a correlation.
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
    """How far the ranking of cells agrees between seeds of the same grid.

    Args:
        frame: Result rows; grids with one value of `by` only are left out.
        by: What the runs of a grid differ in; `probe` or `pooling` will do as well.
        value: The column of scores.

    Returns:
        One row for each grid: the columns that name it, the number `n` of runs, the mean and the least rank
        correlation of two of them, and the mean share `top_overlap` of the top tenth that two have in common.

    Raises:
        ProbingError: If no grid has two runs, or runs of one grid cannot be told apart.
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
    """Cells down, values of `by` across; every cell filled."""
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
    """Scores by cell."""
    # the number of heads tells rows apart only where they are of no one layer
    names = [name for name in PLACE if name not in (*PAIR, "metric")]
    placed = rows[names].assign(n_heads=rows["n_heads"].where(rows["layer"].isna()))
    cells = pd.MultiIndex.from_frame(placed.astype(object).where(placed.notna(), -9))
    if cells.has_duplicates:
        raise several(rows, "grid", f"{what} is ")
    return pd.Series(numbers(rows, value, argument="value"), index=cells)


def _place(cell: tuple[object, ...]) -> tuple[int, ...]:
    """A cell as (layer, head), (layer,) or (n_heads,)."""
    layer, head, n_heads = cell[-3:]
    found = [place for place in (layer, head) if place != -9] or [n_heads]
    return tuple(int(str(place)) for place in found)
