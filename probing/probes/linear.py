"""Common parts of linear probes: fits on any rows, selection of L2, and prediction of test."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from probing.io.lazy import torch
from probing.probes.coding import Coding, log_softmax
from probing.probes.contract import Fit
from probing.probes.l2_choice import check_trains, choose, predict
from probing.probes.nested import join_outer, outer_problems
from probing.probes.scaling import check_finite
from probing.probes.shares import over_units
from probing.statistics.folds import inner_splits
from probing.statistics.metrics import score
from probing.tasks.problem import Problem, Rows
from probing.tasks.target import Target, one_answer
from probing.tasks.task import Features, Task
from probing.validation.ranges import Penalties, check_ranges

# bytes that training one group of units may use
GROUP_BYTES = 4 << 30


@dataclass(frozen=True)
class Linear(ABC):
    """A linear probe with a penalty on its weights, fitted for all L2 values.

    Attributes:
        l2: Candidate values of λ.
        standardize: Whether to scale every feature to unit variance on train.
        probabilistic: Whether the softmax of the outputs is the probability of each class.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: Penalties = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    standardize: bool = True
    features: ClassVar[Features | None] = None
    probabilistic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Convert lists from configuration files to tuples, and reject invalid settings."""
        object.__setattr__(self, "l2", tuple(map(float, self.l2)))
        check_ranges(self, "probe")

    @property
    @abstractmethod
    def name(self) -> str:
        """As on the command line."""

    @abstractmethod
    def train(
        self, vectors: torch.Tensor, target: torch.Tensor, k: int, start: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Fit every L2 value for every unit.

        Args:
            vectors: float32 (u, n, dim).
            target: See `Coding.target`; every class below `k` has a row, and every anchor a share.
            k: Number of outputs.
            start: Weights of a similar problem, from which an iterative solver may start.

        Returns:
            Weights for the vectors as given, float64 (u, l, k, dim + 1), the bias last.
        """

    def coding(self, target: Target, device: torch.device) -> Coding:
        """Return the encoding of a target for this probe."""
        return Coding.of_shares(target, device)

    def check(self, task: Task) -> None:
        """Reject a task without train examples, and several labels of an example; see `Probe.check`."""
        check_trains(task.selection)
        one_answer(task.target, f"probe={self.name}", "probe=logistic")

    def fit(self, vectors: torch.Tensor, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """Select the L2 value without using test, then predict test once.

        Among equal scores the stronger regularisation wins. Large batches are fitted group by group.

        Args:
            vectors: float32 (u, n, dim), on the device to compute on; not modified.
            problem: Targets and splits of the n rows.
            log_probabilities: Whether to return log-probabilities as well, see `Fit`.

        Raises:
            ProbingError: If a vector contains NaN or infinity, naming its unit; if there are no train
                examples.
        """
        check_trains(problem.selection)
        check_finite(vectors)
        coding = self.coding(problem.target, vectors.device)
        wanted = log_probabilities and self.probabilistic and coding.has_classes
        return self.in_groups(vectors, problem, coding.k, partial(self._fit_group, coding, problem, wanted))

    def in_groups(
        self, vectors: torch.Tensor, problem: Problem, k: int, work: Callable[[torch.Tensor], Fit]
    ) -> Fit:
        """Fit groups of units, as many at a time as memory allows, and join what they give.

        Args:
            vectors: float32 (u, n, dim).
            problem: Targets and splits of the n rows.
            k: Number of outputs of a fit.
            work: Fits some of the units.
        """
        numbers = len(problem.train) * (vectors.shape[2] + 1)
        weights = len(self.l2) * k * (vectors.shape[2] + 1)
        size = max(1, GROUP_BYTES // (12 * numbers + (320 + 16 * problem.folds) * weights))
        fits = []
        for group in torch.split(vectors, size):
            fits += over_units(partial(_on_units, work, group), len(group), vectors.device)
        return fits[0] if len(fits) == 1 else _join(fits)

    def fit_rows(
        self, vectors: torch.Tensor, coding: Coding, rows: Rows, start: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Train on some rows; return weights, float64 (u, l, k, dim + 1).

        An output that these rows never use gets weight 0 and bias −∞, as at the optimum.
        """
        seen, target = seen_outputs(coding.rows(rows), coding.k)
        full = vectors.new_zeros(
            len(vectors), len(self.l2), coding.k, vectors.shape[2] + 1, dtype=torch.float64
        )
        full[..., -1] = -torch.inf
        full[:, :, seen] = 0
        # with one class, or the whole share in one anchor, there is nothing to fit
        if len(seen) > 1 or coding.k == 1:
            part = None if start is None else start[:, :, seen]
            full[:, :, seen] = self.train(take(vectors, rows), target, len(seen), part)
        return full

    def fit_folds(
        self,
        vectors: torch.Tensor,
        coding: Coding,
        folds: Sequence[Rows],
        start: torch.Tensor | None = None,
    ) -> Iterator[torch.Tensor]:
        """Yield `fit_rows` of each set of rows; the sets overlap, as the training parts of a k-fold.

        Args:
            vectors: float32 (u, n, dim).
            coding: Encoding of the target.
            folds: Rows of each fit.
            start: Weights fitted to all of these rows together, if available.
        """
        for rows in folds:
            yield self.fit_rows(vectors, coding, rows, start)

    def settle(
        self, vectors: torch.Tensor, coding: Coding, rows: Rows, weights: torch.Tensor, l2: torch.Tensor
    ) -> torch.Tensor:
        """Take selected fits to the optimum on some rows, if training stops short of it.

        Args:
            vectors: float32 (u, n, dim).
            coding: Encoding of the target.
            rows: Rows that they were trained on.
            weights: float64 (u, 1, k, dim + 1).
            l2: float64 (u, 1), the value of λ of each.
        """
        del vectors, coding, rows, l2
        return weights

    def _fit_group(self, coding: Coding, problem: Problem, wanted: bool, vectors: torch.Tensor) -> Fit:
        if problem.selection != "nested":
            final = self.fit_rows(vectors, coding, problem.train)
            return self._choose(vectors, coding, problem, final, wanted)
        outer = outer_problems(problem)
        finals = self.fit_folds(vectors, coding, [fold.train for fold in outer])
        fits = [
            self._choose(vectors, coding, fold, final, wanted)
            for fold, final in zip(outer, finals, strict=True)
        ]
        return join_outer(problem, outer, fits)

    def _choose(
        self, vectors: torch.Tensor, coding: Coding, problem: Problem, final: torch.Tensor, wanted: bool
    ) -> Fit:
        """Return the fit to all of train with the L2 value that scores best on the selection rows."""
        splits = inner_splits(problem)
        parts = [fit for fit, _ in splits]
        trained = [final] if problem.selection == "dev" else self.fit_folds(vectors, coding, parts, final)
        scores = [
            score(
                predict(weights, take(vectors, held), coding.read),
                gold(problem, held, vectors),
                problem.metric,
            )
            for weights, (_, held) in zip(trained, splits, strict=True)
        ]
        best, dev = choose(torch.stack(scores).mean(0), self.l2)
        chosen = final[torch.arange(len(final), device=best.device), best].unsqueeze(1)
        l2 = torch.tensor(self.l2, dtype=torch.float64, device=best.device)[best]
        chosen = self.settle(vectors, coding, problem.train, chosen, l2.unsqueeze(1))
        test = take(vectors, problem.test)
        return Fit(
            dev=dev.cpu().numpy(),
            l2=l2.cpu().numpy(),
            predictions=predict(chosen, test, coding.read)[:, 0].cpu().numpy(),
            weights=chosen[:, 0, :, :-1].float().cpu().numpy(),
            bias=chosen[:, 0, :, -1].float().cpu().numpy(),
            log_probabilities=predict(chosen, test, log_softmax)[:, 0].cpu().numpy() if wanted else None,
        )


def _on_units(work: Callable[[torch.Tensor], Fit], vectors: torch.Tensor, units: slice) -> Fit:
    return work(vectors[units])


def take(vectors: torch.Tensor, rows: Rows) -> torch.Tensor:
    """Return some rows of vectors (u, n, dim)."""
    return vectors.index_select(1, torch.from_numpy(rows).to(vectors.device))


def gold(problem: Problem, rows: Rows, vectors: torch.Tensor) -> torch.Tensor:
    """Return the classes or scores of some rows, on the vectors' device."""
    return torch.from_numpy(problem.gold[rows]).to(vectors.device)


def seen_outputs(target: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the outputs that occur in a target, and the target in terms of these."""
    if target.dtype == torch.int64:
        present, index = torch.unique(target, return_inverse=True)
        return present, index
    shared = target.any(0).nonzero().squeeze(1) if k > 1 else torch.arange(1, device=target.device)
    return shared, target[:, shared]


def _join(fits: list[Fit]) -> Fit:
    chances = [fit.log_probabilities for fit in fits if fit.log_probabilities is not None]
    names = ("dev", "l2", "predictions", "weights", "bias")
    return Fit(
        **{name: np.concatenate([getattr(fit, name) for fit in fits]) for name in names},
        log_probabilities=np.concatenate(chances) if chances else None,
    )
