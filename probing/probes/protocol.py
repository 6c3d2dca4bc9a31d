"""How SentEval chooses L2 and fits the final classifier, for all heads and L2 values together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from probing.probes.coding import log_softmax
from probing.probes.contract import Fit
from probing.probes.linear import gold, take
from probing.probes.losses import Loss
from probing.probes.nets import HiddenNet, Net
from probing.probes.scaling import Scaling
from probing.probes.sgd import Rows, Schedule, train
from probing.probes.shares import over_units
from probing.statistics.folds import inner_splits
from probing.statistics.metrics import score
from probing.tasks.problem import Problem

# share of train that stops the final probe early when the task has no dev split
EARLY_STOP_SHARE = 0.05


@dataclass(frozen=True)
class Recipe:
    """What is trained, how, and what it is chosen from.

    Attributes:
        loss: What is minimised.
        schedule: How training goes.
        net: What is trained, with its initial weights, for a seed.
        l2: Values of the weight decay to choose from.
        standardize: Scale vectors by statistics of the rows that a fit trains on.
        graded: Scores are asked for, not classes.
    """

    loss: Loss
    schedule: Schedule
    net: Callable[[int], Net]
    l2: tuple[float, ...]
    standardize: bool
    graded: bool


@dataclass(frozen=True)
class _View:
    """Vectors as one fit sees them: as they are, with a last feature of ones already, or scaled.

    Attributes:
        vectors: float32 (u, n, dim + 1), or (u, n, dim) with `scaling`, which adds the ones.
        scaling: What is done to them, if anything.
    """

    vectors: torch.Tensor
    scaling: Scaling | None = None

    def take(self, at: NDArray[np.int64]) -> torch.Tensor:
        """Features of some rows (u, n, dim + 1)."""
        rows = take(self.vectors, at)
        return rows if self.scaling is None else self.scaling.apply(rows)

    def rows(self, problem: Problem, at: NDArray[np.int64]) -> Rows:
        """The same with what is asked of them."""
        return Rows(self.take(at), gold(problem, at, self.vectors))

    def raw(self, weights: torch.Tensor) -> torch.Tensor:
        """Linear weights (u, l, k, dim + 1) for the vectors as they were given."""
        return weights if self.scaling is None else self.scaling.to_raw(weights.double()).float()


class Run:
    """The protocol on some vectors."""

    def __init__(self, recipe: Recipe, vectors: torch.Tensor) -> None:
        """Take float32 vectors (u, n, dim)."""
        self.recipe, self.vectors = recipe, vectors
        ones = vectors.new_ones(*vectors.shape[:2], 1)
        self.plain = None if recipe.standardize else _View(torch.cat([vectors, ones], 2))

    def fit(self, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """One choice of L2 and the final probe; log-probabilities of classes on request."""
        l2 = self.recipe.l2
        decay = torch.tensor(l2, device=self.vectors.device).repeat(len(self.vectors), 1)
        net = self.recipe.net(problem.seed)
        trained, views, scores = [], [], []
        for fit, held in inner_splits(problem):
            views.append(self._view(fit))
            rows, dev = views[-1].rows(problem, fit), views[-1].rows(problem, held)
            trained.append(self._train(net, rows, dev, decay, np.random.RandomState(problem.seed)))
            scores.append(score(self._predict(net, trained[-1], dev.features), dev.gold, problem.metric))
        mean = torch.stack(scores).mean(0)
        if not self.recipe.graded:
            # SentEval rounds to hundredths of a percent and takes the first of equals
            mean = mean.mul(100).round(decimals=2).div(100)
        best = (mean == mean.amax(1, keepdim=True)).int().argmax(1, keepdim=True)
        if problem.selection == "kfold":
            view, final = self._train_on_share(net, problem, decay.gather(1, best))
        else:
            # trained once more with the same seed and dev rows, the final probe would come out the same
            view, units = views[0], torch.arange(len(best), device=best.device)
            final = trained[0][units, best[:, 0]].unsqueeze(1)
        weights, bias = self._linear(net, view, final)
        outputs = net.outputs(final, view.take(problem.test))
        wanted = log_probabilities and not self.recipe.graded
        return Fit(
            dev=mean.gather(1, best)[:, 0].cpu().numpy(),
            l2=np.asarray(l2, dtype=np.float64)[best[:, 0].cpu().numpy()],
            predictions=self.recipe.loss.read(outputs)[:, 0].cpu().numpy(),
            weights=weights,
            bias=bias,
            log_probabilities=log_softmax(outputs)[:, 0].cpu().numpy() if wanted else None,
        )

    def _view(self, fit: NDArray[np.int64]) -> _View:
        """The vectors for a fit to some rows."""
        if self.plain is not None:
            return self.plain
        return _View(self.vectors, Scaling.of(take(self.vectors, fit), standardize=True))

    def _train(
        self, net: Net, rows: Rows, dev: Rows, decay: torch.Tensor, order: np.random.RandomState
    ) -> torch.Tensor:
        """Weights (u, l, …) trained on some rows and stopped on others."""
        state = order.get_state()

        def work(units: slice) -> torch.Tensor:
            same = np.random.RandomState()
            same.set_state(state)
            parts = Rows(rows.features[units], rows.gold), Rows(dev.features[units], dev.gold)
            return train(*parts, decay[units], net, self.recipe.loss, same, self.recipe.schedule)

        most = 1 if self.recipe.graded else None
        return torch.cat(over_units(work, len(decay), decay.device, most=most))

    def _train_on_share(self, net: Net, problem: Problem, decay: torch.Tensor) -> tuple[_View, torch.Tensor]:
        """Train on train less a random part, on which training is stopped."""
        order = np.random.RandomState(problem.seed)
        shuffled = problem.train[order.permutation(len(problem.train))]
        share = int(EARLY_STOP_SHARE * len(shuffled))
        view = self._view(shuffled[share:])
        rows, dev = view.rows(problem, shuffled[share:]), view.rows(problem, shuffled[:share])
        return view, self._train(net, rows, dev, decay, order)

    def _predict(self, net: Net, weights: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Answers for some rows (u, l, n): classes, int64, or scores, float64."""
        return self.recipe.loss.read(net.outputs(weights, features))

    def _linear(
        self, net: Net, view: _View, final: torch.Tensor
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Weights and bias as in `Fit`; none of a probe with a hidden layer."""
        if isinstance(net, HiddenNet):
            units, _, dim = self.vectors.shape
            return np.zeros((units, 0, dim), dtype=np.float32), np.zeros((units, 0), dtype=np.float32)
        raw = view.raw(final)[:, 0].cpu().numpy()
        return raw[..., :-1], raw[..., -1]
