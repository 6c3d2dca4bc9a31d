"""The public function that turns results into a table for a paper or an issue."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from probing.errors import ProbingError
from probing.results.checks import single_heads
from probing.results.load import select
from probing.results.schema import RESULT
from probing.results.several import preferred
from probing.results.tables.bare import bare_table
from probing.results.tables.crossed import crossed_table
from probing.results.tables.each import Entry, each_table
from probing.results.tables.layout import Layout
from probing.results.tables.markup import FORMATS
from probing.results.tables.measured import COLUMNS, measured
from probing.results.tables.named import grids_of, is_report, of_counts, runs_of
from probing.results.tables.one import counts_table, grid_table, line_of, report_table
from probing.validation.arguments import check_columns, checked


class TableText(str):
    """A table as text; a notebook shows one in Markdown as a table, and any other as it is.

    Attributes:
        language: Format of the text.
    """

    language: str = "markdown"

    def _repr_markdown_(self) -> str:
        return str(self) if self.language == "markdown" else f"```{self.language}\n{self}```"


@checked()
def table(
    frame: pd.DataFrame,
    *,
    format: Literal["markdown", "latex", "csv", "text"] = "markdown",
    rows: str = "",
    columns: str = "",
    value: str = "",
    summary: Literal["best", "mean"] = "best",
    **where: object,
) -> str:
    """Write results as a table for a paper or an issue.

    The rows of one run become its grid of layers x heads, with the best cell in bold. For several grids, the
    table has a row for each, with its best head, the score, its interval, p (corrected for choosing the best
    of all), the mean, the majority and the scores of baselines. The columns in which the grids differ name
    them, and the caption names the settings in which they agree. With `rows` and `columns`, the table has one
    score for each grid, and the best of each row is in bold.

    Units and digits are those of the terminal. A run that gives way to another run of the same question is
    left out.

    Args:
        frame: Result rows, as from `load_results` or `run`, or one grid, as from `grid`.
        format: `markdown` as on GitHub, `latex` (needs the package booktabs), `csv` without a caption, or
            `text` for a terminal.
        rows: Setting whose values are the rows, such as "task"; requires `columns`.
        columns: Setting whose values are the columns, such as "model".
        value: Column of the numbers, such as "dev", "selectivity" or "test_macro_f1"; empty for `value` where
            the analysis gives it, and `test` otherwise.
        summary: Number of each grid in a table with `rows` and `columns`: its best cell, or the mean of its
            cells.
        **where: Values of columns that select rows, such as `baseline="none"`.

    Returns:
        The text of the table, which ends with a line break. A notebook shows it as a table.

    Raises:
        ProbingError: If there are no such rows or columns, or if two grids share a place of the table.

    Example:
        >>> import probing
        >>> frame = probing.load_results("outputs")  # doctest: +SKIP
        >>> print(probing.table(frame, format="latex", rows="task", columns="model"))  # doctest: +SKIP
    """
    text = TableText(FORMATS[format](_layout(frame, rows, columns, value, summary, where)))
    text.language = format
    return text


def _layout(
    frame: pd.DataFrame, rows: str, columns: str, value: str, summary: str, where: dict[str, object]
) -> Layout:
    if bool(rows) != bool(columns):
        lacking = "columns" if rows else "rows"
        raise ProbingError(f"table: {lacking}= is missing; give both, rows='task', columns='model'")
    if frame.index.name == "layer" and "analysis" not in frame:
        return bare_table(frame, value, where)
    check_columns(frame, RESULT, "table: frame")
    found = preferred(select(frame.reset_index(drop=True), **where), frame)
    if found.empty:
        raise ProbingError("table: frame has no rows; run probing first, or select other rows")
    if value in COLUMNS and value in found and found[value].isna().all():
        run = {"selectivity": "control"}.get(value, value)
        hint = f"run baseline={run} first" if run in ("control", "untrained") else "give another value="
        raise ProbingError(f"table: value {value!r} is missing in all rows; {hint}")
    runs = runs_of(single_heads(found, "a table"))
    if rows:
        grids = [measured(grid, value) for run in runs if not is_report(run) for grid in grids_of(run)]
        if not grids:
            raise ProbingError("table: these runs have no grids; leave out rows= and columns=")
        return crossed_table(grids, rows, columns, summary)
    if len(runs) == 1:
        return _of_run(runs[0], value)
    return each_table(_entries(runs, value))


def _of_run(run: pd.DataFrame, value: str) -> Layout:
    """The table of one run: its report, its scores of n heads, or its grid; several grids have a row each."""
    if is_report(run):
        return report_table(run)
    if of_counts(run):
        return counts_table(run)
    grids = [measured(grid, value) for grid in grids_of(run)]
    names = {(grid.quantity, *grid.rows[["variant", "fill"]].iloc[0].fillna("")) for grid in grids}
    if len(names) > 1 or all(grid.rows["layer"].isna().all() for grid in grids):
        return each_table(_entries([run], value))
    return grid_table(run, grids, line_of(run) if value in ("", "test", "value") else "")


def _entries(runs: list[pd.DataFrame], value: str) -> list[Entry]:
    return [
        entry
        for run in runs
        for entry in (
            [Entry(run, None)]
            if is_report(run)
            else [Entry(grid, measured(grid, value)) for grid in grids_of(run)]
        )
    ]
