"""A change of variables in which the curvature of the fit is about the same in all directions."""

from __future__ import annotations

from dataclasses import dataclass

from probing.io.lazy import torch
from probing.probes.arcs.model import ArcModel
from probing.probes.arcs.sentences import Batch, Corpus

SAMPLE = 1 << 15
"""Pairs of words from which the curvature is estimated."""
LEAST = 1e-6
"""Share of the largest curvature below which a direction counts as flat."""


@dataclass(frozen=True)
class Variables:
    """The linear map from the variables of a search to parameters of a model.

    The weights b, W_d and W_h of K maps are a matrix Θ (K, 1 + 2 d). With the Fisher information A⁻ᵀ A⁻¹ of
    the maps, and the second moments B⁻ᵀ B⁻¹ of [1, v, v], the map Θ = A U Bᵀ makes steps in U about equally
    curved (Martens & Grosse 2015). It changes the course of a search and not where it ends.

    Attributes:
        model: The model.
        of_maps: float64 (K, K), A.
        of_words: float64 (1 + 2 d, 1 + 2 d), B.
    """

    model: ArcModel
    of_maps: torch.Tensor
    of_words: torch.Tensor

    @classmethod
    def at(cls, model: ArcModel, flat: torch.Tensor, corpus: Corpus, l2: float) -> Variables:
        """Return the variables for a search that starts at some parameters."""
        sample = _sample(corpus)
        words = sum(int(batch.lengths.sum()) for batch in sample)
        fisher = sum(_information(model, flat, batch) for batch in sample) / words
        return cls(model, _root_of_inverse(fisher, l2), _root_of_inverse(_moments(model, sample), 0.0))

    def parameters(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the parameters of variables, float64 (size,)."""
        return self._joined(self.of_maps @ self._matrix(flat) @ self.of_words.T, flat)

    def gradient(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the gradient with respect to variables, from that with respect to parameters."""
        return self._joined(self.of_maps.T @ self._matrix(flat) @ self.of_words, flat)

    def variables(self, flat: torch.Tensor) -> torch.Tensor:
        """Return the variables of parameters."""
        left = torch.linalg.solve(self.of_maps, self._matrix(flat))
        return self._joined(torch.linalg.solve(self.of_words, left.T).T, flat)

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
    one = torch.ones(1, 1, dtype=torch.float64)
    if model.vectors is None:
        return one.to(sample[0].maps.device)
    words = torch.cat([batch.words[batch.real] for batch in sample])
    vectors = model.vectors[words]
    moments = vectors.T @ vectors / len(vectors)
    return torch.block_diag(one.to(moments), moments, moments)


def _root_of_inverse(curvature: torch.Tensor, l2: float) -> torch.Tensor:
    """Return A with A Aᵀ = (C + λ)⁻¹, where flat directions count as if they were a little curved."""
    values, vectors = torch.linalg.eigh(curvature)
    return vectors * (values.clamp_min(float(values[-1]) * LEAST) + l2).rsqrt()
