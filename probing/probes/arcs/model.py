"""The logits of candidates for the head word of each word, from attention maps and word vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from probing.io.lazy import torch
from probing.probes.arcs.padded import Batch, Corpus


@dataclass(frozen=True)
class Parameters:
    """The parameters of a probe of K maps: those of all heads, then their transposes.

    Attributes:
        maps: (K,), the weight of each map.
        dependent: (K, d), what the vector of the dependent adds to the weights; (K, 0) without vectors.
        governor: (K, d), what the vector of the candidate adds; 0 for ROOT.
        root: (2,), the factors of attention to the first token, and to separators, in the logit of ROOT.
    """

    maps: torch.Tensor
    dependent: torch.Tensor
    governor: torch.Tensor
    root: torch.Tensor


@dataclass(frozen=True)
class Weights:
    """The weights of K maps for the words of a batch, in the precision of its maps.

    Attributes:
        dependent: (sentences, n, K), what each word adds as the dependent, with the weight of the map; (K,)
            where words add nothing.
        governor: (sentences, n, K), what each word adds as the candidate; None where words add nothing.
        root: (2,); see `Parameters`.
    """

    dependent: torch.Tensor
    governor: torch.Tensor | None
    root: torch.Tensor

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All weights."""
        return [each for each in (self.dependent, self.governor, self.root) if each is not None]

    def leaves(self) -> Weights:
        """Return the same weights, whose gradients are collected."""
        governor = None if self.governor is None else self.governor.detach().requires_grad_()
        return Weights(
            self.dependent.detach().requires_grad_(), governor, self.root.detach().requires_grad_()
        )


@dataclass(frozen=True)
class ArcModel:
    """The probes `attention only` and `attention and words` of Clark et al. (2019), section 5.

    The logit of candidate j for word i is Σ_k w_k(i, j) · M^k[i, j] over the maps M^k and their transposes.
    The weights are w(i, j) = W_d v_i + W_h v_j + b with frozen vectors v of words, or b alone. ROOT has a
    vector of zeros, and r_s · M^k[i, first token] + r_e · M^k[i, separators] in place of M^k[i, j]. The
    factors r are the same for all maps, so the logits are linear in b and W for given factors, and in the
    factors for given b and W.

    In the code of the paper, the vector of ROOT is in the last place and its maps in the first, so that
    candidate j is weighted by word j + 1. Here it is not.

    Attributes:
        heads: Number of heads of all layers together; K is twice this number.
        vectors: float (types, d), frozen vectors of words; None for attention only.
    """

    heads: int
    vectors: torch.Tensor | None = None

    @property
    def dim(self) -> int:
        """Size of the word vectors; 0 without."""
        return 0 if self.vectors is None else self.vectors.shape[1]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return 2 * self.heads * (1 + 2 * self.dim) + 2

    def start(self, weight: float = 0.0) -> torch.Tensor:
        """Return parameters with the same weight for all maps, no weight of words, and both factors 1."""
        found = torch.zeros(self.size, dtype=torch.float64)
        found[: 2 * self.heads] = weight
        found[-2:] = 1
        return found

    def on_axes(self, corpus: Corpus) -> ArcModel:
        """Return the model with vectors on the principal axes of the words of a corpus.

        A rotation of vectors changes neither the optimum nor its penalty, but the search is shorter.
        """
        if self.vectors is None:
            return self
        words = torch.cat([batch.words[batch.real] for batch in corpus.batches])
        counts = torch.bincount(words, minlength=len(self.vectors)).unsqueeze(1)
        wide = self.vectors.double()
        axes = torch.linalg.eigh(wide.T @ (counts * wide))[1]
        return replace(self, vectors=(wide @ axes).to(self.vectors.dtype))

    def parameters(self, flat: torch.Tensor) -> Parameters:
        """Return views of the parameters, (size,)."""
        count = 2 * self.heads
        sizes = [count, count * self.dim, count * self.dim, 2]
        maps, dependent, governor, root = torch.split(flat, sizes)
        shape = (count, self.dim)
        return Parameters(maps, dependent.view(shape), governor.view(shape), root)

    def weights(self, flat: torch.Tensor, batches: Sequence[Batch]) -> list[Weights]:
        """Return the weights of maps in each batch; all different words are multiplied together, once.

        Args:
            flat: float64 (size,), the parameters.
            batches: Sentences.
        """
        given = self.parameters(flat.to(batches[0].maps.dtype))
        if self.vectors is None:
            return [Weights(given.maps, None, given.root)] * len(batches)
        words = torch.cat([batch.words.flatten() for batch in batches])
        types, rows = torch.unique(words, return_inverse=True)
        known = self.vectors[types].to(given.maps)
        sizes = [batch.words.numel() for batch in batches]
        of_dependents, of_governors = (
            torch.split(table[rows], sizes)
            for table in (known @ given.dependent.T + given.maps, known @ given.governor.T)
        )
        return [
            Weights(dependent.view(shape), governor.view(shape), given.root)
            for dependent, governor, shape in zip(
                of_dependents, of_governors, [(*batch.words.shape, -1) for batch in batches], strict=True
            )
        ]

    def logits(self, weights: Weights, batch: Batch) -> torch.Tensor:
        """Return the logits of all candidates for each word.

        Args:
            weights: The weights of maps for the words of the batch.
            batch: Sentences.

        Returns:
            (sentences, n, 1 + n) in the precision of the maps, ROOT first; minus infinity for candidates that
            are padding.
        """
        forth, back = torch.split(weights.dependent, self.heads, -1)
        if weights.governor is not None:
            # a map as it is has the dependent as its query, and a transposed one the candidate
            of_governor = torch.split(weights.governor, self.heads, -1)
            forth = forth.unsqueeze(2) + of_governor[0].unsqueeze(1)
            back = of_governor[1].unsqueeze(2) + back.unsqueeze(1)
        # elementwise, since products of matrices with so few columns are several times slower
        of_words = (batch.maps * forth).sum(3) + (batch.maps * back).sum(3).transpose(1, 2)
        of_root = (batch.root * weights.dependent.unsqueeze(-2)).sum(3) @ weights.root
        of_words = of_words.masked_fill(~batch.real.unsqueeze(1), -torch.inf)
        return torch.cat([of_root.unsqueeze(2), of_words], 2)
