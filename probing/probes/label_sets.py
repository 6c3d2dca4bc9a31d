"""Several labels for each example: one problem of two classes for each label, with one L2 value for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from probing.io.lazy import torch
from probing.probes.coding import Coding, log_softmax
from probing.probes.contract import Fit
from probing.probes.l2_choice import check_trains, choose, predict
from probing.probes.linear import Linear, gold, take
from probing.probes.nested import join_outer, outer_problems
from probing.probes.scaling import check_finite
from probing.statistics.folds import inner_splits
from probing.statistics.metrics import score
from probing.tasks.problem import Problem, Rows
from probing.tasks.target import Labels
from probing.tasks.task import Task


@dataclass(frozen=True)
class LabelSets(Linear):
    """A linear probe of classes that also predicts several labels for each example.

    Every label is a problem of its own, with the classes "no" and "yes"; an example gets each label whose
    probability is above one half. All labels share one L2 value, which is selected for each unit by
    the task's metric of all labels together.
    """

    def check(self, task: Task) -> None:
        """Reject a task without train examples; see `Probe.check`."""
        check_trains(task.selection)

    def fit(self, vectors: torch.Tensor, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """Select the L2 value without using test, then predict test once; see `Linear.fit`."""
        if not isinstance(problem.target, Labels):
            return super().fit(vectors, problem, log_probabilities=log_probabilities)
        check_trains(problem.selection)
        check_finite(vectors)
        # the weights of all labels are kept until the L2 value is selected
        k = 2 * len(problem.target.names)
        work = partial(self._fit_labels, problem, log_probabilities)
        return self.in_groups(vectors, problem, k, work)

    def _fit_labels(self, problem: Problem, wanted: bool, vectors: torch.Tensor) -> Fit:
        target = problem.target
        assert isinstance(target, Labels)
        if problem.selection == "nested":
            outer = outer_problems(problem)
            return join_outer(problem, outer, [self._fit_labels(fold, wanted, vectors) for fold in outer])
        codings = [
            Coding.of_shares(target.of_label(place), vectors.device) for place in range(len(target.names))
        ]
        finals = [self.fit_rows(vectors, coding, problem.train) for coding in codings]
        best, dev = choose(self._scores(vectors, codings, problem, finals), self.l2)
        l2 = torch.tensor(self.l2, dtype=torch.float64, device=best.device)[best]
        units, test = torch.arange(len(vectors), device=best.device), take(vectors, problem.test)
        chosen = [
            self.settle(vectors, coding, problem.train, final[units, best].unsqueeze(1), l2.unsqueeze(1))
            for coding, final in zip(codings, finals, strict=True)
        ]
        odds = torch.stack([fit[:, 0, 1] - fit[:, 0, 0] for fit in chosen], 1).float().cpu().numpy()
        chances = [predict(fit, test, log_softmax)[:, 0] for fit in chosen] if wanted else []
        return Fit(
            dev=dev.cpu().numpy(),
            l2=l2.cpu().numpy(),
            predictions=torch.stack([predict(fit, test)[:, 0] == 1 for fit in chosen], 2).cpu().numpy(),
            weights=odds[..., :-1],
            bias=odds[..., -1],
            log_probabilities=torch.stack(chances, 2).cpu().numpy() if wanted else None,
        )

    def _scores(
        self, vectors: torch.Tensor, codings: Sequence[Coding], problem: Problem, finals: list[torch.Tensor]
    ) -> torch.Tensor:
        """Return the score of every L2 value on the selection rows; float64 (u, l)."""
        splits = inner_splits(problem)
        parts = [fit for fit, _ in splits]
        answers: list[list[torch.Tensor]] = [[] for _ in splits]
        for coding, final in zip(codings, finals, strict=True):
            trained = (
                iter([final])
                if problem.selection == "dev"
                else self._fit_parts(vectors, coding, parts, final)
            )
            for place, (weights, (_, held)) in enumerate(zip(trained, splits, strict=True)):
                answers[place].append(predict(weights, take(vectors, held)) == 1)
        scores = [
            score(torch.stack(of_labels, 3), gold(problem, held, vectors), problem.metric)
            for of_labels, (_, held) in zip(answers, splits, strict=True)
        ]
        return torch.stack(scores).mean(0)

    def _fit_parts(
        self, vectors: torch.Tensor, coding: Coding, parts: Sequence[Rows], final: torch.Tensor
    ) -> Iterator[torch.Tensor]:
        """Yield fits to overlapping parts of train; a label may be on no example of a part, or on all."""
        if all(len(np.unique(coding.rows(rows).cpu())) == 2 for rows in parts):
            return self.fit_folds(vectors, coding, parts, final)
        return (self.fit_rows(vectors, coding, rows, final) for rows in parts)
