"""Masking: the score as more and more heads are masked, by several rankings (Michel et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.caution import warn_of_dev
from probing.analyses.groups import Groups, check_unit, settings_of, shared_labels
from probing.analyses.orders import ORDERS, at_random
from probing.results.finding import Finding, Picture, all_rows
from probing.results.schema import as_frame
from probing.results.text.curves import masking_summary, masking_text
from probing.results.text.reports import masking_report
from probing.tasks.task import Task
from probing.validation.ranges import Count, Entries, Most, Share, check_ranges

if TYPE_CHECKING:
    from probing.ablations.evaluate import Answers, MaskedEvaluator
    from probing.objectives.objective import Evaluator

FINDING = Finding(
    measure="difference",
    difference=True,
    offered=lambda rows: rows.iloc[:0],
    text=masking_text,
    line=masking_summary,
    report=masking_report,
    pictures=(Picture("masking", "masking", all_rows, sweep="masking"),),
    absent=("a masking curve", "draw_masking"),
)
Ranking = Literal["iterative", "importance", "ablation", "probe", "random"]
_Rankings = Annotated[
    tuple[Ranking, ...], Entries(20, what="name some, as in analysis.rankings=[importance]")
]


@dataclass(frozen=True)
class MaskingAnalysis:
    """Mask heads, those with the smallest effect first, and score the model after every step.

    Nothing is trained. Rankings are made on dev. `iterative` computes importance again after every step, and
    ends after the first step that leaves less than the threshold on dev. The others sort once and mask all
    heads.

    Attributes:
        rankings: Rankings by which heads are masked.
        step: Share of the heads that is masked at a time.
        threshold: Share of the full model's dev score at which `iterative` ends; for a loss its inverse.
        draws: Number of random orders.
    """

    rankings: _Rankings = ("iterative", "importance", "ablation", "probe", "random")
    step: Share = 0.1
    threshold: Share = 0.9
    draws: Annotated[Count, Most(100)] = 3

    def __post_init__(self) -> None:
        """Refuse settings out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "masking"

    @property
    def uses(self) -> Uses:
        """An evaluator."""
        return "objective"

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse a granularity that is neither heads nor layers, and a task that the probe cannot learn."""
        check_unit(self.name, methods)
        if "probe" in self.rankings:
            methods.probe.check(task)

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """Return the settings, the objective, and the probe if it ranks."""
        from probing.analyses.probe import ProbeAnalysis

        ranked_by = ProbeAnalysis().depends_on(methods)["probe"] if "probe" in self.rankings else None
        return {**settings_of(self, methods), "probe": ranked_by}

    def parts(self, context: Context) -> Sequence[int]:
        """Return one part for each ranking."""
        return range(len(self.rankings))

    def part_name(self, context: Context, part: int) -> str:
        """Return the name of a part in the log."""
        return f"ranking {self.rankings[part]}"

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Return the curve of one ranking."""
        from probing.ablations.evaluate import MaskedEvaluator

        ranking = self.rankings[part]
        ready = context.evaluator()
        groups = Groups.of(ready.heads, context)
        evaluator = MaskedEvaluator(ready)
        rows: list[dict[str, object]] = []
        for draw, masks in self._masks(ranking, context, evaluator, groups):
            found = {split: evaluator.answers(split, masks) for split in ("dev", "test")}
            if part == 0 and not rows:
                warn_of_dev(self.name, ready, found["dev"], context.seed)
            named = {"variant": ranking, "main": False, "draw": draw}
            rows += [{**row, **named} for row in _rows(ready, masks, found, context)]
        same = shared_labels(context, ready)
        return as_frame([{**same, **row} for row in rows])

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows unchanged."""
        return frame

    def _masks(
        self, ranking: Ranking, context: Context, evaluator: MaskedEvaluator, groups: Groups
    ) -> Iterator[tuple[int | None, NDArray[np.bool_]]]:
        """Return the masks of a ranking, for every draw of a random one."""
        from probing.ablations.curve import cumulative

        n = len(groups.heads)
        if ranking == "iterative":
            yield None, np.stack(list(self._iterated(evaluator, groups, context)))
        elif ranking == "random":
            for draw in range(self.draws):
                yield draw, cumulative(at_random(context, groups, draw), groups.members, n, self.step)
        else:
            yield None, cumulative(ORDERS[ranking](context, groups), groups.members, n, self.step)

    def _iterated(
        self, evaluator: MaskedEvaluator, groups: Groups, context: Context
    ) -> Iterator[NDArray[np.bool_]]:
        from probing.ablations.curve import iterative, keeps

        ready = evaluator.ready
        metric, full = ready.metrics[0], None
        importance = partial(_importance_under, ready, groups, context)
        for mask in iterative(importance, groups.members, len(groups.heads), self.step):
            yield mask
            score = evaluator.answers("dev", mask[None]).scores(ready)[0][metric]
            full = score if full is None else full
            if not keeps(score, full, self.threshold, metric):
                return


def _importance_under(
    ready: Evaluator, groups: Groups, context: Context, mask: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the importance per example of every group on dev under a mask, divided by its layer's norm."""
    import torch

    from probing.ablations.gradients import by_layer, importance_sums
    from probing.models.masking import masked

    kept = torch.from_numpy(mask)[None].to(ready.model.device)
    losses = (partial(_loss, ready, batch) for batch in ready.batches("dev"))
    with masked(ready.model, ready.heads, kept):
        sums = importance_sums(
            ready.model,
            losses,
            ready.heads.of_layers(context.methods.granularity.layers),
            whole_layers=context.methods.granularity.unit == "attention",
        )
    return by_layer(sums.per_example, groups.layers)


def _loss(ready: Evaluator, batch: Any) -> Any:  # noqa: ANN401
    return ready.run(batch).loss


def _rows(
    ready: Evaluator, masks: NDArray[np.bool_], found: Mapping[str, Answers], context: Context
) -> Iterator[dict[str, object]]:
    """Return a row for each mask; the first mask is that of the full model."""
    from probing.ablations.differences import differences

    metric = ready.metrics[0]
    test = differences(ready, found["test"], metric, context.seed)
    dev = [scores[metric] for scores in found["dev"].scores(ready)]
    of_test = np.concatenate([[test.full], test.scores])
    low, high = (np.concatenate([[0.0], ends]) for ends in (test.low, test.high))
    for step, mask in enumerate(masks):
        yield {
            "n_heads": int(mask.sum()),
            "heads": ready.heads.names(np.flatnonzero(mask)),
            "metric": metric,
            "dev": dev[step],
            "test": of_test[step],
            "full": test.full,
            "value": of_test[step] - test.full,
            "value_low": low[step],
            "value_high": high[step],
        }
