"""The logits of candidates for the head word of each word, from attention maps and word vectors."""

from __future__ import annotations

from dataclasses import dataclass

from probing.io.lazy import torch
from probing.probes.arcs.padded import Batch


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
        vectors: float64 (types, d), frozen vectors of words; None for attention only.
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

    def parameters(self, flat: torch.Tensor) -> Parameters:
        """Return views of the parameters, float64 (size,)."""
        count = 2 * self.heads
        sizes = [count, count * self.dim, count * self.dim, 2]
        maps, dependent, governor, root = torch.split(flat, sizes)
        shape = (count, self.dim)
        return Parameters(maps, dependent.view(shape), governor.view(shape), root)

    def logits(self, flat: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the logits of all candidates for each word.

        Args:
            flat: float64 (size,).
            batch: Sentences.

        Returns:
            float64 (sentences, n, 1 + n), ROOT first; minus infinity for candidates that are padding.
        """
        given = self.parameters(flat)
        if self.vectors is None:
            of_words, of_root = _plain(given, batch)
        else:
            of_words, of_root = _weighted(given, batch, self.vectors)
        of_words = of_words.masked_fill(~batch.real.unsqueeze(1), -torch.inf)
        return torch.cat([of_root.unsqueeze(2), of_words], 2)


def _plain(given: Parameters, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of words and of ROOT where each map has one weight."""
    # both directions in one pass over the maps; a transposed map is the same numbers, read the other way
    forth, back = (batch.maps @ given.maps.view(2, -1).T).unbind(3)
    return forth + back.transpose(1, 2), (batch.root @ given.maps) @ given.root


def _weighted(given: Parameters, batch: Batch, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of words and of ROOT where words change the weights of maps."""
    types, rows = batch.types
    known = vectors[types]
    of_dependent = (known @ given.dependent.T + given.maps)[rows]
    of_governor = (known @ given.governor.T)[rows]
    heads = batch.maps.shape[3]
    # maps as they are: the query is the dependent; transposed: the query is the head word
    forth = _by_pair(batch.maps, of_dependent[..., :heads], of_governor[..., :heads])
    back = _by_pair(batch.maps, of_governor[..., heads:], of_dependent[..., heads:])
    to_root = (batch.root @ of_dependent.unsqueeze(3)).squeeze(3) @ given.root
    return forth + back.transpose(1, 2), to_root


def _by_pair(maps: torch.Tensor, of_query: torch.Tensor, of_key: torch.Tensor) -> torch.Tensor:
    """Return Σ_h M_ijh (a_ih + c_jh) for a (sentences, n, heads) of queries and c of keys."""
    by_query = (maps @ of_query.unsqueeze(3)).squeeze(3)
    by_key = (maps.transpose(1, 2) @ of_key.unsqueeze(3)).squeeze(3)
    return by_query + by_key.transpose(1, 2)
