"""Encoding of a target for a linear probe, and decoding of the probe's outputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.tasks.target import Classes, Scores, Target, one_answer


@dataclass(frozen=True)
class Coding:
    """The training target of a probe with k outputs.

    Attributes:
        target: Classes, int64 (n,), each below k, where the largest output wins. Or float64 (n, k): the
            shares of each example in k anchors or, with k = 1, its score.
        k: Number of outputs.
        anchors: float64 (k,), the scores that shares refer to, or None. The prediction is their mean under
            the softmax of the outputs.
    """

    target: torch.Tensor
    k: int
    anchors: torch.Tensor | None = None

    @classmethod
    def of_shares(cls, target: Target, device: torch.device) -> Coding:
        """Encode classes unchanged, and scores as distributions over their anchors."""
        target = one_answer(target, "this probe", "probe=logistic")
        if isinstance(target, Classes):
            return cls(torch.from_numpy(target.labels).to(device), len(target.names))
        within = np.clip(target.values, target.anchors[0], target.anchors[-1])
        shares = torch.from_numpy(spread(within, target.anchors))
        anchors = torch.tensor(target.anchors, dtype=torch.float64)
        return cls(shares.to(device), len(anchors), anchors.to(device))

    @classmethod
    def of_values(cls, target: Target, device: torch.device) -> Coding:
        """Encode classes unchanged, and scores as one number each."""
        if isinstance(target, Scores):
            return cls(torch.from_numpy(target.values).to(device).double().unsqueeze(1), 1)
        return cls.of_shares(target, device)

    def rows(self, at: NDArray[np.int64]) -> torch.Tensor:
        """Return the target of some examples."""
        return self.target[torch.from_numpy(np.asarray(at, dtype=np.int64)).to(self.target.device)]

    def read(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return predictions, int64 or float64 (u, l, n), for outputs float64 (u, l, k, n)."""
        if self.target.dtype == torch.int64:
            return largest(outputs)
        if self.anchors is None:
            return outputs[:, :, 0]
        shares = torch.softmax(outputs, 2)
        return (shares * self.anchors[:, None]).sum(2)

    @property
    def has_classes(self) -> bool:
        """Return whether the outputs are of classes, not of anchors or scores."""
        return self.target.dtype == torch.int64


def largest(outputs: torch.Tensor) -> torch.Tensor:
    """Return the class of the largest output; int64 (u, l, n) for (u, l, k, n)."""
    # argmax along any dimension but the last is far slower
    return outputs.max(2).indices


def log_softmax(outputs: torch.Tensor) -> torch.Tensor:
    """Return log-probabilities of classes; float64 (u, l, n, k) for outputs (u, l, k, n)."""
    return torch.log_softmax(outputs.double(), 2).mT


def spread(values: NDArray[np.float64], anchors: tuple[float, ...]) -> NDArray[np.float64]:
    """Return each score as shares in its two neighbouring anchors (Tai, Socher & Manning 2015, section 4.2).

    An anchor's share falls linearly from 1 to 0 over one step, so the mean of the anchors is the score.
    A score beyond the outermost anchor loses part of its share, and all of it from one step on.

    Args:
        values: float64 (n,).
        anchors: Evenly spaced, ascending, at least two.

    Returns:
        float64 (n, k).
    """
    step = (anchors[-1] - anchors[0]) / (len(anchors) - 1)
    shares: NDArray[np.float64] = 1 - np.abs(values[:, None] - np.asarray(anchors)) / step
    # rounding errors near zero would count as shares
    return shares.clip(0).round(12)
