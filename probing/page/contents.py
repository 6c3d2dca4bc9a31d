"""What the page shows, as plain values that JSON has."""

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
        key: Digest of all that the result depends on.
        file: Name of the result file.
        created: When, as an ISO date and time; empty if it is not known.
        command: The command that runs the same again; empty if its overrides were not kept.
        config: The whole configuration as YAML.
        data: One line on the examples, from the task card.
    """

    key: str
    file: str
    created: str
    command: str
    config: str
    data: str


@dataclass(frozen=True)
class Support:
    """What the numbers of one grid support.

    Attributes:
        best: Place of the best test score in the columns; None where nothing has a score.
        mean: Of the test scores.
        guess: What guessing scores: the majority, or 0 of a coefficient; None if it is not known.
        bounded: Cells that have an interval, where it is known what guessing scores.
        near_guess: Cells whose interval holds what guessing scores, or 0 of differences.
        below: Cells whose interval lies below it. Those two are not above guessing.
        significant: Cells whose p, corrected for the choice of the best of all, is at most 0.05; None
            where there are no such p.
        selectivity: Mean of test minus control; None where there is no control.
        above_untrained: Mean of test minus the untrained twin's; None where there is no twin.
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
    """What the values of a grid are, where they are no scores of probes.

    Attributes:
        what: In words, without the unit.
        unit: How they are written.
        label: What they are counted in on axes, "10⁻³ nats".
        turned: Whether less is needed more.
        within_one: Whether they are from 0 to 1 by what they are.
        most: What is said of the cell of rank 1; empty where cells are not ranked.
        ranked_on: The split that ranks them, "dev"; empty where cells are not ranked.
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
    """One grid: a score for each head or layer, or what an analysis found about it.

    Attributes:
        names: What tells it from others, by column of the result frame; absent where it is missing.
        title: The task.
        detail: What else tells it from other grids of the page.
        run: Place of its run in the list of runs.
        metric: In words.
        coefficient: Whether scores go from -1 to 1 rather than being shares.
        loss: Whether they are losses in nats.
        scale: Grids with the same text can stand on one colour scale and be subtracted, and no others.
        quantity: The quantity of its numbers, in words.
        sizes: n_train, n_dev, n_test, n_classes.
        counted: Examples in words, with the limit of a quick look.
        sides: Side of guessing (of 0 for differences) on which each cell's interval lies: -1 below,
            0 where it holds it, 1 above; None where it is not known.
        columns: Parallel lists, one value for each cell: layer (-1: embeddings), head, scores as fractions;
            or `value` with its interval and rank.
        support: What is to be said of all cells together.
        found: What the values are; None of scores of probes.
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
        layer: Of whole layers.
        n_heads: Ascending; [None] for whole layers.
        dev: Means over draws.
        test: Means over draws.
        low: Lower end of the interval; of several draws, their lowest test score.
        high: The upper end, likewise.
        heads: Which, best first; empty where several draws differ.
        draws: How many draws there are.
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
    """One run of `top_heads`; attributes as those of `Grid`."""

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
    """Rows of a run that are of no one layer; other attributes as those of `Grid`.

    Attributes:
        what: What it shows.
        headings: Of its columns.
        lines: Texts, one for each column.
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
    """All that the page shows.

    Attributes:
        root: The folder, as it was named.
        runs: Behind the grids and curves.
        grids: In the order of their names.
        curves: Runs of `top_heads`, likewise.
        tables: Masking curves, what pruning did, and paths of gates, likewise.
        damaged: Files that are left out.
    """

    root: str
    runs: tuple[PageRun, ...]
    grids: tuple[PageGrid, ...]
    curves: tuple[Curve, ...]
    tables: tuple[PageTable, ...]
    damaged: tuple[Damaged, ...]
