"""Change of attention between two models, as by fine-tuning (Kovaleva et al. 2019, section 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probing.analyses.analysis import Context, Methods
from probing.analyses.groups import check_unit, with_ranks
from probing.analyses.layer_by_layer import LayerByLayer
from probing.analyses.read_texts import Split, columns_of, texts_of
from probing.errors import ProbingError
from probing.objectives.texts import joint_units
from probing.representations.reductions.against import Reference
from probing.representations.reductions.change import Change
from probing.representations.request import Stack
from probing.results.column_rows import rows_of_columns
from probing.results.finding import Finding, Picture
from probing.results.text.changes import changes_summary
from probing.statistics.ratios import ratio
from probing.tasks.task import Task, Unit

NATS = "nats"
FINDING = Finding(
    measure="change of attention",
    unit=NATS,
    metric_units={"cosine": ""},
    digits=3,
    range="from 0 to ln 2 = 0.693",
    variant="divergence",
    best="largest change",
    pictures=(Picture("attention_change", sweep="attention_change"),),
    line=changes_summary,
)


@dataclass(frozen=True)
class AttentionChangeAnalysis(LayerByLayer):
    """The distance between the attention of every head and of the same head in a reference model.

    Both models read the same tokens. `divergence` is the Jensen-Shannon divergence per query, in nats.
    `cosine` is that of the flattened maps, cropped to the tokens of each text, as a mean over texts.

    Attributes:
        reference: The other model, as for `model.name`.
        split: The examples; a text that several share is read once.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
    """

    reference: str | None = None
    split: Split = "dev"
    stack: Stack = ""

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "attention_change"

    @property
    def statistic(self) -> Change:
        """Cosines and divergences of each text.

        Raises:
            ProbingError: If no reference is named, or there is no such model.
        """
        if not self.reference:
            raise ProbingError(
                "analysis.reference is not set; name the model to compare with, as for model.name"
            )
        return Change(Reference.of(self.reference))

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, and pairs of words."""
        check_unit(self.name, methods, ("head",))
        joint_units(task)

    def units(self, task: Task) -> Sequence[Unit]:
        """The texts of the split."""
        return texts_of(task, self.split)

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The divergence and the cosine of every head of a layer.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        read = context.reading.representations
        columns = columns_of(read, part, self.statistic)
        counts = columns["queries"]
        heads = counts.shape[1]
        same = {
            **context.labels, "layer": part, "head": range(heads), "n_heads": 1, f"n_{self.split}": read.size,
        }  # fmt: skip
        measures = {
            "divergence": (NATS, columns["nats"], counts),
            "cosine": ("cosine", columns["cosine"], (counts > 0).astype(np.float64)),
        }
        frames = []
        for variant, (metric, sums, sizes) in measures.items():
            value, low, high = ratio(sums, sizes)
            own = {"variant": variant, "metric": metric, "main": variant == "divergence"}
            found = {"value": value, "value_low": low, "value_high": high}
            frames.append(rows_of_columns({**same, **own, **found}, heads))
        return pd.concat(frames, ignore_index=True)

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Rank the heads by divergence."""
        ranked = with_ranks(frame)
        return ranked.assign(rank=ranked["rank"].where(frame["variant"] == "divergence"))
