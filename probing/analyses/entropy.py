"""How widely a head attends: the entropy of its attention (Clark et al. 2019; Michel's example script)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import torch
from torch import Tensor

from probing.analyses.analysis import Experiment, Methods, Uses
from probing.analyses.caution import Sink
from probing.analyses.groups import check_unit, settings_of
from probing.errors import ProbingError
from probing.models.sites import Kind, Site
from probing.objectives.texts import joint_units
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.tasks.task import Task

FINDING = Finding(
    measure="entropy of attention",
    unit="nats",
    range="from 0 up",
    pictures=(Picture("grid", "grids", sweep="entropy"),),
)


@dataclass(frozen=True)
class EntropyAnalysis:
    """Mean over real tokens of −Σ_j A_ij ln A_ij, in nats, of every head; 0 · ln 0 is 0.

    Attributes:
        split: The examples; a text that several share is read once.
    """

    split: Literal["train", "dev", "test"] = "dev"

    @property
    def name(self) -> str:
        """As on the command line."""
        return "entropy"

    @property
    def uses(self) -> Uses:
        """The model alone, without a head for a task; of an encoder-decoder model its encoder."""
        return "model"

    def check(self, task: Task, means: Methods) -> None:
        """Refuse what is no head."""
        check_unit(self.name, means, ("head",))
        joint_units(task)

    def depends_on(self, means: Methods) -> Mapping[str, Any]:
        """The split."""
        return settings_of(self, means)

    def parts(self, experiment: Experiment) -> Sequence[int]:
        """One: attention of all layers is computed together."""
        return [0]

    def part_name(self, experiment: Experiment, part: int) -> str:
        """What a part is called in the log."""
        return "all layers"

    def run_part(self, experiment: Experiment, part: int) -> pd.DataFrame:
        """The mean entropy of every head.

        Raises:
            ProbingError: If attention is not finite, or fused attention would be another.
        """
        from probing.models.broken import not_finite
        from probing.models.capture import capture
        from probing.models.trace import find_sites
        from probing.objectives.items import make_batches

        assert experiment.setting is not None
        setting = experiment.setting("eager")
        loaded = setting.load("read", "eager")
        sites = find_sites(loaded.model).of(Kind.ATTENTION)
        batches = make_batches(
            loaded, setting, setting.task, joint_units(setting.task), lambda batch: batch, distinct=True
        )[self.split]
        means: dict[Site, _Mean] = defaultdict(_Mean)
        tokens, sink = torch.zeros(()), Sink()

        def read(site: Site, weights: Tensor) -> None:
            means[site].add(entropy(weights), tokens)
            sink.add(site, weights, tokens)

        with capture(loaded.model, sites, read) as run, torch.inference_mode():
            for batch in batches:
                tokens = batch.inputs.get("attention_mask", batch.tokens)
                run(**batch.inputs)
        for site in sites:
            if not means[site].value.isfinite().all():
                raise ProbingError(
                    f"layer {site.layer}: attention is not finite (NaN or infinity); "
                    f"{not_finite(setting.extract.dtype)}"
                )
        sink.warn()
        rows = [
            {"layer": site.layer, "head": head, "value": value}
            for site in sites
            for head, value in enumerate(means[site].value.tolist())
        ]
        chosen = experiment.granularity.layers
        same = {**experiment.labels, "metric": "nats", "n_heads": 1}
        size = {f"n_{self.split}": sum(len(batch.rows) for batch in batches)}
        return as_frame([{**same, **size, **row} for row in rows if chosen is None or row["layer"] in chosen])

    def conclude(self, experiment: Experiment, frame: pd.DataFrame) -> pd.DataFrame:
        """All has been said."""
        return frame


def entropy(weights: Tensor) -> Tensor:
    """−Σ_j A_ij ln A_ij of attention weights, in nats.

    Args:
        weights: (batch, heads, queries, keys).

    Returns:
        (batch, queries, heads).
    """
    return -torch.xlogy(weights, weights).sum(-1).transpose(1, 2)


class _Mean:
    """The mean over the queries that are real tokens, of every head."""

    def __init__(self) -> None:
        self._sum = torch.zeros((), dtype=torch.float64)
        self._count = 0

    def add(self, values: Tensor, tokens: Tensor) -> None:
        """Values (batch, queries, heads); where queries are not tokens all of them count."""
        real = tokens.bool() if tokens.shape == values.shape[:2] else values[..., 0].isfinite()
        chosen = values[real].double().cpu()
        self._sum = self._sum + chosen.sum(0)
        self._count += len(chosen)

    @property
    def value(self) -> Tensor:
        return self._sum / self._count
