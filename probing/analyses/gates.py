"""Learned gates: the heads that a model keeps under a penalty on open heads (Voita et al. 2019)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.caution import warn_of_dev
from probing.analyses.groups import Groups, check_unit, settings_of, shared_labels, with_ranks
from probing.errors import ProbingError
from probing.results.finding import Finding, Picture, all_rows
from probing.results.schema import as_frame
from probing.results.select import of_variant, selected_gates
from probing.results.text.curves import gates_summary, gates_text
from probing.results.text.reports import gates_report
from probing.tasks.task import Task
from probing.validation.ranges import Count, Entries, Most, Positive, ZeroOrMore, check_ranges

if TYPE_CHECKING:
    from torch import nn

    from probing.ablations.learned_gates import Gates
    from probing.objectives.objective import Evaluator

log = logging.getLogger(__name__)
FINDING = Finding(
    measure="gate",
    range="from 0 to 1",
    variant="gate",
    best="largest gate",
    counted="gates open",
    ranked_on="train",
    kind="use",
    place=3,
    offered=lambda rows: of_variant(rows, "gate"),
    text=gates_text,
    line=gates_summary,
    report=gates_report,
    pictures=(
        Picture("grid", rows=lambda rows: of_variant(rows, "gate")),
        Picture("path", "path", all_rows, sweep="path"),
    ),
    absent=("a path over lambda", "draw_path"),
)
_ASK = "name some, as in analysis.lambdas=[0.001,0.01]"


@dataclass(frozen=True)
class GatesAnalysis:
    """Learn a hard concrete gate for every head, for a path of penalties; see `learn_gates`.

    Variants of the rows: `gate` for the gates without noise, `open` for the probabilities that they are open,
    `path` for the number of gates above 0 and the score of the model under them, `full` for the model without
    gates. Column `penalty` is λ.

    Attributes:
        lambdas: Cost of an open gate, in the unit of the loss; λ multiplies the sum over heads.
        frozen: Whether only the gates are trained. Otherwise the model is trained too, for each λ from its
            original weights, which are restored afterwards. Scores are then those of the trained weights.
        steps: Number of training steps for each λ.
        batch: Maximum number of examples in a step.
        rate: Learning rate of the gates' log α.
        weight_rate: Learning rate of the model, if it is not frozen.
    """

    lambdas: Annotated[tuple[ZeroOrMore, ...], Entries(100, what=_ASK)] = (0.001, 0.003, 0.01, 0.03, 0.1)
    frozen: bool = True
    steps: Annotated[Count, Most(100_000)] = 600
    batch: Annotated[Count, Most(10_000)] = 32
    rate: Positive = 0.1
    weight_rate: Positive = 2e-5

    def __post_init__(self) -> None:
        """Refuse settings out of their range; sort λ and drop duplicates."""
        check_ranges(self, "analysis")
        object.__setattr__(self, "lambdas", tuple(sorted({float(f"{each:g}") for each in self.lambdas})))

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "gates"

    @property
    def uses(self) -> Uses:
        """An evaluator."""
        return "objective"

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse a granularity other than heads."""
        check_unit(self.name, methods, ("head",))

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """Return the settings and the objective."""
        # the version shows that rows have the full model's dev score, against which lambda is selected
        return {**settings_of(self, methods), "version": 2}

    def parts(self, context: Context) -> Sequence[int]:
        """Return one part for each λ."""
        return range(len(self.lambdas))

    def part_name(self, context: Context, part: int) -> str:
        """Return the name of a part in the log."""
        return f"lambda {self.lambdas[part]:g}"

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Train under one λ, and score the model under the gates.

        Raises:
            ProbingError: If the model is to be trained in half precision.
        """
        from probing.ablations.evaluate import MaskedEvaluator

        ready = context.evaluator()
        groups = Groups.of(ready.heads, context)
        penalty = self.lambdas[part]
        whole = np.ones(len(ready.heads))
        # dev of the full model is reported, and warned of, once
        splits = ("dev", "test") if part == 0 else ("test",)
        full = {split: MaskedEvaluator(ready).answers(split, whole[None]) for split in splits}
        of_whole = {split: found.scores(ready)[0][ready.metrics[0]] for split, found in full.items()}
        if part == 0:
            warn_of_dev(self.name, ready, full["dev"], context.seed)
        with self._weights(ready) as weights:
            gates = self._learned(context, ready, penalty, weights)
            values = _all_gates(groups, gates)
            scores = {split: _score(ready, split, values) for split in ("dev", "test")}
        _tell(gates, penalty)
        rows: list[dict[str, object]] = [
            {**cell, "variant": variant, "penalty": penalty, "metric": "gate", "value": value}
            for variant, found in (("gate", gates.levels), ("open", gates.p_open))
            for cell, value in zip(groups.cells, found, strict=True)
        ]
        path = {"variant": "path", "penalty": penalty, "n_heads": int((values > 0).sum())}
        named = {"metric": ready.metrics[0], "full": of_whole["test"]}
        rows.append({**path, **named, **scores})
        if part == 0:
            rows.append({"variant": "full", **named, "n_heads": len(whole), **of_whole})
        same = {**shared_labels(context, ready), "n_train": len(ready.task.rows("train"))}
        return as_frame([{**same, **row} for row in rows])

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the rows with ranks of the heads and with a mark on the gates of the λ selected on dev."""
        return with_ranks(frame).assign(main=selected_gates(frame).astype("boolean"))

    @contextmanager
    def _weights(self, ready: Evaluator) -> Iterator[Sequence[nn.Parameter]]:
        """Return the parameters of the model that are trained."""
        import torch

        from probing.ablations.learned_gates import own_weights

        if self.frozen:
            yield ()
            return
        if ready.model.dtype != torch.float32:
            raise ProbingError("analysis.frozen=false trains the model; use extract.dtype=float32")
        with own_weights(ready.model) as weights:
            yield weights

    def _learned(
        self, context: Context, ready: Evaluator, penalty: float, weights: Sequence[nn.Parameter]
    ) -> Gates:
        """Return the trained gates; the dev score is logged half way and at the end."""
        from probing.ablations.learned_gates import Training, learn_gates

        groups = Groups.of(ready.heads, context)
        training = Training(penalty, self.steps, self.batch, self.rate, self.weight_rate)
        heads = ready.heads.of_layers(context.methods.granularity.layers)
        for gates, loss in learn_gates(ready, heads, training, context.seed, weights, stages=2):
            dev = _score(ready, "dev", _all_gates(groups, gates))
            log.info(
                "gates: lambda %g: %d of %d open, train loss %.3f, dev %s %.3f",
                penalty, (gates.levels > 0).sum(), len(heads), loss, ready.metrics[0], dev,
            )  # fmt: skip
        return gates


def _all_gates(groups: Groups, gates: Gates) -> NDArray[np.float64]:
    """Return gates for all heads of the model; those of other layers than the requested ones stay open."""
    found = np.ones(len(groups.heads))
    found[np.concatenate(groups.members)] = gates.levels
    return found


def _score(ready: Evaluator, split: str, gates: NDArray[np.float64]) -> float:
    from probing.ablations.evaluate import MaskedEvaluator

    return MaskedEvaluator(ready).answers(split, gates[None]).scores(ready)[0][ready.metrics[0]]


def _tell(gates: Gates, penalty: float) -> None:
    """Warn about gates that training left between open and closed."""
    if gates.undecided:
        log.warning(
            "gates: lambda %g: %d of %d are neither open nor closed (P(open) from 0.05 to 0.95); "
            "raise analysis.steps if there are many",
            penalty, gates.undecided, len(gates.log_alpha),
        )  # fmt: skip
