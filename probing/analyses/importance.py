"""Importance from gradients: the change of the loss when a head's output is scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.caution import warn_of_dev
from probing.analyses.groups import Groups, check_unit, settings_of, shared_labels, with_ranks
from probing.io.progress import Progress
from probing.objectives.objective import Batch, Evaluator
from probing.results.finding import Finding, Picture, all_rows
from probing.results.schema import as_frame
from probing.tasks.task import Task
from probing.validation.ranges import Count, check_ranges

if TYPE_CHECKING:
    from torch import Tensor

FINDING = Finding(
    measure="importance",
    unit="nats",
    digits=None,
    range="from 0 up",
    normalised={"layer": "from 0 up", "minmax": "from 0 to 1"},
    best="most important",
    kind="use",
    place=1,
    pictures=(
        Picture("grid", sweep="importance"),
        Picture("variants", "sheet", all_rows),
    ),
)


@dataclass(frozen=True)
class ImportanceAnalysis:
    """Compute the importance of heads, or of all heads of a layer (Michel et al. 2019).

    Variants of the rows: `per_example` is the paper's E_x |∂L/∂ξ|, `per_token` is the value that its code
    computes. Column `normalisation` is `layer` if values are divided by the layer's ℓ2 norm, and `minmax` if
    they are then scaled to 0 … 1.

    Attributes:
        split: Split of the examples: dev, so that a selection of heads can be scored on test; or test, train.
        part: Number of examples after which the sums are kept.
    """

    split: Literal["train", "dev", "test"] = "dev"
    part: Count = 1000

    def __post_init__(self) -> None:
        """Refuse a `part` without examples."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "importance"

    @property
    def uses(self) -> Uses:
        """An evaluator."""
        return "objective"

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse a granularity that is neither heads nor layers of heads."""
        check_unit(self.name, methods)

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """Return the split and the objective."""
        return settings_of(self, methods)

    def parts(self, context: Context) -> Sequence[int]:
        """Return the numbers of the stretches of examples."""
        return range(len(self._stretches(context.evaluator())))

    def part_name(self, context: Context, part: int) -> str:
        """Return the name of a part in the log."""
        return f"examples from {self.part * part}"

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Return sums over some examples, as rows that `conclude` adds up."""
        from probing.ablations.evaluate import MaskedEvaluator
        from probing.ablations.gradients import importance_sums

        ready = context.evaluator()
        groups = Groups.of(ready.heads, context)
        batches = self._stretches(ready)[part]
        if part == 0 and ready.metrics[0] != "loss":
            full = MaskedEvaluator(ready).answers("dev", np.ones((1, len(ready.heads)), dtype=bool))
            warn_of_dev(self.name, ready, full, context.seed, chooses=False)
        whole = context.methods.granularity.unit == "attention"
        sums = importance_sums(
            ready.model,
            _with_progress(ready, batches),
            ready.heads.of_layers(context.methods.granularity.layers),
            whole_layers=whole,
        )
        rows = []
        for variant in ("example", "token", "tokens"):
            for cell, value in zip(groups.cells, getattr(sums, variant), strict=True):
                rows.append({**cell, "variant": variant, "value": value, "n_dev": sums.examples})
        return as_frame(rows)

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return importances from sums, as they are and normalised."""
        from probing.ablations.gradients import Sums, by_layer, min_max

        ready = context.evaluator()
        groups = Groups.of(ready.heads, context)
        size = len(groups)
        sums = {
            variant: rows["value"].to_numpy(float).reshape(-1, size).sum(0)
            for variant, rows in frame.groupby("variant", sort=False)
        }
        examples = int(frame[frame["variant"] == "example"]["n_dev"].iloc[::size].sum())
        total = Sums(sums["example"], sums["token"], np.zeros(size), examples, sums["tokens"])
        same = {**shared_labels(context, ready), "metric": "loss"}
        # other splits are not read, except train if a readout is fitted to it
        same |= {"n_dev": None, "n_test": None, f"n_{self.split}": examples}
        rows = []
        for variant, scores in (("per_example", total.per_example), ("per_token", total.per_token)):
            layered = by_layer(scores, groups.layers)
            found = {None: scores, "layer": layered, "minmax": min_max(layered)}
            for normalisation, values in found.items():
                main = variant == "per_example" and normalisation is None
                kind = {"variant": variant, "normalisation": normalisation, "main": main}
                cells = zip(groups.cells, values, strict=True)
                rows += [{**same, **cell, **kind, "value": value} for cell, value in cells]
        return with_ranks(as_frame(rows))

    def _stretches(self, ready: Evaluator) -> list[list[Batch]]:
        """Return batches in stretches of about `part` examples."""
        stretches: list[list[Batch]] = []
        count = self.part
        for batch in ready.batches(self.split):
            if count >= self.part:
                stretches.append([])
                count = 0
            stretches[-1].append(batch)
            count += len(batch.rows)
        return stretches


def _with_progress(ready: Evaluator, batches: Sequence[Batch]) -> Any:  # noqa: ANN401
    """Yield the loss of each batch as a function, and show progress."""

    def loss(batch: Batch) -> Tensor:
        return ready.run(batch).loss

    with Progress("importance", "examples", sum(len(batch.rows) for batch in batches)) as progress:
        for batch in batches:
            yield partial(loss, batch)
            progress.add(len(batch.rows), len(batch.rows))
