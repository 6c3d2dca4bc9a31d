"""Agreement of measures of heads: a matrix of rank correlations, and scatter plots of pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from probing.figures.comparison import layer_bar
from probing.figures.correlations import correlations_figure, in_order
from probing.figures.facets import Facet, Facets, facets_figure, header_lines
from probing.figures.naming import minus
from probing.figures.page import Line
from probing.figures.pair_table import square
from probing.figures.picture import AgreementPictures, Picture
from probing.figures.save import SUFFIXES, save_table
from probing.figures.scale import unit_labels
from probing.figures.style import FAINT, INK, PAPER, TEXT_SIZE, drawing, score_colours
from probing.results.finding import smaller_is_more, values_of
from probing.results.grid_key import GridKey, key_of
from probing.results.schema import RESULT
from probing.results.units import NumberFormat, score_unit
from probing.validation.arguments import checked

MOST = 15
"""Maximum number of panels on a page; if there are more pairs, those of the first measure are drawn."""
_RHO, _DELTA = "\N{GREEK SMALL LETTER RHO}", "\N{GREEK CAPITAL LETTER DELTA}"
_MARKERS = ("o", "s", "^")
_WIDTH, _HEIGHT = 2.15, 1.6
_MATRIX = f"Spearman's {_RHO}: below the diagonal over all heads, above it within layers"


@dataclass(frozen=True)
class Measure:
    """The quantity along an axis.

    Attributes:
        name: Name in the table.
        unit: Format of the numbers.
        turned: Whether the numbers have the opposite sign of those in the result.
    """

    name: str
    unit: NumberFormat
    turned: bool

    @property
    def label(self) -> str:
        """The name and the unit of the numbers."""
        counted = " ".join(filter(None, (f"{minus('-')}{_DELTA}" if self.turned else "", self.unit.label)))
        return f"{self.name} ({counted})" if counted else self.name


@checked(frame=RESULT)
def draw_agreement(frame: pd.DataFrame, path: str | Path | None = None) -> AgreementPictures:
    """Draw the agreement of measures of heads: a matrix, and a scatter plot for each pair.

    The matrix is in the order of the tree of 1 − rho, with the correlation within layers above its
    diagonal. In the scatter plots a dot is a head, coloured by its layer. Heads with a larger effect, or that
    encode more, are further along each axis. If there are more than 15 pairs, those of the first measure are
    drawn.

    Args:
        frame: Result rows; every grid of single heads is a measure, and all must be of the same heads.
        path: Start of the file names: `path-matrix.*` and `path-scatter.*` as .png, .svg, .pdf and .csv, and
            `path.csv`, the table of `probing.agreement`. Files of these names are overwritten. None writes
            nothing.

    Returns:
        The figures `matrix` and `scatter`, `table`, the table of `probing.agreement`, and `files`, these nine
        files, the table first.

    Raises:
        ProbingError: If there are fewer than two grids of single heads, or if their heads differ.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> probing.draw_agreement(frame, "agreement").files[0]  # doctest: +SKIP
        PosixPath('agreement.csv')
    """
    from probing.comparisons.agreement import agreement

    return draw_pairs(frame, agreement(frame), path)


@checked()
def draw_pairs(frame: pd.DataFrame, pairs: pd.DataFrame, path: str | Path | None = None) -> AgreementPictures:
    """Draw what `draw_agreement` draws, from pairs that are already computed."""
    from probing.comparisons.measures import head_grids, table_of

    grids = head_grids(frame)
    table = table_of(grids)
    keys = [key_of(rows)._replace(stack="") for rows in grids]
    kinds = [_measure(name, rows) for name, rows in zip(map(str, table), grids, strict=True)]
    with drawing():
        names = [kind.name for kind in kinds]
        matrix = _matrix(names, pairs, keys, pd.concat(grids), _beside(path, "-matrix"))
        shown = pairs if len(pairs) <= MOST else pairs[pairs["first"] == kinds[0].name].head(MOST)
        figure = agreement_figure(table, kinds, shown, keys, len(pairs), pd.concat(grids))
        dots = figure.finish(scatter_table(table, shown), _beside(path, "-scatter"), "measures of heads")
    beside = _beside(path, ".csv")
    if beside is None or matrix.files is None or dots.files is None:
        return AgreementPictures(matrix, dots, pairs)
    return AgreementPictures(matrix, dots, pairs, (save_table(pairs, beside), *matrix.files, *dots.files))


def _matrix(
    names: Sequence[str], pairs: pd.DataFrame, keys: Sequence[GridKey], rows: pd.DataFrame, path: Path | None
) -> Picture:
    from probing.comparisons.clusters import linkage

    matrix = square(names, pairs, "rho")
    tree = linkage(matrix)
    ordered = square([str(name) for name in in_order(matrix, tree)], pairs, "rho", "rho_within_layers")
    within = pairs.assign(none=np.nan)  # no interval within layers
    ends = (square(list(ordered), within, "low", "none"), square(list(ordered), within, "high", "none"))
    figure = correlations_figure(ordered, tree, keys, "measure", _MATRIX, rows, ends)
    table = ordered.rename_axis("measure").reset_index()
    return figure.finish(table, path, "rank correlation between measures")


def _beside(path: str | Path | None, ending: str) -> Path | None:
    if path is None:
        return None
    path = Path(path)
    stem = path.with_suffix("") if path.suffix in SUFFIXES else path
    return stem.with_name(stem.name + ending)


def scatter_table(table: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The dots: `first`, `second`, `stack`, `layer`, `head`, and their coordinates `x` and `y`."""
    cells = table.index.to_frame(index=False)
    cells["stack"] = cells["stack"].where(cells["stack"] != "-")
    return pd.concat(
        [
            cells.assign(first=first, second=second, x=table[first].to_numpy(), y=table[second].to_numpy())
            for first, second in zip(pairs["first"], pairs["second"], strict=True)
        ],
        ignore_index=True,
    )[["first", "second", "stack", "layer", "head", "x", "y"]]


def agreement_figure(
    table: pd.DataFrame,
    kinds: Sequence[Measure],
    pairs: pd.DataFrame,
    keys: Sequence[GridKey],
    of: int,
    rows: pd.DataFrame | None = None,
) -> Picture:
    """The panels of some pairs; call it within `style.drawing`.

    Args:
        table: Table of `probing.comparisons.measures.measures`.
        kinds: Measures in its columns.
        pairs: Pairs to draw, as `probing.agreement` returns them.
        keys: Keys of the grids behind the columns.
        of: Number of all pairs.
        rows: Result rows behind the columns, for the number of examples.
    """
    by_name = {kind.name: kind for kind in kinds}
    layers = sorted({int(layer) for layer in table.index.get_level_values("layer")})
    stacks = list(dict.fromkeys(table.index.get_level_values("stack")))
    header = header_lines(keys, "measures of heads against each other", rows)
    header.append(Line("further along an axis: larger effect, or more is encoded", TEXT_SIZE, FAINT))
    if len(pairs) < of:
        header.append(Line(f"{len(pairs)} of {of} pairs", TEXT_SIZE, FAINT))
    return facets_figure(
        Facets(
            header=header,
            panels=[_facet(table, by_name, pair, layers) for _, pair in pairs.iterrows()],
            entries=_entries(stacks),
            x_label="",
            heights=(_HEIGHT,),
            bar=lambda axes: layer_bar(axes, layers),
            width=_WIDTH,
        )
    )


def _measure(name: str, rows: pd.DataFrame) -> Measure:
    first = rows.iloc[0]
    if rows["value"].isna().all():
        return Measure(name, score_unit(str(first["metric"])), turned=False)
    return Measure(name, values_of(rows), turned=bool(smaller_is_more(rows).all()))


def _facet(
    table: pd.DataFrame, kinds: Mapping[str, Measure], pair: pd.Series, layers: Sequence[int]
) -> Facet:
    first, second = kinds[pair["first"]], kinds[pair["second"]]
    ends = f"[{pair['low']:+.2f}, {pair['high']:+.2f}]"
    name = minus(f"{_RHO} {pair['rho']:+.2f} {ends}")
    within = minus(f"within layers {pair['rho_within_layers']:+.2f}")
    return Facet(name, (within,), _drawer(table, first, second, layers), [second.label], first.label)


def _drawer(
    table: pd.DataFrame, first: Measure, second: Measure, layers: Sequence[int]
) -> Callable[[Sequence[Axes]], None]:
    layer = table.index.get_level_values("layer").to_numpy(dtype=np.float64)
    stack = table.index.get_level_values("stack")

    def draw(stack_of_axes: Sequence[Axes]) -> None:
        axes = stack_of_axes[0]
        x, y = (table[kind.name].to_numpy(dtype=np.float64) for kind in (first, second))
        for marker, name in zip(_MARKERS, dict.fromkeys(stack), strict=False):
            own = np.asarray(stack == name)
            axes.scatter(
                x[own], y[own], s=11, c=layer[own], cmap=score_colours(), vmin=layers[0], vmax=layers[-1],
                marker=marker, edgecolors=PAPER, linewidths=0.25, zorder=3, label=name,
            )  # fmt: skip
        for axis, numbers, kind in ((axes.xaxis, x, first), (axes.yaxis, y, second)):
            _number(axis, numbers, kind.unit)

    return draw


def _number(axis: Axis, numbers: NDArray[np.float64], unit: NumberFormat) -> None:
    low, high = float(numbers.min()), float(numbers.max())
    slack = 0.05 * (high - low) or max(0.01 * abs(high), 1e-6)
    low, high = low - slack, high + slack
    inside = [
        float(tick)
        for tick in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
        if low <= tick <= high
    ]
    axis.set_ticks(inside, [minus(label) for label in unit_labels(unit)(inside)])
    axis.set_view_interval(low, high, ignore=True)


def _entries(stacks: Sequence[str]) -> dict[str, Line2D]:
    sample = partial(Line2D, [], [], linestyle="", color=INK, markersize=3.5, markeredgewidth=0)
    known = zip(stacks, _MARKERS, strict=False) if len(stacks) > 1 else ()
    return {stack: sample(marker=marker) for stack, marker in known}
