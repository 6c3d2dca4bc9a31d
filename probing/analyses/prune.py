"""Pruning: heads are masked as far as the score allows, then cut out; the model is saved and measured."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.caution import warn_of_dev
from probing.analyses.groups import check_unit, settings_of, shared_labels
from probing.analyses.masking import MaskingAnalysis, Ranking
from probing.errors import ProbingError
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.text.curves import prune_summary, prune_text
from probing.results.text.reports import prune_report
from probing.tasks.task import Task
from probing.validation.ranges import Count, Most, Share, check_ranges

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from probing.ablations.compact import Compact
    from probing.ablations.evaluate import Answers
    from probing.objectives.objective import Evaluator

log = logging.getLogger(__name__)
FINDING = Finding(
    measure="kept",
    digits=0,
    range="from 0 to 1",
    variant="kept",
    counted="heads kept",
    steps=("removed", "kept"),
    offered=lambda rows: rows.iloc[:0],
    text=prune_text,
    line=prune_summary,
    report=prune_report,
    pictures=(Picture("grid", sweep="prune"),),
)
_TIMED = 20  # batches


@dataclass(frozen=True)
class PruneAnalysis:
    """Cut the heads with the smallest effect out of the model.

    Attributes:
        ranking: Ranking by which heads are cut; see `MaskingAnalysis`.
        threshold: Share of the full model's dev score to keep; as many heads are cut as it allows.
        share: Share of heads to cut regardless of the score; None uses the threshold.
        step: Share of the heads that is masked at a time.
        rounds: Number of rounds in which the models are timed in turns.
    """

    ranking: Ranking = "iterative"
    threshold: Share = 0.9
    share: Share | None = None
    step: Share = 0.1
    rounds: Annotated[Count, Most(1000)] = 5

    def __post_init__(self) -> None:
        """Refuse settings out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "prune"

    @property
    def uses(self) -> Uses:
        """An evaluator."""
        return "objective"

    @property
    def _masking(self) -> MaskingAnalysis:
        # without a threshold the iterative loop masks all heads
        threshold = self.threshold if self.share is None else 1e-9
        return MaskingAnalysis((self.ranking,), self.step, threshold, draws=1)

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse a granularity that is neither heads nor layers of heads."""
        check_unit(self.name, methods)
        self._masking.check(task, methods)

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """Return the settings, the objective, and the probe if it ranks."""
        return {**self._masking.depends_on(methods), **settings_of(self, methods)}

    def parts(self, context: Context) -> Sequence[int]:
        """Return a single part."""
        return [0]

    def part_name(self, context: Context, part: int) -> str:
        """Return the name of a part in the log."""
        return f"by {self.ranking}"

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Mask heads, cut them out, compare the models and save the smaller one.

        Raises:
            ProbingError: If no head can be cut.
        """
        from probing.ablations.compact import compact, seconds_each

        ready = context.evaluator()
        if ready.reads_heads:
            raise ProbingError(
                "analysis=prune: the classifier reads single heads, so these cannot be cut out; "
                "fine-tune with --read last, or use objective=readout"
            )
        whole_answers = _answers(ready, np.ones(len(ready.heads), dtype=bool))
        # the curve may come from an earlier run, whose warnings are not shown again
        warn_of_dev(self.name, ready, whole_answers["dev"], context.seed)
        curve = context.result(context.methods.granularity.unit, None, self._masking)
        mask = self._chosen(ready, curve)
        whole = copy.deepcopy(ready.model)
        scores = [
            _score_row(ready, "full", len(mask), whole_answers),
            _score_row(ready, "masked", int(mask.sum()), _answers(ready, mask)),
        ]
        sizes = [_size(whole)]
        done = compact(ready.model, ready.heads, mask)
        log.info("heads: %d cut, %d silenced, of %d", done.cut, done.silenced, len(mask))
        sizes.append(_size(ready.model))
        # all heads of the pruned model are open
        left = _answers(ready, np.ones_like(mask))
        scores.append(_score_row(ready, "pruned", int(mask.sum()), left))
        full = scores[0]["test"]
        rows = [{**row, "full": full, "value": row["test"] - full} for row in scores]
        times = seconds_each([whole, ready.model], ready.batches("test")[:_TIMED], self.rounds)
        for name, (count, size), seconds in zip(("full", "pruned"), sizes, times, strict=True):
            rows += _report(name, {"parameters": count, "megabytes": size, "seconds": seconds})
        rows += _report("pruned", {"silenced": done.silenced})
        cells = zip(ready.heads.cells, mask, strict=True)
        rows += [
            {**cell, "n_heads": 1, "variant": "kept", "main": True, "metric": "kept", "value": float(kept)}
            for cell, kept in cells
        ]
        self._save(context, done, ready)
        return as_frame([{**shared_labels(context, ready), **row} for row in rows])

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows unchanged."""
        return frame

    def _chosen(self, ready: Evaluator, curve: pd.DataFrame) -> NDArray[np.bool_]:
        """Return the mask of the curve that reaches the share, or the last one that keeps the score."""
        from probing.ablations.curve import keeps

        steps = curve[curve["draw"].fillna(0) == 0].sort_values("n_heads", ascending=False)
        n, full = int(steps["n_heads"].iloc[0]), float(steps["dev"].iloc[0])
        if self.share is not None:
            kept = (n - steps["n_heads"] <= round(self.share * n)).to_numpy(dtype=bool)
        else:
            fine = [keeps(float(dev), full, self.threshold, ready.metrics[0]) for dev in steps["dev"]]
            kept = np.logical_and.accumulate(fine)
        chosen = steps[kept].iloc[-1]
        if int(chosen["n_heads"]) == n:
            raise ProbingError(
                f"the first step of ranking {self.ranking} leaves less than {self.threshold:.0%} of the "
                "score; lower analysis.threshold, or analysis.step"
            )
        names = set(str(chosen["heads"]).split()) if pd.notna(chosen["heads"]) else set()
        return np.array([ready.heads.names([place]) in names for place in range(len(ready.heads))])

    def _save(self, context: Context, done: Compact, ready: Evaluator) -> None:
        from probing.models.padding import padding_as_saved
        from probing.models.saving import save_pruned

        with padding_as_saved(ready.model):
            save_pruned(ready.model, context.folder, done.pruned)
        ready.tokenizer.save_pretrained(context.folder)
        apart = done.pruned.removed.smaller
        log.info(
            "pruned model: %s (model=hf model.name=…)%s",
            context.folder,
            "; load it with probing.load_pruned, since plain transformers loads it wrongly" if apart else "",
        )


def _answers(ready: Evaluator, mask: NDArray[np.bool_]) -> dict[str, Answers]:
    """Return the answers under one mask, by split."""
    from probing.ablations.evaluate import MaskedEvaluator

    return {split: MaskedEvaluator(ready).answers(split, mask[None]) for split in ("dev", "test")}


def _score_row(
    ready: Evaluator, variant: str, n_heads: int, answers: Mapping[str, Answers]
) -> dict[str, Any]:
    metric = ready.metrics[0]
    scores = {split: found.scores(ready)[0][metric] for split, found in answers.items()}
    return {"variant": variant, "main": False, "n_heads": n_heads, "metric": metric, **scores}


def _size(model: PreTrainedModel) -> tuple[int, float]:
    """Return the number of parameters, and their size in megabytes."""
    parameters = list(model.parameters())
    numbers = sum(parameter.numel() for parameter in parameters)
    return numbers, sum(parameter.numel() * parameter.element_size() for parameter in parameters) / 1e6


def _report(name: str, values: Mapping[str, float]) -> list[dict[str, object]]:
    return [
        {"variant": name, "main": False, "metric": what, "value": float(value)}
        for what, value in values.items()
    ]
