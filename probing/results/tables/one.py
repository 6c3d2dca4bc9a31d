"""The table of one run: its grid of layers x heads, its report, or its scores of n heads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from probing.results.finding import finding_of_rows
from probing.results.schema import KINDS
from probing.results.sizes import limit_text, sizes_text
from probing.results.table import summary
from probing.results.tables.layout import MISSING, Cell, Layout, sentence
from probing.results.tables.measured import Measured, format_of, heading_of
from probing.results.tables.named import names_of_all, same_text
from probing.results.text.found_text import plain
from probing.results.text.score_text import top_means
from probing.results.units import NumberFormat, metric_name, score_unit


def grid_table(run: pd.DataFrame, grids: Sequence[Measured], line: str = "") -> Layout:
    """Lay out the grid of one run, layers upward from the input and the best cell in bold.

    Args:
        run: All rows of the run.
        grids: Its grid, or one grid for each of its stacks.
        line: The result in one line, for the caption.
    """
    unit = format_of(grids)
    rows = pd.concat([grid.rows for grid in grids])
    heads = sorted(rows["head"].dropna().unique()) or [None]
    ranked = [grid for grid in grids if grid.best is not None]
    marked = max(ranked, key=_strength).best if ranked else None
    named = [heading_of(grids[0], unit)] if heads == [None] else [str(head) for head in heads]
    lines = [
        (Cell(_known(stack)), Cell("emb" if layer == -1 else str(layer)), *_cells(own, heads, unit, marked))
        for grid in grids
        for stack, of_stack in grid.rows.groupby("stack", sort=False, dropna=False)
        for layer, own in _upward(of_stack.assign(_shown=of_stack[grid.column]))
    ]
    about = sentence(
        f"{heading_of(grids[0], unit)} by layer{'' if heads == [None] else ' and head'}",
        "" if marked is None or len(rows) < 2 else "the best in bold",
    )
    return Layout(_caption(about, run, line), ("stack", "layer", *named), tuple(lines), 2).without_empty()


def report_table(run: pd.DataFrame) -> Layout:
    """Lay out the finding of a run whose rows are of no single layer, such as a masking curve."""
    report = finding_of_rows(run).report
    assert report is not None
    title, headings, lines = report(run)
    cells = tuple(tuple(Cell(text) for text in line) for line in lines)
    return Layout(_caption(sentence(title), run, line_of(run), without=KINDS), headings, cells)


def counts_table(run: pd.DataFrame) -> Layout:
    """Lay out the scores of the n best heads together, with random heads and permuted labels."""
    means, columns = top_means(run)
    unit = score_unit(str(run["metric"].iloc[0]))
    numbers = {column: means[column].to_numpy(dtype=np.float64, na_value=np.nan) for column in columns}
    best = int(np.nanargmax(numbers["test", "top"]))
    lines = [
        (
            Cell(str(n)),
            *(
                Cell(_number(own[place], unit), column == ("test", "top") and place == best)
                for column, own in numbers.items()
            ),
        )
        for place, n in enumerate(means.index)
    ]
    headings = ("heads", *(f"{kind} {score} ({unit.label})".replace(" ()", "") for score, kind in columns))
    about = sentence(f"{metric_name(str(run['metric'].iloc[0]))} of n heads together", "the best in bold")
    return Layout(_caption(about, run, line_of(run), without=KINDS), headings, tuple(lines))


def line_of(run: pd.DataFrame) -> str:
    """The result of a run in one line, without the limit of a quick look, which is one of its settings."""
    return summary(run).removesuffix(f"; {limit_text(run)}")


def _caption(about: str, run: pd.DataFrame, line: str, without: Sequence[str] = ()) -> str:
    same = sentence(same_text(names_of_all([run]), without), sizes_text(run))
    return " ".join(filter(None, (about, same, sentence(line))))


def _upward(rows: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    return [(int(str(layer)), own) for layer, own in sorted(rows.groupby("layer"), reverse=True)]


def _strength(grid: Measured) -> float:
    if grid.best is None:
        return -np.inf
    return -float(grid.best["rank"]) if grid.column == "value" else grid.sign * float(grid.best[grid.column])


def _cells(
    rows: pd.DataFrame, heads: Sequence[int | None], unit: NumberFormat, marked: pd.Series | None
) -> list[Cell]:
    found = {
        None if pd.isna(head) else head: Cell(
            "" if pd.isna(number) else unit.cell(float(number)), marked is not None and index == marked.name
        )
        for index, head, number in zip(rows.index, rows["head"], rows["_shown"], strict=True)
    }
    return [found.get(head, Cell("")) for head in heads]


def _number(value: float, unit: NumberFormat) -> str:
    return MISSING if np.isnan(value) else unit.cell(value)


def _known(value: object) -> str:
    return "" if pd.isna(value) else plain(str(value))  # type: ignore[call-overload]
