"""Two grids cell by cell: the scores of one against those of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from probing.errors import ProbingError
from probing.figures.arrange import arrange
from probing.figures.column import check_value
from probing.figures.facets import Facet, Facets, facets_figure, header_lines
from probing.figures.grids import split_grids
from probing.figures.line_plot import number_scores
from probing.figures.naming import describe, layer_name, minus, usual_metric, value_name
from probing.figures.page import shorten
from probing.figures.panel_order import common_prefix
from probing.figures.picture import Picture
from probing.figures.style import PAPER, RULE, TEXT_SIZE, TICK_SIZE, drawing, score_colours
from probing.results.alike import quantity_of, refuse_unlike
from probing.results.grid_key import GridKey, key_of
from probing.results.schema import RESULT
from probing.results.several import several
from probing.results.sizes import SIZES, sizes_text
from probing.results.units import metric_name
from probing.tasks.target import COEFFICIENTS
from probing.validation.arguments import checked

_RHO = "\N{GREEK SMALL LETTER RHO}"
_SIDE = 1.6


@checked(frame_a=RESULT, frame_b=RESULT)
def draw_comparison(
    frame_a: pd.DataFrame, frame_b: pd.DataFrame, path: str | Path | None = None, *, value: str = "test"
) -> Picture:
    """Draw two grids against each other, a dot for each cell, in a panel for each task that both have.

    Each panel reports the rank correlation of the two grids and the mean of the second minus the first.

    Args:
        frame_a: Rows of the result frame, one grid for each task; the horizontal axis.
        frame_b: Rows of the same tasks from another model, probe, seed or paper; the vertical axis.
        path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
            overwritten. None writes nothing.
        value: The column to draw, "test" or "dev".

    Returns:
        The figure, with `table`, the data behind it, and `files`, the PNG, SVG, PDF and CSV.

    Raises:
        ProbingError: If a task has several grids on one side, if no task is on both sides, if its metrics
            differ, or if its grids have no scored cell in common.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> first, second = (frame[frame["seed"] == seed] for seed in (1, 2))  # doctest: +SKIP
        >>> probing.draw_comparison(first, second, "seeds").files.png  # doctest: +SKIP
        PosixPath('seeds.png')
    """
    first, second = _by_task(frame_a, "the first"), _by_task(frame_b, "the second")
    tasks = [task for task in first if task in second]
    if not tasks:
        there = f"the first has {', '.join(list(first)[:5])}, the second {', '.join(list(second)[:5])}"
        raise ProbingError(f"no task is on both sides: {there}")
    table = pd.concat([_beside(first[task], second[task], value) for task in tasks], ignore_index=True)
    facts = {task: _facts(first[task], second[task], value) for task in tasks}
    keys = [(key_of(first[task]), key_of(second[task])) for task in tasks]
    with drawing():
        return comparison_figure(table, keys, facts, value).finish(table, path, "two grids cell by cell")


def comparison_figure(
    table: pd.DataFrame,
    keys: Sequence[tuple[GridKey, GridKey]],
    facts: Mapping[str, Sequence[str]],
    value: str = "test",
) -> Picture:
    """The picture of pairs of scores; call it within `style.drawing`."""
    prefix = common_prefix([key.task for key, _ in keys])
    layers = sorted(int(layer) for layer in table["layer"].unique())
    usual = usual_metric([key for key, _ in keys])
    across, upward = _names(keys)

    def facet(key: GridKey) -> Facet:
        cells = table[table["task"] == key.task]
        own, sizes = [] if key.metric == usual else [metric_name(key.metric)], sizes_text(_sizes(cells))
        own += [sizes] if sizes != sizes_text(_sizes(table)) else []
        name = key.task.removeprefix(prefix) if len(keys) > 1 else ""
        return Facet(name, (*facts[key.task], *own), lambda s: _draw(s[0], cells, layers, key), [upward])

    both = [key for pair in keys for key in pair]
    return facets_figure(
        Facets(
            header=header_lines(
                both,
                f"{value_name(value)} {metric_name(usual)}, cell by cell",
                _sizes(table),
                differing=False,
            ),
            panels=[facet(key) for key, _ in keys],
            entries={"equal": Line2D([], [], color=RULE, linewidth=0.9)},
            x_label=across,
            heights=(_SIDE,),
            bar=lambda axes: layer_bar(axes, layers),
            width=_SIDE,
        )
    )


def _by_task(frame: pd.DataFrame, side: str) -> dict[str, pd.DataFrame]:
    grids: dict[str, pd.DataFrame] = {}
    for rows in split_grids(frame):
        task = str(rows["task"].iloc[0])
        if task in grids:
            raise several(pd.concat([grids[task], rows]), "grid", f"{side} has several grids of {task}, ")
        grids[task] = rows
    return grids


def _beside(a: pd.DataFrame, b: pd.DataFrame, value: str) -> pd.DataFrame:
    """The cells that both grids have: their place, the names of both sides, and both scores."""
    for rows in (a, b):
        check_value(rows, value)
    grids = [arrange(rows, value=value) for rows in (a, b)]
    keys = [grid.key for grid in grids]
    refuse_unlike(quantity_of(keys[0], value), quantity_of(keys[1], value), keys[0].task)
    cells = [
        rows.assign(head=rows["head"].astype("Int64").fillna(-1))[["layer", "head", value]] for rows in (a, b)
    ]
    both = cells[0].merge(cells[1], on=["layer", "head"], suffixes=("_a", "_b")).dropna()
    both["head"] = both["head"].where(both["head"] >= 0)
    sides = {
        f"{name}_{side}": getattr(key, name)
        for side, key in zip("ab", keys, strict=True)
        for name in _differing([(keys[0], keys[1])])
    }
    counted = {f"{name}_{side}": rows[name].iloc[0] for name in SIZES for side, rows in (("a", a), ("b", b))}
    names = {"task": keys[0].task, "metric": keys[0].metric, **sides, **counted}
    return pd.DataFrame(names, both.index).join(both)


def _sizes(table: pd.DataFrame) -> pd.DataFrame:
    """Counts of examples on both sides, those of the first above those of the second."""
    sides = ({f"{name}_{side}": name for name in SIZES} for side in "ab")
    return pd.concat([table[list(names)].rename(columns=names) for names in sides])


def _facts(a: pd.DataFrame, b: pd.DataFrame, value: str) -> tuple[str, ...]:
    from probing.comparisons.compare import compare

    # the number of heads in a layer's vector does not make it a different cell
    found = compare(a.assign(n_heads=None), b.assign(n_heads=None), value=value)
    metric = str(a["metric"].iloc[0])
    difference = found.mean_difference
    said = f"{difference:+.3f}" if metric in COEFFICIENTS else f"{100 * difference:+.1f} points"
    return (minus(f"{_RHO} {found.spearman:.2f}"), f"mean difference {minus(said)}")


def _differing(keys: Sequence[tuple[GridKey, GridKey]]) -> list[str]:
    fields = [name for name in GridKey._fields if name not in ("task", "metric", "analysis")]
    return [name for name in fields if any(getattr(a, name) != getattr(b, name) for a, b in keys)]


def _names(keys: Sequence[tuple[GridKey, GridKey]]) -> tuple[str, str]:
    """The names of the two sides, by the fields in which they differ."""
    fields = _differing(keys)
    across, upward = (" · ".join(describe(side, fields)) for side in keys[0])
    # `describe` has no word for a row without a baseline or a run without a limit
    unsaid = "no baseline" if "baseline" in fields else "no limit" if "limit" in fields else ""
    return (
        shorten(across or unsaid or "the first", 1.3 * _SIDE, TICK_SIZE),
        shorten(upward or unsaid or "the second", 1.3 * _SIDE, TICK_SIZE),
    )


def _draw(axes: Axes, cells: pd.DataFrame, layers: Sequence[int], key: GridKey) -> None:
    x, y = (cells[name].to_numpy(dtype=np.float64) for name in cells.columns[-2:])
    low, high = min(x.min(), y.min()), max(x.max(), y.max())
    slack = max(0.05 * (high - low), 0.005)
    ends = [low - slack, high + slack]
    axes.plot(ends, ends, color=RULE, linewidth=0.9, zorder=1, label="equal")
    axes.scatter(
        x, y, s=11, c=cells["layer"].astype(float), cmap=score_colours(), vmin=layers[0], vmax=layers[-1],
        edgecolors=PAPER, linewidths=0.25, zorder=3, label="cells",
    )  # fmt: skip
    axes.set(xlim=ends, ylim=ends)
    number_scores(axes.xaxis, key.metric)
    number_scores(axes.yaxis, key.metric)


def layer_bar(axes: Axes, layers: Sequence[int]) -> None:
    """Draw a bar with the colour of each layer, numbered upward."""
    axes.pcolormesh(
        [0, 1], np.arange(len(layers) + 1), np.array(layers, dtype=np.float64)[:, np.newaxis],
        cmap=score_colours(), vmin=layers[0], vmax=layers[-1], edgecolors=PAPER, linewidth=0.3,
    )  # fmt: skip
    for spine in axes.spines.values():
        spine.set_visible(False)
    every = -(-len(layers) // 12)
    axes.yaxis.tick_right()
    axes.yaxis.set_label_position("right")
    places = range(0, len(layers), every)
    axes.set_yticks(
        [place + 0.5 for place in places], [layer_name(layers[place]) for place in places], fontsize=TICK_SIZE
    )
    axes.set(xlim=(0, 1), xticks=[])
    axes.set_ylabel("layer", fontsize=TEXT_SIZE)
    axes.tick_params(length=0, pad=2.5)
