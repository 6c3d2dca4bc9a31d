"""Groups of heads, rows and ranks, shared by the analyses of an evaluator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.effects import effect
from probing.results.schema import KINDS, places
from probing.statistics.scores import majority
from probing.tasks.problem import make_problem

if TYPE_CHECKING:
    from probing.analyses.analysis import Context, Methods
    from probing.models.heads import Heads
    from probing.objectives.objective import Evaluator


@dataclass(frozen=True)
class Groups:
    """Heads that are removed at a time: single heads, or all heads of a layer.

    Attributes:
        heads: All N heads of the model.
        members: Positions of the heads of each group among all N, int64.
        cells: Columns that identify each group in a row.
    """

    heads: Heads
    members: tuple[NDArray[np.int64], ...]
    cells: tuple[Mapping[str, object], ...]

    @classmethod
    def of(cls, heads: Heads, context: Context) -> Groups:
        """Return the groups of the requested layers.

        Raises:
            ProbingError: If the model has no such layer.
        """
        chosen = heads.of_layers(context.methods.granularity.layers)
        members, cells = [], []
        for site in chosen.sites:
            places = np.arange(len(heads))[heads.slices[site]]
            if context.methods.granularity.unit == "attention":
                members.append(places)
                cell = {**heads.cells[places[0]], "head": None, "n_heads": len(places)}
                cells.append(cell)
            else:
                members += [places[[head]] for head in range(site.heads)]
                cells += [{**heads.cells[place], "n_heads": 1} for place in places]
        return cls(heads, tuple(members), tuple(cells))

    def __len__(self) -> int:
        """Number of groups."""
        return len(self.members)

    @cached_property
    def layers(self) -> tuple[slice, ...]:
        """Groups of each layer, stack after stack."""
        places = [(cell["stack"], cell["layer"]) for cell in self.cells]
        starts = [at for at in range(len(places)) if at == 0 or places[at] != places[at - 1]]
        return tuple(slice(*pair) for pair in zip(starts, [*starts[1:], len(places)], strict=True))


def check_unit(name: str, methods: Methods, allowed: Sequence[str] = ("head", "attention")) -> None:
    """Refuse a granularity that an analysis does not support.

    Raises:
        ProbingError: If so. The message names the supported ones.
    """
    unit = methods.granularity.unit
    if unit not in allowed:
        use = " or ".join(f"granularity={name}" for name in allowed)
        raise ProbingError(f"analysis={name}: granularity={unit} is not supported; use {use}")


def settings_of(analysis: Any, methods: Methods) -> dict[str, Any]:  # noqa: ANN401
    """Return the settings of an analysis and its objective, for the key of its result."""
    found = {"analysis": {"kind": analysis.name, **asdict(analysis)}}
    if analysis.uses == "objective":
        objective = methods.objective
        found["objective"] = {"kind": objective.name, **asdict(objective)}  # type: ignore[call-overload]
    return found


def shared_labels(context: Context, ready: Evaluator) -> dict[str, object]:
    """Return the columns that are the same in every row of an evaluator."""
    # only objectives that pool vectors are fitted to examples of train
    splits = ("train", "dev", "test") if context.labels.get("pooling") else ("dev", "test")
    sizes: dict[str, object] = {f"n_{split}": len(ready.task.rows(split)) for split in splits}
    if ready.metrics[0] != "loss":  # guessing has no loss to compare with
        sizes["majority"] = majority(make_problem(ready.task, context.seed))
    return {**context.labels, **sizes}


def with_ranks(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with ranks of single heads, or layers, within each kind of row; ties share a rank."""
    placed = frame["layer"].notna()
    size = effect(frame).where(placed)
    kinds = places(frame, (*KINDS, "metric"))
    order = size.groupby(kinds.to_flat_index().to_numpy()).rank(ascending=False, method="min")
    return frame.assign(rank=order.astype("Int64"))
