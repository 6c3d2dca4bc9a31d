"""SentEval's classifiers and their settings; `probing.probes.protocol` trains them and selects L2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.probes.contract import Fit
from probing.probes.l2_choice import check_trains
from probing.probes.losses import CrossEntropy, Loss, SquaredShares
from probing.probes.nested import join_outer, outer_problems
from probing.probes.nets import HiddenNet, LinearNet, Net
from probing.probes.protocol import Recipe, TrainingRun
from probing.probes.scaling import check_finite
from probing.probes.sgd import Schedule, initial
from probing.tasks.problem import Problem
from probing.tasks.target import Classes, Target, one_answer
from probing.tasks.task import Features, Task
from probing.validation.ranges import (
    Count,
    CountOrZero,
    Dropout,
    Entries,
    Iterations,
    Most,
    Penalties,
    Range,
    check_ranges,
)

# SentEval's schedule for graded scores, which ignores the settings for classes
RELATEDNESS = Schedule("adam", batch_size=64, epoch_size=50, tenacity=3, max_epochs=1000)
EpochSize = Annotated[Count, Most(1000)]
Tenacity = Annotated[CountOrZero, Most(10_000)]
Hidden = Annotated[int, Range(0, what="give a number of hidden units, or 0 for none"), Most(10_000)]


@dataclass(frozen=True)
class SentEval:
    """The probe of SentEval (Conneau & Kiela 2018), as used for its published grids.

    It is a linear layer on raw vectors, trained in mini-batches with early stopping on accuracy. L2 is the
    optimiser's weight decay. It is selected by a score rounded to hundredths of a percent, and the first of
    equal scores wins. Initial weights and the order of examples depend on the seed alone, as in SentEval,
    which seeds again for every classifier.

    With `nhid` it is SentEval's MLP: a linear layer, dropout, a sigmoid, a linear layer. The weight decay
    acts on all four parameters, and dropout's masks also depend on the seed alone. SentEval never gives
    WordContent a hidden layer, regardless of its settings, so leave `nhid` at 0 for that task.

    Graded scores have SentEval's own fixed recipe. The layer's softmax is a distribution over `scores`, and
    its mean is the prediction. Adam minimises the squared error of the distribution in batches of 64 without
    L2, and every 50 epochs Pearson's correlation decides on early stopping. The recipe has the same five
    scores for SICK and for STS-B, where scores below 1 lose part of their share. It has no hidden layer, so
    `nhid` and `dropout` have no effect.

    Attributes:
        l2: Candidate values of the weight decay, in order of preference among equal scores.
        optimizer: "rmsprop" or "adam", with PyTorch's defaults.
        batch_size: Number of examples per step.
        epoch_size: Number of epochs between two evaluations on dev.
        tenacity: Number of evaluations without improvement that are tolerated in total. The next one stops
            training.
        max_epochs: Training continues while no more than this many epochs are done.
        scores: The evenly spaced scores that the distribution is over, for graded scores.
        nhid: Number of hidden units of the MLP; 0 for a linear layer.
        dropout: Probability that a hidden unit is zeroed during training, before the sigmoid.
        standardize: Whether to scale every feature to zero mean and unit variance on the rows that a fit
            trains on. SentEval does not. The results then no longer depend on the scale of the vectors.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: Penalties = (1e-5, 1e-4, 1e-3, 1e-2)
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    batch_size: Iterations = 256
    epoch_size: EpochSize = 2
    tenacity: Tenacity = 3
    max_epochs: Annotated[Count, Most(10_000)] = 200
    scores: Annotated[tuple[float, ...], Entries(100)] = (1.0, 2.0, 3.0, 4.0, 5.0)
    nhid: Hidden = 0
    dropout: Dropout = 0.0
    standardize: bool = False
    features: ClassVar[Features | None] = None

    def __post_init__(self) -> None:
        """Convert lists from configuration files to tuples, and reject invalid settings."""
        object.__setattr__(self, "l2", tuple(map(float, self.l2)))
        object.__setattr__(self, "scores", tuple(map(float, self.scores)))
        check_ranges(self, "probe")
        if self.optimizer not in ("rmsprop", "adam"):
            raise ProbingError(f"probe.optimizer is {self.optimizer!r}; give rmsprop or adam")
        if self.dropout and not self.nhid:
            raise ProbingError(
                f"probe.dropout is {self.dropout}, but there are no hidden units to drop; "
                "give probe.nhid too, or probe.dropout=0"
            )
        steps = np.diff(self.scores)
        if not len(steps) or steps[0] <= 0 or not np.allclose(steps, steps[0]):
            raise ProbingError(
                f"probe.scores is {list(self.scores)}; give two or more ascending, evenly spaced scores"
            )

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "senteval"

    def check(self, task: Task) -> None:
        """Reject a task without train examples or with scores out of range; see `Probe.check`."""
        check_trains(task.selection)
        self.loss(task.target)

    def fit(self, vectors: torch.Tensor, problem: Problem, *, log_probabilities: bool = False) -> Fit:
        """Select the L2 value without using test, then predict test once.

        Args:
            vectors: float32 (u, n, dim), on the device to compute on; not modified.
            problem: Targets and splits of the n rows.
            log_probabilities: Whether to return log-probabilities as well, see `Fit`.

        Raises:
            ProbingError: If a vector contains NaN or infinity, naming its unit; if there are no train
                examples; if scores are more than one step outside those of the probe.
        """
        check_trains(problem.selection)
        check_finite(vectors)
        run = TrainingRun(self.recipe(problem.target, vectors.shape[2]), vectors)
        if problem.selection != "nested":
            return run.fit(problem, log_probabilities=log_probabilities)
        outer = outer_problems(problem)
        fits = [run.fit(fold, log_probabilities=log_probabilities) for fold in outer]
        return join_outer(problem, outer, fits)

    def loss(self, target: Target) -> Loss:
        """Return the loss for a target.

        Raises:
            ProbingError: If scores are more than one step outside those of the probe, or examples have
                several labels.
        """
        target = one_answer(target, f"probe={self.name}", "probe=logistic")
        if isinstance(target, Classes):
            return CrossEntropy(len(target.names))
        step = self.scores[1] - self.scores[0]
        low, high = target.values.min(), target.values.max()
        if low < self.scores[0] - step or high > self.scores[-1] + step:
            raise ProbingError(
                f"probe.scores is {list(self.scores)}, but the task's scores range from {low:g} to {high:g}; "
                "give evenly spaced scores for that range"
            )
        return SquaredShares(self.scores)

    def schedule(self, target: Target) -> Schedule:
        """Return the training schedule for a target."""
        if not isinstance(target, Classes):
            return RELATEDNESS
        return Schedule(self.optimizer, self.batch_size, self.epoch_size, self.tenacity, self.max_epochs)

    def recipe(self, target: Target, dim: int) -> Recipe:
        """Return the complete recipe for vectors of `dim` features."""
        graded = not isinstance(target, Classes)
        return Recipe(
            loss=self.loss(target),
            schedule=self.schedule(target),
            net=lambda seed: self.net(target, dim, seed),
            # SentEval uses no L2 for graded scores
            l2=(0.0,) if graded else self.l2,
            standardize=self.standardize,
            graded=graded,
        )

    def net(self, target: Target, dim: int, seed: int) -> Net:
        """Return the network for vectors of `dim` features, with its initial weights."""
        k = self.loss(target).k
        if self.nhid and isinstance(target, Classes):
            return HiddenNet.seeded(k, dim, self.nhid, self.dropout, seed)
        return LinearNet(initial(k, dim, seed))
