"""Ablation: the score of a model without each head, or with it as the only head of its layer.

The method follows Michel et al. (2019, section 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.caution import warn_of_dev
from probing.analyses.groups import Groups, check_unit, settings_of, shared_labels, with_ranks
from probing.objectives.objective import Evaluator
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.select import of_variant, own_metric
from probing.tasks.task import Task
from probing.validation.ranges import Count, Entries, check_ranges

if TYPE_CHECKING:
    from probing.ablations.differences import Differences
    from probing.ablations.evaluate import Answers, MaskedEvaluator
    from probing.models.loading import Attention

AblationKind = Literal["leave_one_out", "only_one"]
FINDING = Finding(
    measure="difference",
    difference=True,
    alone=("only_one", "only_best"),
    best="largest effect",
    best_alone="best alone",
    chosen={"only_best": "best head on dev alone in its layer"},
    kind="use",
    place=2,
    offered=lambda rows: of_variant(rows, "leave_one_out"),
    pictures=(
        Picture("grid", sweep="ablation"),
        Picture("only_one", rows=lambda rows: own_metric(rows, "only_one")),
    ),
)
_ASK = "name some, as in analysis.kinds=[leave_one_out]"


@dataclass(frozen=True)
class AblationAnalysis:
    """Score the model without each head, and with each as the only one of its layer.

    Variants of the rows are `leave_one_out` and `only_one`, under the objective's metric and under its loss,
    and `only_best`, which is the head of every layer that scores best on dev as its only head. Column `fill`
    is `how`.

    Attributes:
        how: Replacement of a head's output: nothing, its mean over train, or, for `leave_one_out`, its output
            under uniform attention.
        kinds: Kinds of ablation.
        reference: Maximum number of train examples over which means are taken.
    """

    how: Literal["zero", "mean", "uniform"] = "zero"
    kinds: Annotated[tuple[AblationKind, ...], Entries(what=_ASK)] = ("leave_one_out", "only_one")
    reference: Count = 1000

    def __post_init__(self) -> None:
        """Refuse an empty list of kinds."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "ablation"

    @property
    def uses(self) -> Uses:
        """An evaluator."""
        return "objective"

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse a granularity that is neither heads nor layers of heads."""
        check_unit(self.name, methods)

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """Return the settings and the objective."""
        return settings_of(self, methods)

    def parts(self, context: Context) -> Sequence[int]:
        """Return the layers, stack after stack."""
        return range(len(Groups.of(context.evaluator(self._attention).heads, context).layers))

    def part_name(self, context: Context, part: int) -> str:
        """Return the name of a part in the log."""
        groups = Groups.of(context.evaluator(self._attention).heads, context)
        cell = groups.cells[groups.layers[part].start]
        return " ".join(str(word) for word in (cell["stack"], "layer", cell["layer"]) if word is not None)

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Return all ablations of one layer."""
        ready = context.evaluator(self._attention)
        groups = Groups.of(ready.heads, context)
        chosen = groups.layers[part]
        evaluator = self._evaluator(ready)
        same = shared_labels(context, ready)
        rows: list[dict[str, object]] = []
        for kind in self.kinds:
            if kind == "only_one" and context.methods.granularity.unit == "attention":
                continue
            masks = _masks(kind, groups, chosen)
            found = {split: evaluator.answers(split, masks) for split in ("dev", "test")}
            if part == 0 and kind == self.kinds[0]:
                warn_of_dev(self.name, ready, found["dev"], context.seed, chooses=False)
            of_kind = list(self._rows(ready, found, groups.cells[chosen], kind, context.seed))
            rows += of_kind
            if kind == "only_one":
                rows.append(_only_best(of_kind, ready.metrics[0]))
        return as_frame([{**same, **row} for row in rows])

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with ranks of the heads."""
        return with_ranks(frame)

    @property
    def _main(self) -> AblationKind:
        return "leave_one_out" if "leave_one_out" in self.kinds else "only_one"

    @property
    def _attention(self) -> Attention:
        return "eager" if self.how == "uniform" else "sdpa"

    def _evaluator(self, ready: Evaluator) -> MaskedEvaluator:
        from probing.ablations.evaluate import MaskedEvaluator
        from probing.ablations.reference import reference_means

        means = reference_means(ready, self.reference) if self.how == "mean" else None
        return MaskedEvaluator(ready, self.how, means)

    def _rows(
        self,
        ready: Evaluator,
        found: Mapping[str, Answers],
        cells: Sequence[Mapping[str, object]],
        kind: str,
        seed: int,
    ) -> Iterator[dict[str, object]]:
        from probing.ablations.differences import differences

        for metric in dict.fromkeys((ready.metrics[0], "loss")):
            test = differences(ready, found["test"], metric, seed)
            dev = differences(ready, found["dev"], metric, seed)
            main = kind == self._main and metric == ready.metrics[0]
            for place, cell in enumerate(cells):
                yield {
                    **cell,
                    "variant": kind,
                    "fill": self.how,
                    "main": main,
                    "metric": metric,
                    **_scores(test, dev, place),
                }


def _scores(test: Differences, dev: Differences, place: int) -> dict[str, object]:
    return {
        "full": test.full,
        "test": test.scores[place],
        "dev": dev.scores[place],
        "value": test.deltas[place],
        "value_low": test.low[place],
        "value_high": test.high[place],
    }


def _masks(kind: AblationKind, groups: Groups, chosen: slice) -> NDArray[np.bool_]:
    """Return the mask of the full model, then one mask for every group of a layer."""
    members = groups.members[chosen]
    masks = np.ones((1 + len(members), len(groups.heads)), dtype=bool)
    layer = np.concatenate(members)
    for mask, places in zip(masks[1:], members, strict=True):
        if kind == "leave_one_out":
            mask[places] = False
        else:
            mask[layer] = False
            mask[places] = True
    return masks


def _only_best(rows: Sequence[dict[str, object]], metric: str) -> dict[str, object]:
    """Return the only head with the best dev score, with its test scores; the lower loss breaks ties."""
    of_metric = [row for row in rows if row["metric"] == metric]
    losses = {row["head"]: row["dev"] for row in rows if row["metric"] == "loss"}
    sign = -1 if metric == "loss" else 1
    best = max(of_metric, key=lambda row: (sign * float(str(row["dev"])), -float(str(losses[row["head"]]))))
    return {**best, "variant": "only_best", "main": False}
