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
    Fisher information F of the maps and the second moments C of [1, v, v] (Martens & Grosse 2015). In the
    variables U with Θ = P (S ∘ U) Qᵀ, for eigenvectors P and Q and S = (f cᵀ + λ)^(−1/2) of the eigenvalues,
    it is about 1. This changes the course of a search and not where it ends.

    Attributes:
        model: The model.
        of_maps: float64 (K, K), P.
        of_words: float64 (1 + 2 d, 1 + 2 d), Q.
        scale: float64 (K, 1 + 2 d), S.
    """

    model: ArcModel
    of_maps: torch.Tensor
    of_words: torch.Tensor
    scale: torch.Tensor

    @classmethod
    def at(cls, model: ArcModel, flat: torch.Tensor, corpus: Corpus, l2: float) -> Variables:
        """Return the variables for a search that starts at some parameters."""
        sample = _sample(corpus)
        words = sum(int(batch.lengths.sum()) for batch in sample)
        fisher = sum(_information(model, flat, batch) for batch in sample) / words
        curved, of_maps = torch.linalg.eigh(fisher)
        spread, of_words = torch.linalg.eigh(_moments(model, sample))
        scale = (torch.outer(curved.clamp_min(0), spread.clamp_min(0)) + l2).rsqrt()
        return cls(model, of_maps, of_words, scale)

    def parameters(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the parameters of variables, float64 (size,)."""
        return self._joined(self.of_maps @ (self.scale * self._matrix(flat)) @ self.of_words.T, flat)

    def gradient(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the gradient with respect to variables, from that with respect to parameters."""
        return self._joined(self.scale * self._rotated(flat), flat)

    def variables(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the variables of parameters."""
        return self._joined(self._rotated(flat) / self.scale, flat)

    def _rotated(self, flat: torch.Tensor) -> torch.Tensor:
        return self.of_maps.T @ self._matrix(flat) @ self.of_words

    def _matrix(self, flat: torch.Tensor) -> torch.Tensor:
        given = self.model.parameters(flat)
        return torch.cat([given.maps.unsqueeze(1), given.dependent, given.governor], 1)

    def _joined(self, matrix: torch.Tensor, flat: torch.Tensor) -> torch.Tensor:
        maps, dependent, governor = torch.split(matrix, [1, self.model.dim, self.model.dim], 1)
        return torch.cat([maps.flatten(), dependent.flatten(), governor.flatten(), flat[-2:]])


def _sample(corpus: Corpus) -> list[Batch]:
    """Return batches of all lengths with about as many pairs as a sample has."""
    pairs = sum(batch.maps[..., 0].numel() for batch in corpus.batches)
    return list(corpus.batches[:: max(1, pairs // SAMPLE)])


def _information(model: ArcModel, flat: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Return Σ_i (Σ_j p_ij x_ij x_ijᵀ − x̄_i x̄_iᵀ) for the maps x_ij of candidates; float64 (K, K)."""
    with torch.no_grad():
        chance = model.logits(flat, batch).softmax(2)
        chance = chance * batch.real.unsqueeze(2)
        maps = torch.cat([batch.maps, batch.maps.transpose(1, 2)], 3)
        to_root = model.parameters(flat).root @ batch.root
        maps = torch.cat([to_root.unsqueeze(2), maps], 2)
        mean = (chance.unsqueeze(2) @ maps).flatten(0, 2)
        every = maps.flatten(0, 2)
        return every.T @ (every * chance.flatten().unsqueeze(1)) - mean.T @ mean


def _moments(model: ArcModel, sample: list[Batch]) -> torch.Tensor:
    """Return the second moments of [1, v, v], without those between the parts; float64 (1 + 2 d, 1 + 2 d)."""
    size = 1 + 2 * model.dim
    moments = torch.zeros(size, size, dtype=torch.float64, device=sample[0].maps.device)
    moments[0, 0] = 1
    if model.vectors is not None:
        vectors = model.vectors[torch.cat([batch.words[batch.real] for batch in sample])]
        both = torch.arange(1, size, device=moments.device).view(2, -1)
        for own in both:
            moments[own.unsqueeze(1), own] = vectors.T @ vectors / len(vectors)
    return moments
