"""Depth at which a task is encoded: scores by layer and depth, and their centre of mass."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from probing.errors import ProbingError
from probing.results.checks import check_numbers, single_heads
from probing.results.schema import GRID, RESULT
from probing.results.several import preferred
from probing.validation.arguments import checked

NAMES = [*GRID, "step"]


@checked(frame=RESULT)
def layer_profile(frame: pd.DataFrame, *, relative: bool = True, value: str = "test") -> pd.DataFrame:
    """Return the mean and best score of every layer of every grid, on one axis of depth for all models.

    Args:
        frame: Result rows. Rows that are not of a single layer are left out, as are those of `top_heads`.
        relative: Whether `depth` is relative. If so, 0 is the embeddings and 1 the last block, and block l of
            L, counted from 0, is at (l + 1) / L. Otherwise depth is the number of the layer.
        value: The column of scores.

    Returns:
        One row for each grid and layer: the columns that name the grid, `layer`, `depth`, `mean`, `best`,
        `best_head` (missing where rows are of whole layers), `n`, the number of rows of the layer, and
        `majority`.

    Raises:
        ProbingError: If no row is of a single layer, or the column is missing in all of them or infinite.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> frame = as_frame([
        ...     {"granularity": "head", "layer": layer, "head": head, "test": score, "n_layers": 2}
        ...     for layer, scores in enumerate([[0.5, 0.7], [0.6, 1.0]]) for head, score in enumerate(scores)
        ... ])
        >>> probing.layer_profile(frame)[["layer", "depth", "mean", "best"]]
           layer  depth  mean  best
        0      0    0.5   0.6   0.7
        1      1    1.0   0.8   1.0
    """
    rows = []
    check_numbers(_of_layers(frame), value, what="the rows of single layers", argument="value")
    for names, grid in _grids(frame):
        blocks = int(grid["layer"].max()) + 1
        for layer in sorted(grid["layer"].astype(int).unique().tolist()):
            of_layer = grid[grid["layer"] == layer]
            scores = of_layer[value].to_numpy(dtype=float, na_value=np.nan)
            depth = (layer + 1) / blocks if relative else layer
            place = {"layer": layer, "depth": depth}
            known = ~np.isnan(scores).all()
            best = of_layer["head"].iloc[int(np.nanargmax(scores))] if known else pd.NA
            found = {
                "mean": np.nanmean(scores) if known else np.nan,
                "best": np.nanmax(scores) if known else np.nan,
                "best_head": best,
                "n": len(scores),
            }
            rows.append({**names, **place, **found, "majority": _base(grid)})
    return pd.DataFrame(rows).astype({"best_head": "Int64"})


@checked(frame=RESULT)
def centre_of_mass(frame: pd.DataFrame, *, of: str = "mean", value: str = "test") -> pd.DataFrame:
    """Return the layer around which a task is encoded, as one number for each grid.

    The centre is Σ l·e_l / Σ e_l over layers l with e_l = max(score_l − majority, 0). It differs from the
    expected layer of Tenney et al. (2019, eq. 4), which weights the gain of each layer over those below.

    Args:
        frame: Result rows, as for `layer_profile`.
        of: Score of a layer's heads: `mean` or `best`.
        value: The column of scores.

    Returns:
        One row for each grid: the columns that name it, `centre`, a layer, counted from 0, or NaN where no
        layer is above majority, `centre_depth`, the same as relative depth from 0 to 1, `best_layer`, the
        layer with the highest score, and `n_layers`. Without a majority the excess is the score itself.

    Raises:
        ProbingError: If no row is of a single layer, or `of` is neither.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> model = dict(n_layers=2, majority=0.5)
        >>> frame = as_frame([
        ...     {**model, "granularity": "head", "layer": layer, "head": 0, "test": score}
        ...     for layer, score in enumerate([0.6, 0.8])
        ... ])
        >>> probing.centre_of_mass(frame)[["centre", "best_layer"]]
           centre  best_layer
        0    0.75           1
    """
    if of not in {"mean", "best"}:
        raise ProbingError(f"of={of!r}: give mean or best")
    names, rows = [*NAMES, "key"], []
    for cells, layers in layer_profile(frame, relative=False, value=value).groupby(
        names, dropna=False, sort=False
    ):
        layer, scores = (layers[name].to_numpy(dtype=float) for name in ("layer", of))
        if np.isnan(scores).all():
            continue
        excess = np.nan_to_num(np.maximum(scores - layers["majority"].fillna(0).to_numpy(), 0))
        total = excess.sum()
        centre = float((layer * excess).sum() / total) if total > 0 else np.nan
        blocks = layer.max() + 1
        found = {"centre": centre, "centre_depth": (centre + 1) / blocks}
        best = int(layer[int(np.nanargmax(scores))])
        rows.append(
            {**dict(zip(names, cells, strict=True)), **found, "best_layer": best, "n_layers": int(blocks)}
        )
    return pd.DataFrame(rows)


def _grids(frame: pd.DataFrame) -> Iterator[tuple[dict[str, object], pd.DataFrame]]:
    """Return the rows that are of a single layer, by grid."""
    kept = _of_layers(frame)
    names = [*NAMES, "key"]
    for cells, grid in preferred(kept).groupby(names, dropna=False, sort=False):
        yield dict(zip(names, cells, strict=True)), grid


def _of_layers(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are of a single layer."""
    frame = single_heads(frame, "a profile of layers")
    kept = frame[frame["layer"].notna() & frame["granularity"].isin(["head", "layer", "attention"])]
    if kept.empty:
        raise ProbingError("no row is of a layer; give results of granularity head, layer or attention")
    return kept


def _base(grid: pd.DataFrame) -> float:
    """Return the majority baseline, or NaN."""
    return float(grid["majority"].to_numpy(dtype=float, na_value=np.nan)[0])
