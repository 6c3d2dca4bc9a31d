"""A change of variables in which the curvature of the fit is about the same in all directions."""

from __future__ import annotations

from dataclasses import dataclass

from probing.io.lazy import torch
from probing.probes.arcs.model import ArcModel
from probing.probes.arcs.padded import Batch, Corpus

SAMPLE = 1 << 15
"""Pairs of words from which the curvature is estimated."""


@dataclass(frozen=True)
class Variables:
    """The linear map from the variables of a search to parameters of a model.

    The weights b, W_d and W_h of K maps are a matrix Θ (K, 1 + 2 d). Its curvature is about F ⊗ C + λ for the
    Fisher information F of the maps and the second moments C of [1, v, v] (Martens & Grosse 2015). Vectors
    are on their principal axes, so C is diagonal; see `ArcModel.on_axes`. In the variables U with
    Θ = P (S ∘ U), for eigenvectors P and S = (f cᵀ + λ)^(−1/2) of the eigenvalues, it is about 1. The factors
    of ROOT have a block of their own. This changes the course of a search and not where it ends.

    Attributes:
        model: The model.
        of_maps: float64 (K, K), P.
        scale: float64 (K, 1 + 2 d), S.
        of_root: float64 (2, 2), the eigenvectors for the factors of ROOT, each times its scale.
    """

    model: ArcModel
    of_maps: torch.Tensor
    scale: torch.Tensor
    of_root: torch.Tensor

    @classmethod
    def at(cls, model: ArcModel, flat: torch.Tensor, corpus: Corpus, l2: float) -> Variables:
        """Return the variables for a search that starts at some parameters."""
        sample = _sample(corpus)
        words = sum(int(batch.lengths.sum()) for batch in sample)
        curved, of_root = (
            sum(each) / words for each in zip(*(_information(model, flat, b) for b in sample), strict=True)
        )
        values, of_maps = torch.linalg.eigh(curved)
        scale = (torch.outer(values.clamp_min(0), _moments(model, sample)) + l2).rsqrt()
        values, axes = torch.linalg.eigh(of_root)
        return cls(model, of_maps, scale, axes * (values.clamp_min(0) + l2).rsqrt())

    def parameters(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the parameters of variables, float64 (size,)."""
        return self._joined(self.of_maps @ (self.scale * self._matrix(flat)), self.of_root @ flat[-2:])

    def gradient(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the gradient with respect to variables, from that with respect to parameters."""
        return self._joined(self.scale * (self.of_maps.T @ self._matrix(flat)), self.of_root.T @ flat[-2:])

    def variables(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the variables of parameters."""
        matrix = self.of_maps.T @ self._matrix(flat)
        return self._joined(matrix / self.scale, torch.linalg.solve(self.of_root, flat[-2:]))

    def _matrix(self, flat: torch.Tensor) -> torch.Tensor:
        given = self.model.parameters(flat)
        return torch.cat([given.maps.unsqueeze(1), given.dependent, given.governor], 1)

    def _joined(self, matrix: torch.Tensor, root: torch.Tensor) -> torch.Tensor:
        maps, dependent, governor = torch.split(matrix, [1, self.model.dim, self.model.dim], 1)
        return torch.cat([maps.flatten(), dependent.flatten(), governor.flatten(), root])


def _sample(corpus: Corpus) -> list[Batch]:
    """Return batches of all lengths with about as many pairs as a sample has."""
    pairs = sum(batch.maps[..., 0].numel() for batch in corpus.batches)
    return list(corpus.batches[:: max(1, pairs // SAMPLE)])


def _information(model: ArcModel, flat: torch.Tensor, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the Fisher information of the weights of maps, and of the factors of ROOT, summed over words.

    Returns:
        float64 (K, K), Σ_i (Σ_j p_ij x_ij x_ijᵀ − x̄_i x̄_iᵀ) for the maps x_ij of candidates; and float64
        (2, 2), Σ_i p_i (1 − p_i) z_i z_iᵀ for the chance p_i of ROOT and the slopes z_i of its logit.
    """
    with torch.no_grad():
        (weights,) = model.weights(flat, [batch])
        chance = model.logits(weights, batch).softmax(2) * batch.real.unsqueeze(2)
        maps = torch.cat([batch.maps, batch.maps.transpose(1, 2)], 3)
        maps = torch.cat([(weights.root @ batch.root).unsqueeze(2), maps], 2)
        mean = (chance.unsqueeze(2) @ maps).flatten(0, 2)
        every = maps.flatten(0, 2)
        of_maps = every.T @ (every * chance.flatten().unsqueeze(1)) - mean.T @ mean
        slopes = (batch.root * weights.dependent.unsqueeze(-2)).sum(3)
        spread = (chance[:, :, 0] * (1 - chance[:, :, 0])).unsqueeze(2)
        of_root = slopes.flatten(0, 1).T @ (slopes * spread).flatten(0, 1)
        return of_maps.double(), of_root.double()


def _moments(model: ArcModel, sample: list[Batch]) -> torch.Tensor:
    """Return the mean squares of [1, v, v], float64 (1 + 2 d,)."""
    one = torch.ones(1, dtype=torch.float64, device=sample[0].maps.device)
    if model.vectors is None:
        return one
    vectors = model.vectors[torch.cat([batch.words[batch.real] for batch in sample])].double()
    squares = vectors.square().mean(0)
    return torch.cat([one, squares, squares])
