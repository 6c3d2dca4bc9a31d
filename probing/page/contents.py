"""The content of the page, as plain values for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from probing.results.units import NumberFormat

Number = float | int | None
PageNames = Mapping[str, str]


@dataclass(frozen=True)
class PageRun:
    """The run behind some rows.

    Attributes:
        key: Digest of everything that the result depends on.
        file: Name of the result file.
        created: ISO date and time of the run; empty if it is unknown.
        command: Command that repeats the run; empty if its overrides were not kept.
        look: Command that looks at the heads of the run, without the head; empty if the command is.
        config: Complete configuration as YAML.
        data: One line about the examples, from the task card.
    """

    key: str
    file: str
    created: str
    command: str
    look: str
    config: str
    data: str


@dataclass(frozen=True)
class Support:
    """A summary of the evidence in the numbers of one grid.

    Attributes:
        best: Position of the best test score in the columns; None if there are no scores.
        mean: Mean of the test scores.
        guess: Score of guessing: the majority, or 0 for a coefficient; None if it is unknown.
        bounded: Number of cells with an interval; 0 if the score of guessing is unknown.
        near_guess: Number of cells whose interval contains the score of guessing; for differences, 0.
        below: Number of cells whose interval is below it. Neither of these two kinds is above guessing.
        significant: Number of cells whose p, corrected for choosing the best of all, is at most 0.05; None if
            there are no such p.
        selectivity: Mean of test minus control; None if there is no control.
        above_untrained: Mean of test minus the score of the untrained model; None if there is none.
    """

    best: int | None
    mean: Number
    guess: Number
    bounded: int
    near_guess: int
    below: int
    significant: int | None
    selectivity: Number
    above_untrained: Number


@dataclass(frozen=True)
class FoundValues:
    """The meaning of the values of a grid that are not scores of probes.

    Attributes:
        what: Name of the quantity, without the unit.
        unit: Format of the values.
        label: Unit on axes, "10⁻³ nats".
        turned: Whether a smaller value means a larger effect.
        within_one: Whether values are from 0 to 1 by definition.
        most: Words for the cell of rank 1; empty if cells are not ranked.
        ranked_on: Split that ranks the cells, "dev"; empty if cells are not ranked.
    """

    what: str
    unit: NumberFormat
    label: str
    turned: bool
    within_one: bool
    most: str
    ranked_on: str


@dataclass(frozen=True)
class PageGrid:
    """One grid: a score or the finding of an analysis for each head or layer.

    Attributes:
        names: Values that distinguish the grid, by column of the result frame, without missing ones.
        title: Name of the task.
        detail: Other words that distinguish the grid on the page.
        run: Position of its run in the list of runs.
        metric: Name of the metric.
        coefficient: Whether scores are from -1 to 1 rather than shares.
        loss: Whether scores are losses in nats.
        scale: Text that is equal for grids that can share a colour scale and be subtracted.
        quantity: Quantity of the numbers, in words.
        sizes: n_train, n_dev, n_test, n_classes.
        counted: Number of examples in words, with the limit of a quick look.
        sides: Position of the interval of each cell relative to guessing (for differences, to 0): -1 if it is
            below, 0 if it contains the level, 1 if it is above; None if it is unknown.
        columns: Parallel lists, one value for each cell: layer (-1: embeddings), head, scores as fractions;
            or `value` with its interval and rank.
        support: Summary of all cells.
        found: Meaning of the values; None for scores of probes.
    """

    names: PageNames
    title: str
    detail: str
    run: int
    metric: str
    coefficient: bool
    loss: bool
    scale: str
    quantity: str
    sizes: Mapping[str, Number]
    counted: str
    sides: list[Number]
    columns: Mapping[str, list[Number]]
    support: Support
    found: FoundValues | None


@dataclass(frozen=True)
class CurveLine:
    """Scores over the number of heads read together, or of one whole layer.

    Attributes:
        variant: top, random, permuted, last_layer or best_layer.
        layer: Number of a whole layer.
        n_heads: Numbers of heads, ascending; [None] for whole layers.
        dev: Dev scores, averaged over draws.
        test: Test scores, averaged over draws.
        low: Lower ends of the intervals; for several draws, the lowest test scores.
        high: Upper ends of the intervals; for several draws, the highest test scores.
        heads: Names of the heads, best first; empty if several draws differ.
        draws: Number of draws.
    """

    variant: str
    layer: int | None
    n_heads: list[Number]
    dev: list[Number]
    test: list[Number]
    low: list[Number]
    high: list[Number]
    heads: list[str]
    draws: int


@dataclass(frozen=True)
class Curve:
    """One run of `top_heads`, with attributes as in `PageGrid`."""

    names: PageNames
    title: str
    detail: str
    run: int
    metric: str
    coefficient: bool
    guess: Number
    counted: str
    lines: tuple[CurveLine, ...]


@dataclass(frozen=True)
class PageTable:
    """Rows of a run that cover no single layer; the other attributes are as in `PageGrid`.

    Attributes:
        what: Subject of the table.
        headings: Headings of its columns.
        lines: Rows of the table, a text for each column.
    """

    names: PageNames
    title: str
    detail: str
    run: int
    metric: str
    counted: str
    what: str
    headings: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Damaged:
    """A result file that could not be read, and why."""

    file: str
    problem: str


@dataclass(frozen=True)
class Content:
    """The whole content of the page.

    Attributes:
        root: The folder, as the user named it.
        runs: Runs behind the grids, curves and tables.
        grids: Grids in the order of their names.
        curves: Runs of `top_heads`, in the same order.
        tables: Rows that an analysis reports as a table, in the same order.
        damaged: Files that are left out.
    """

    root: str
    runs: tuple[PageRun, ...]
    grids: tuple[PageGrid, ...]
    curves: tuple[Curve, ...]
    tables: tuple[PageTable, ...]
    damaged: tuple[Damaged, ...]
