"""The steps that analyses of attention share if they treat one layer after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from probing.analyses.groups import settings_of

if TYPE_CHECKING:
    import pandas as pd

    from probing.analyses.analysis import Context, Methods, Uses


class LayerByLayer:
    """An analysis of attention whose parts are the layers, and whose rows stand for themselves.

    A subclass is a frozen dataclass with the rest of an `AttentionAnalysis`: its name, its statistic, its
    units, its checks, and the rows of a layer (`run_part`).
    """

    @property
    def uses(self) -> Uses:
        """Attention of the model without a task head, or of a stack of the whole model."""
        return "attention"

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """The settings of the analysis."""
        return settings_of(self, methods)

    def parts(self, context: Context) -> Sequence[int]:
        """The layers."""
        return context.reading.representations.layers

    def part_name(self, context: Context, part: int) -> str:
        """Name of a part in the log."""
        return f"layer {part}"

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows as they are; each head stands for itself."""
        return frame
