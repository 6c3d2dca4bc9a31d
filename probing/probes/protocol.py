"""SentEval's protocol: the choice of L2 and the final classifier, for all heads and L2 values together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.probes.coding import log_softmax
from probing.probes.contract import Fit
from probing.probes.linear import gold, take
from probing.probes.losses import Loss
from probing.probes.nets import HiddenNet, Net
from probing.probes.scaling import Scaling
from probing.probes.sgd import Schedule, TrainingRows, train
from probing.probes.shares import over_units
from probing.statistics.folds import inner_splits
from probing.statistics.metrics import score
from probing.tasks.problem import Problem

# share of train used for early stopping of the final probe when the task has no dev split
EARLY_STOP_SHARE = 0.05


@dataclass(frozen=True)
class Recipe:
    """The model, loss, schedule and candidate settings of one training.

    Attributes:
        loss: The loss that is minimised.
        schedule: The training schedule.
        net: Returns the network with its initial weights for a seed.
        l2: Candidate values of the weight decay.
        standardize: Whether to scale vectors by statistics of the rows that a fit trains on.
        graded: Whether targets are scores and not classes.
    """

    loss: Loss
    schedule: Schedule
    net: Callable[[int], Net]
    l2: tuple[float, ...]
    standardize: bool
    graded: bool


@dataclass(frozen=True)
class _View:
    """Vectors as one fit sees them: raw with a last feature of ones, or scaled.

    Attributes:
        vectors: float32 (u, n, dim + 1), or (u, n, dim) with `scaling`, which adds the ones.
        scaling: The scaling to apply, or None.
    """

    vectors: torch.Tensor
    scaling: Scaling | None = None

    def take(self, at: NDArray[np.int64]) -> torch.Tensor:
        """Return the features of some rows (u, n, dim + 1)."""
        rows = take(self.vectors, at)
        return rows if self.scaling is None else self.scaling.apply(rows)

    def rows(self, problem: Problem, at: NDArray[np.int64]) -> TrainingRows:
        """Return the features of some rows with their classes or scores."""
        return TrainingRows(self.take(at), gold(problem, at, self.vectors))

    def raw(self, weights: torch.Tensor) -> torch.Tensor:
        """Return linear weights (u, l, k, dim + 1) for the vectors before scaling."""
        return weights if self.scaling is None else self.scaling.to_raw(weights.double()).float()


class TrainingRun:
    """The protocol applied to one batch of vectors."""

    def __init__(self, recipe: Recipe, vectors: torch.Tensor) -> None:
        """Take float32 vectors (u, n, dim)."""
        self.recipe, self.vectors = recipe, vectors
        ones = vectors.new_ones(*vectors.shape[:2], 1)
        self.plain = None if recipe.standardize else _View(torch.cat([vectors, ones], 2))

    def fit(self, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """Select L2 and fit the final probe; see `Fit` for log-probabilities."""
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
            # training again with the same seed and dev rows would return the same final probe
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
        """Return the vectors for a fit to some rows."""
        if self.plain is not None:
            return self.plain
        return _View(self.vectors, Scaling.of(take(self.vectors, fit), standardize=True))

    def _train(
        self,
        net: Net,
        rows: TrainingRows,
        dev: TrainingRows,
        decay: torch.Tensor,
        order: np.random.RandomState,
    ) -> torch.Tensor:
        """Return weights (u, l, …) trained on some rows with early stopping on others."""
        state = order.get_state()

        def work(units: slice) -> torch.Tensor:
            same = np.random.RandomState()
            same.set_state(state)
            parts = TrainingRows(rows.features[units], rows.gold), TrainingRows(dev.features[units], dev.gold)
            return train(*parts, decay[units], net, self.recipe.loss, same, self.recipe.schedule)

        most = 1 if self.recipe.graded else None
        return torch.cat(over_units(work, len(decay), decay.device, most=most))

    def _train_on_share(self, net: Net, problem: Problem, decay: torch.Tensor) -> tuple[_View, torch.Tensor]:
        """Train on train without a random part, which is used for early stopping."""
        order = np.random.RandomState(problem.seed)
        shuffled = problem.train[order.permutation(len(problem.train))]
        share = int(EARLY_STOP_SHARE * len(shuffled))
        view = self._view(shuffled[share:])
        rows, dev = view.rows(problem, shuffled[share:]), view.rows(problem, shuffled[:share])
        return view, self._train(net, rows, dev, decay, order)

    def _predict(self, net: Net, weights: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Return predictions for some rows (u, l, n): classes, int64, or scores, float64."""
        return self.recipe.loss.read(net.outputs(weights, features))

    def _linear(
        self, net: Net, view: _View, final: torch.Tensor
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return weights and bias as in `Fit`; a probe with a hidden layer has none."""
        if isinstance(net, HiddenNet):
            units, _, dim = self.vectors.shape
            return np.zeros((units, 0, dim), dtype=np.float32), np.zeros((units, 0), dtype=np.float32)
        raw = view.raw(final)[:, 0].cpu().numpy()
        return raw[..., :-1], raw[..., -1]
