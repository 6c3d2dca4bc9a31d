"""Which panel of a contact sheet stands where."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from probing.figures.grids import Grid, GridKey

_MOST_COLUMNS = 5


@dataclass(frozen=True)
class Band:
    """The panels of one model.

    Attributes:
        model: Its name.
        panels: Row and column in the band, and the grid; the same setting stands alike in all bands.
    """

    model: str
    panels: tuple[tuple[int, int, Grid], ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows of the band that have a panel."""
        return tuple(sorted({row for row, _, _ in self.panels}))

    @property
    def shape(self) -> tuple[int, int]:
        """The most layers and the most heads of any panel."""
        shapes = [grid.scores.shape for _, _, grid in self.panels if not grid.whole_layers]
        shapes = shapes or [(grid.scores.shape[0], 12) for _, _, grid in self.panels]
        return max(rows for rows, _ in shapes), max(columns for _, columns in shapes)


@dataclass(frozen=True)
class PanelLayout:
    """A contact sheet before it is measured.

    Attributes:
        bands: One for each model, in the order of the frame.
        columns: How many panels stand side by side.
        shared: Fields of the key, but for the task, in which all grids agree.
        varying: The other fields, but for the model; each panel has to name them.
        prefix: What all names of tasks begin with, "senteval/"; may be empty.
        one_task: Whether all grids are of one task.
        same_sizes: Whether all grids rest on as many examples.
    """

    bands: tuple[Band, ...]
    columns: int
    shared: tuple[str, ...]
    varying: tuple[str, ...]
    prefix: str
    one_task: bool
    same_sizes: bool


def lay_out(grids: Sequence[Grid]) -> PanelLayout:
    """Give every grid a place: a band for each model, the same columns in all bands."""
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
    """How many panels stand side by side: five at most, and as many in each row as can be."""
    return math.ceil(panels / math.ceil(panels / _MOST_COLUMNS))


def _slot(grid: Grid) -> GridKey:
    return grid.key._replace(model="")


def common_prefix(tasks: Sequence[str]) -> str:
    """What all names of tasks begin with, "senteval/"; may be empty."""
    prefixes = {f"{task.rpartition('/')[0]}/" for task in tasks}
    return prefixes.pop() if len(prefixes) == 1 and prefixes != {"/"} else ""
