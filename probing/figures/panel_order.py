"""The order of the panels on a contact sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from probing.figures.grids import Grid
from probing.results.grid_key import GridKey

_MOST_COLUMNS = 5


@dataclass(frozen=True)
class Band:
    """The panels of one model.

    Attributes:
        model: Name of the model.
        panels: Row and column in the band, and the grid; the same setting has the same place in all bands.
    """

    model: str
    panels: tuple[tuple[int, int, Grid], ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows of the band that have a panel."""
        return tuple(sorted({row for row, _, _ in self.panels}))

    @property
    def shape(self) -> tuple[int, int]:
        """Maximum number of layers and of heads of a panel."""
        shapes = [grid.scores.shape for _, _, grid in self.panels if not grid.whole_layers]
        shapes = shapes or [(grid.scores.shape[0], 12) for _, _, grid in self.panels]
        return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)


@dataclass(frozen=True)
class PanelLayout:
    """A contact sheet before it is measured.

    Attributes:
        bands: One for each model, in the order of the frame.
        columns: Number of panels in a row.
        shared: Fields of the key in which all grids agree, except the task.
        varying: The other fields, except the model; each panel has to name them.
        prefix: Common start of all names of tasks, "senteval/"; may be empty.
        one_task: Whether all grids are of one task.
        same_sizes: Whether all grids have the same number of examples.
    """

    bands: tuple[Band, ...]
    columns: int
    shared: tuple[str, ...]
    varying: tuple[str, ...]
    prefix: str
    one_task: bool
    same_sizes: bool


def lay_out(grids: Sequence[Grid]) -> PanelLayout:
    """Assign a place to every grid: a band for each model, with the same columns in all bands."""
    slots = {key: number for number, key in enumerate(dict.fromkeys(map(_slot, grids)))}
    columns = sheet_columns(len(slots))
    models = dict.fromkeys(grid.key.model for grid in grids)
    bands = (
        Band(model, tuple((*divmod(slots[_slot(g)], columns), g) for g in grids if g.key.model == model))
        for model in models
    )
    fields = [name for name in GridKey._fields if name != "task"]
    shared = tuple(name for name in fields if len({getattr(grid.key, name) for grid in grids}) == 1)
    varying = tuple(name for name in fields if name not in (*shared, "model"))
    tasks = [grid.key.task for grid in grids]
    alike = len({grid.sizes for grid in grids}) == 1
    return PanelLayout(
        tuple(bands), columns, shared, varying, common_prefix(tasks), len(set(tasks)) == 1, alike
    )


def sheet_columns(panels: int) -> int:
    """Number of panels in a row: at most five, with rows as equal as possible."""
    return math.ceil(panels / math.ceil(panels / _MOST_COLUMNS))


def _slot(grid: Grid) -> GridKey:
    return grid.key._replace(model="")


def common_prefix(tasks: Sequence[str]) -> str:
    """The common start of all names of tasks, "senteval/"; may be empty."""
    prefixes = {f"{task.rpartition('/')[0]}/" for task in tasks}
    return prefixes.pop() if len(prefixes) == 1 and prefixes != {"/"} else ""
