"""SentEval's probes and model selection, for all heads and L2 values together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.probes.losses import CrossEntropy, Loss, SquaredShares
from probing.probes.metrics import score
from probing.probes.nested import join_outer, outer_problems
from probing.probes.problem import Fit, Problem
from probing.probes.scaling import check_finite
from probing.probes.selection import check_settings, check_trains
from probing.probes.sgd import Rows, Schedule, initial, train
from probing.probes.shares import over_units
from probing.probes.splits import inner_splits
from probing.tasks.target import Classes, Target
from probing.tasks.task import Features, Task

# share of train that stops the final probe early when the task has no dev split
EARLY_STOP_SHARE = 0.05
# how SentEval trains for graded scores, whatever the settings for classes
RELATEDNESS = Schedule("adam", batch_size=64, epoch_size=50, tenacity=3, max_epochs=1000)


@dataclass(frozen=True)
class SentEval:
    """The probe of SentEval (Conneau & Kiela 2018), as its published grids were made.

    A linear layer on raw vectors, trained in mini-batches and stopped early on accuracy; L2, here the
    optimiser's weight decay, chosen by a score rounded to hundredths of a percent, the first of equals.
    Initial weights and the order of examples depend on the seed alone, as in SentEval, where every
    classifier seeds anew.

    Graded scores have SentEval's own fixed recipe: the layer's softmax is a distribution over `scores`
    and its mean the answer; the squared error of the distribution is minimised by Adam in batches of 64,
    without L2, and every 50 epochs Pearson's correlation decides on the early stop. Its five scores are
    the same for SICK and for STS-B, where of scores below 1 a part is lost.

    Attributes:
        l2: Values of the weight decay to choose from, in the order of preference among equals.
        optimizer: "rmsprop" or "adam", with PyTorch's defaults.
        batch_size: Examples of one step.
        epoch_size: Epochs between two looks at dev.
        tenacity: Looks without improvement that are forgiven, in all; the next one stops.
        max_epochs: Training goes on while no more than this many epochs are done.
        scores: The evenly spaced scores that a distribution is over, for graded scores.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2)
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    batch_size: int = 256
    epoch_size: int = 2
    tenacity: int = 3
    max_epochs: int = 200
    scores: tuple[float, ...] = (1.0, 2.0, 3.0, 4.0, 5.0)
    features: ClassVar[Features | None] = None

    def __post_init__(self) -> None:
        """Take lists, as configuration files give them, and refuse what cannot be meant."""
        object.__setattr__(self, "l2", tuple(map(float, self.l2)))
        object.__setattr__(self, "scores", tuple(map(float, self.scores)))
        sizes = {"batch_size": self.batch_size, "epoch_size": self.epoch_size, "max_epochs": self.max_epochs}
        check_settings(self.l2, **sizes)
        if self.tenacity < 0:
            raise ProbingError(f"probe.tenacity is {self.tenacity}; give 0 or more")
        if self.optimizer not in ("rmsprop", "adam"):
            raise ProbingError(f"probe.optimizer is {self.optimizer!r}; give rmsprop or adam")
        steps = np.diff(self.scores)
        if not len(steps) or steps[0] <= 0 or not np.allclose(steps, steps[0]):
            raise ProbingError(
                f"probe.scores is {list(self.scores)}; give two or more rising, evenly spaced scores"
            )

    @property
    def name(self) -> str:
        """As on the command line."""
        return "senteval"

    def check(self, task: Task) -> None:
        """Refuse a task without train examples, or with scores out of range; see `Probe.check`."""
        check_trains(task.selection)
        self.loss(task.target)

    def fit(self, vectors: torch.Tensor, problem: Problem) -> Fit:
        """Choose the L2 value without looking at test, then predict test once.

        Args:
            vectors: float32 (u, n, dim), on the device where the work shall be done; not modified.
            problem: Targets and splits of the n rows.

        Raises:
            ProbingError: If a vector holds NaN or infinity, naming its unit; if there is no train; if
                scores lie further than a step from those of the probe.
        """
        check_trains(problem.selection)
        check_finite(vectors)
        run = _Run(self, vectors, problem.target)
        if problem.selection != "nested":
            return run.fit(problem)
        outer = outer_problems(problem)
        return join_outer(problem, outer, [run.fit(fold) for fold in outer])

    def loss(self, target: Target) -> Loss:
        """What is minimised.

        Raises:
            ProbingError: If scores lie further than a step from those of the probe.
        """
        if isinstance(target, Classes):
            return CrossEntropy(len(target.names))
        step = self.scores[1] - self.scores[0]
        low, high = target.values.min(), target.values.max()
        if low < self.scores[0] - step or high > self.scores[-1] + step:
            raise ProbingError(
                f"probe.scores is {list(self.scores)}, but the task's scores go from {low:g} to {high:g}; "
                "give evenly spaced scores for that range"
            )
        return SquaredShares(self.scores)

    def schedule(self, target: Target) -> Schedule:
        """How training goes."""
        if not isinstance(target, Classes):
            return RELATEDNESS
        return Schedule(self.optimizer, self.batch_size, self.epoch_size, self.tenacity, self.max_epochs)


class _Run:
    """The vectors, what they are asked, and the protocol."""

    def __init__(self, probe: SentEval, vectors: torch.Tensor, target: Target) -> None:
        self.loss, self.schedule = probe.loss(target), probe.schedule(target)
        self.graded = not isinstance(target, Classes)
        # SentEval has no L2 for graded scores
        self.l2 = (0.0,) if self.graded else probe.l2
        self.features = torch.cat([vectors, vectors.new_ones(*vectors.shape[:2], 1)], 2)

    def fit(self, problem: Problem) -> Fit:
        """One choice of L2 and the final probe."""
        decay = torch.tensor(self.l2, device=self.features.device).repeat(len(self.features), 1)
        trained, scores = [], []
        for fit, held in inner_splits(problem):
            rows, dev = self._rows(problem, fit), self._rows(problem, held)
            trained.append(self._train(rows, dev, decay, np.random.RandomState(problem.seed), problem.seed))
            scores.append(score(self._predict(trained[-1], held), dev.gold, problem.metric))
        mean = torch.stack(scores).mean(0)
        if not self.graded:
            # SentEval rounds to hundredths of a percent and takes the first of equals
            mean = mean.mul(100).round(decimals=2).div(100)
        best = (mean == mean.amax(1, keepdim=True)).int().argmax(1, keepdim=True)
        if problem.selection == "kfold":
            final = self._train_on_share(problem, decay.gather(1, best))
        else:
            # trained once more with the same seed and dev rows, the final probe would come out the same
            final = trained[0][torch.arange(len(best), device=best.device), best[:, 0]].unsqueeze(1)
        return Fit(
            dev=mean.gather(1, best)[:, 0].cpu().numpy(),
            l2=np.asarray(self.l2, dtype=np.float64)[best[:, 0].cpu().numpy()],
            predictions=self._predict(final, problem.test)[:, 0].cpu().numpy(),
            weights=final[:, 0, :, :-1].cpu().numpy(),
            bias=final[:, 0, :, -1].cpu().numpy(),
        )

    def _train(
        self, rows: Rows, dev: Rows, decay: torch.Tensor, order: np.random.RandomState, seed: int
    ) -> torch.Tensor:
        """Weights (u, l, k, dim + 1) trained on some rows and stopped on others."""
        state = order.get_state()
        start = initial(self.loss.k, self.features.shape[2] - 1, seed).to(self.features.device)

        def work(units: slice) -> torch.Tensor:
            same = np.random.RandomState()
            same.set_state(state)
            parts = Rows(rows.features[units], rows.gold), Rows(dev.features[units], dev.gold)
            return train(*parts, decay[units], start, self.loss, same, self.schedule)

        return torch.cat(over_units(work, len(decay), decay.device, most=1 if self.graded else None))

    def _train_on_share(self, problem: Problem, decay: torch.Tensor) -> torch.Tensor:
        """Train on train less a random part, on which training is stopped."""
        order = np.random.RandomState(problem.seed)
        shuffled = problem.train[order.permutation(len(problem.train))]
        share = int(EARLY_STOP_SHARE * len(shuffled))
        rows, dev = self._rows(problem, shuffled[share:]), self._rows(problem, shuffled[:share])
        return self._train(rows, dev, decay, order, problem.seed)

    def _predict(self, weights: torch.Tensor, at: NDArray[np.int64]) -> torch.Tensor:
        """Answers for some rows (u, l, n): classes, int64, or scores, float64."""
        logits = torch.bmm(weights.flatten(1, 2), self._take(at).mT)
        return self.loss.read(logits.view(*weights.shape[:3], -1))

    def _rows(self, problem: Problem, at: NDArray[np.int64]) -> Rows:
        return Rows(self._take(at), torch.from_numpy(problem.gold[at]).to(self.features.device))

    def _take(self, at: NDArray[np.int64]) -> torch.Tensor:
        return self.features.index_select(1, torch.from_numpy(at).to(self.features.device))
