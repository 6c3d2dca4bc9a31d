"""SentEval's classifier and model selection, for all heads and L2 values together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.probes.metrics import score
from probing.probes.problem import Fit, Problem
from probing.probes.scaling import check_finite
from probing.probes.selection import check_settings
from probing.probes.sgd import Rows, Schedule, initial, train
from probing.probes.shares import over_units
from probing.probes.splits import inner_splits

# share of train that stops the final probe early when the task has no dev split
EARLY_STOP_SHARE = 0.05


@dataclass(frozen=True)
class SentEval:
    """The probe of SentEval (Conneau & Kiela 2018), as its published grids were made.

    A linear layer on raw vectors, trained in mini-batches and stopped early on accuracy; L2, here the
    optimiser's weight decay, chosen by a score rounded to hundredths of a percent, the first of equals.
    Initial weights and the order of examples depend on the seed alone, as in SentEval, where every
    classifier seeds anew.

    Attributes:
        l2: Values of the weight decay to choose from, in the order of preference among equals.
        optimizer: "rmsprop" or "adam", with PyTorch's defaults.
        batch_size: Examples of one step.
        epoch_size: Epochs between two looks at dev.
        tenacity: Looks without improvement that are forgiven, in all; the next one stops.
        max_epochs: Training goes on while no more than this many epochs are done.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    l2: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2)
    optimizer: Literal["rmsprop", "adam"] = "rmsprop"
    batch_size: int = 256
    epoch_size: int = 2
    tenacity: int = 3
    max_epochs: int = 200

    def __post_init__(self) -> None:
        """Take lists, as configuration files give them, and refuse what cannot be meant."""
        object.__setattr__(self, "l2", tuple(map(float, self.l2)))
        sizes = {"batch_size": self.batch_size, "epoch_size": self.epoch_size, "max_epochs": self.max_epochs}
        check_settings(self.l2, **sizes)
        if self.tenacity < 0:
            raise ProbingError(f"probe.tenacity is {self.tenacity}; give 0 or more")
        if self.optimizer not in ("rmsprop", "adam"):
            raise ProbingError(f"probe.optimizer is {self.optimizer!r}; give rmsprop or adam")

    @property
    def name(self) -> str:
        """As on the command line."""
        return "senteval"

    def fit(self, vectors: torch.Tensor, problem: Problem) -> Fit:
        """Choose the L2 value without looking at test, then predict test once.

        Args:
            vectors: float32 (u, n, dim), on the device where the work shall be done; not modified.
            problem: Labels and splits of the n rows.

        Raises:
            ProbingError: If a vector holds NaN or infinity, naming its unit.
        """
        check_finite(vectors)
        run = _Run(self, vectors, problem)
        decay = torch.tensor(self.l2, device=vectors.device).repeat(len(vectors), 1)
        parts = inner_splits(problem)
        trained, scores = [], []
        for fit, held in parts:
            trained.append(run.train(fit, held, decay, np.random.RandomState(problem.seed)))
            scores.append(run.score(trained[-1], held))
        # SentEval rounds to hundredths of a percent and takes the first of equals
        percent = torch.stack(scores).mean(0).mul(100).round(decimals=2)
        best = (percent == percent.amax(1, keepdim=True)).int().argmax(1, keepdim=True)
        if problem.selection == "kfold":
            final = run.train_on_share(decay.gather(1, best))
        else:
            # trained once more with the same seed and dev rows, the final probe would come out the same
            final = trained[0][torch.arange(len(best), device=best.device), best[:, 0]].unsqueeze(1)
        return Fit(
            dev=percent.gather(1, best)[:, 0].div(100).cpu().numpy(),
            l2=np.asarray(self.l2, dtype=np.float64)[best[:, 0].cpu().numpy()],
            predictions=run.predict(final, problem.test)[:, 0].cpu().numpy(),
            weights=final[:, 0, :, :-1].cpu().numpy(),
            bias=final[:, 0, :, -1].cpu().numpy(),
        )


class _Run:
    """One fit: the vectors, the problem and the protocol."""

    def __init__(self, probe: SentEval, vectors: torch.Tensor, problem: Problem) -> None:
        ones = vectors.new_ones(*vectors.shape[:2], 1)
        self.features = torch.cat([vectors, ones], 2)
        self.labels = torch.from_numpy(problem.labels).to(vectors.device)
        self.problem = problem
        self.start = initial(problem.n_classes, vectors.shape[2], problem.seed).to(vectors.device)
        self.schedule = Schedule(
            probe.optimizer, probe.batch_size, probe.epoch_size, probe.tenacity, probe.max_epochs
        )

    def train(
        self,
        fit: NDArray[np.int64],
        held: NDArray[np.int64],
        decay: torch.Tensor,
        order: np.random.RandomState,
    ) -> torch.Tensor:
        """Weights (u, l, k, dim + 1) trained on some rows and stopped on others."""
        rows, dev, state = self._rows(fit), self._rows(held), order.get_state()

        def work(units: slice) -> torch.Tensor:
            same = np.random.RandomState()
            same.set_state(state)
            parts = Rows(rows.features[units], rows.labels), Rows(dev.features[units], dev.labels)
            return train(*parts, decay[units], self.start, same, self.schedule)

        return over_units(work, len(decay), decay.device)

    def train_on_share(self, decay: torch.Tensor) -> torch.Tensor:
        """Train on train less a random part, on which training is stopped."""
        order = np.random.RandomState(self.problem.seed)
        shuffled = self.problem.train[order.permutation(len(self.problem.train))]
        share = int(EARLY_STOP_SHARE * len(shuffled))
        return self.train(shuffled[share:], shuffled[:share], decay, order)

    def score(self, weights: torch.Tensor, held: NDArray[np.int64]) -> torch.Tensor:
        """The problem's metric, float64 (u, l)."""
        labels = self._rows(held).labels
        return score(self.predict(weights, held), labels, self.problem.n_classes, self.problem.metric)

    def predict(self, weights: torch.Tensor, at: NDArray[np.int64]) -> torch.Tensor:
        """Predicted classes of some rows, int64 (u, l, n)."""
        logits = torch.bmm(weights.flatten(1, 2), self._rows(at).features.mT)
        return logits.view(*weights.shape[:3], -1).argmax(2)

    def _rows(self, at: NDArray[np.int64]) -> Rows:
        index = torch.from_numpy(np.asarray(at, dtype=np.int64)).to(self.labels.device)
        return Rows(self.features.index_select(1, index), self.labels[index])
