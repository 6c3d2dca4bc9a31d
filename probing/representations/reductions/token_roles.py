"""Sums of attention that show the roles of a head, between tokens (Voita et al. 2019; Olsson et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.logs import entropy
from probing.representations.reductions.visible import by_chance, next_to, summed

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch
    from probing.representations.reductions.visible import Visible

QUERIES, REPEATED, FOLLOWED = "queries", "repeated", "followed"
SUMS = {
    "largest": QUERIES,
    "previous": QUERIES,
    "first": QUERIES,
    "delimiter": QUERIES,
    "share_of_uniform": QUERIES,
    "duplicate": REPEATED,
    "induction": FOLLOWED,
}
"""The sums over queries, each with the column that counts its queries."""
HIGHEST = {"duplicate_highest": REPEATED, "induction_highest": FOLLOWED}
"""The numbers of queries whose highest weight is on such a key, in the same way."""
NEWLINES = ("\n", "\r\n", "\n\n", "Ċ", "ĊĊ", "čĊ", "<0x0A>")
"""Spellings of newlines in vocabularies."""


def at(offset: int) -> str:
    """Return the column that counts the queries whose highest weight is at an offset."""
    return f"at_{offset:+d}"


@dataclass(frozen=True)
class TokenRoles:
    """Sums over the queries of a text, each next to the same sum for uniform attention.

    `queries` are the tokens that see more than one key, without a special token at the end of the text, as in
    Voita et al. `repeated` are those of them that see an earlier token of the same id, and `followed` those
    that see a token between the two which follows such a token. Special tokens are not in these two.

    - `largest` is the highest weight of a query, max_j A_ij.
    - `previous` is A_i,i−1, `first` the weight of the first token, and `delimiter` that of special tokens
      after the first, punctuation and newlines.
    - `share_of_uniform` is the entropy of a row divided by ln of the number of visible keys.
    - `duplicate` is Σ A_ij over earlier tokens j of the same id, and `induction` is Σ A_i,j+1 over these j
      where j+1 < i. `duplicate_highest` and `induction_highest` count the queries whose highest weight is on
      one of these keys.
    - `at_-1` and the others count the queries whose highest weight, the first of ties, is at an offset. By
      chance it is at any visible key.

    Attributes:
        punctuation: Spellings of the tokens that count as punctuation, without a blank between them.
        reach: Largest offset that is counted, to the left and to the right.
        weighted: Whether attention is weighted by the values that it moves.
    """

    punctuation: str = ".,;:!?"
    reach: int = 8
    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "token_roles"

    @property
    def offsets(self) -> tuple[int, ...]:
        """The offsets that are counted, the nearest first: 0, -1, 1, -2, ..."""
        return tuple(sorted(range(-self.reach, self.reach + 1), key=abs))

    @property
    def columns(self) -> tuple[str, ...]:
        """The sums and the same by chance, the numbers of queries, and the visible keys after them."""
        sums = (*SUMS, *HIGHEST, *map(at, self.offsets))
        return (*sums, *map(by_chance, sums), QUERIES, REPEATED, FOLLOWED, "ahead")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs, seen = attention.read(), attention.visible
        of_mask = seen.once(self, lambda: self._of_mask(inputs, seen))
        highest = attention.weights.argmax(3)
        parts = (
            self._sums(attention.weights, attention.nats, inputs, of_mask.marks),
            _hits(highest, of_mask.marks),
            self._offsets(highest, of_mask.marks.counted),
        )
        return attention.per_unit(next_to(torch.cat(parts, 2), *of_mask.numbers))

    def _of_mask(self, inputs: TokenBatch, seen: Visible) -> _OfMask:
        counted = seen.several & ~_end(inputs)
        same, follows = earlier_and_followers(inputs)
        there = seen.keys & counted.unsqueeze(2)
        marks = _Marks(seen, counted, same & there, follows & there)
        rows = torch.stack([counted, marks.same.any(2), marks.follows.any(2)], 2)
        ahead = (seen.keys.triu(1).sum(2) * counted).sum(1, keepdim=True)
        sizes = torch.cat([rows.sum(1), ahead], 1).double().unsqueeze(1)
        chance = self._sums(seen.uniform, entropy(seen.uniform), inputs, marks)
        # a highest weight at any visible key is on some of them as often as the weight of uniform attention
        by_luck = (chance, chance[..., -len(HIGHEST) :], self._even_offsets(marks).unsqueeze(1))
        return _OfMask(marks, (*by_luck, sizes))

    def _sums(self, weights: Tensor, nats: Tensor, inputs: TokenBatch, marks: _Marks) -> Tensor:
        """Return the sums of `SUMS`, float64 (texts, heads, sums)."""
        weights = weights.to(torch.promote_types(weights.dtype, torch.float32))
        delimiters = inputs.separators | inputs.spelled((*self.punctuation, *NEWLINES))
        kinds = torch.stack([inputs.first, delimiters], 2).to(weights.dtype)
        first, delimiter = torch.matmul(weights, kinds.unsqueeze(1)).unbind(3)
        parts = (
            weights.amax(3),
            torch.nn.functional.pad(weights.diagonal(-1, 2, 3), (1, 0)),
            first,
            delimiter,
            nats / marks.seen.most_nats.unsqueeze(1),
        )
        of_pairs = [_of_pairs(weights, pairs) for pairs in (marks.same_pairs, marks.follows_pairs)]
        return torch.cat([summed(parts, marks.counted), torch.stack(of_pairs, 2)], 2)

    def _offsets(self, highest: Tensor, counted: Tensor) -> Tensor:
        """Return the number of queries whose highest weight is at each offset, (texts, heads, offsets)."""
        places = torch.arange(highest.shape[2], device=highest.device)
        # one bin more on either side takes the offsets out of reach, and the queries that do not count
        bins = (highest - places).clamp(-self.reach - 1, self.reach + 1) + self.reach + 1
        bins = bins.masked_fill(~counted.unsqueeze(1), 0)
        found = highest.new_zeros(*bins.shape[:2], 2 * self.reach + 3, dtype=torch.float64)
        found.scatter_add_(2, bins, torch.ones_like(bins, dtype=torch.float64))
        return found[..., [offset + self.reach + 1 for offset in self.offsets]]

    def _even_offsets(self, marks: _Marks) -> Tensor:
        """Return the same for a highest weight at any visible key, float64 (texts, offsets)."""
        shares = marks.seen.uniform.squeeze(1).double() * marks.counted.unsqueeze(2)
        length = shares.shape[1]
        sums = [
            shares.diagonal(offset, 1, 2).sum(1) if abs(offset) < length else shares.new_zeros(len(shares))
            for offset in self.offsets
        ]
        return torch.stack(sums, 1)


@dataclass(frozen=True)
class _Marks:
    """Pairs of a query that counts and a key, bool (texts, length, length).

    Attributes:
        seen: The keys that a query can see.
        counted: bool (texts, length), the queries that count.
        same: The visible earlier tokens of the same id.
        follows: The visible tokens after them.
    """

    seen: Visible
    counted: Tensor
    same: Tensor
    follows: Tensor

    @cached_property
    def same_pairs(self) -> tuple[Tensor, ...]:
        """Text, query and key of each pair in `same`."""
        return self.same.nonzero(as_tuple=True)

    @cached_property
    def follows_pairs(self) -> tuple[Tensor, ...]:
        """Text, query and key of each pair in `follows`."""
        return self.follows.nonzero(as_tuple=True)


@dataclass(frozen=True)
class _OfMask:
    """The part of the sums that does not depend on weights: marks, and numbers (texts, 1, ...) by chance."""

    marks: _Marks
    numbers: tuple[Tensor, ...]


def _of_pairs(weights: Tensor, pairs: tuple[Tensor, ...]) -> Tensor:
    """Return the sum of the weights of some pairs, float64 (texts, heads); they are few."""
    text, query, key = pairs
    found = weights.new_zeros(weights.shape[:2], dtype=torch.float64)
    return found.index_add_(0, text, weights[text, :, query, key].double())


def _hits(highest: Tensor, marks: _Marks) -> Tensor:
    """Return the numbers of `HIGHEST`, float64 (texts, heads, 2)."""
    masks = (mask.unsqueeze(1).expand(-1, highest.shape[1], -1, -1) for mask in (marks.same, marks.follows))
    return torch.stack([mask.gather(3, highest.unsqueeze(3)).sum((2, 3)) for mask in masks], 2).double()


def earlier_and_followers(inputs: TokenBatch) -> tuple[Tensor, Tensor]:
    """Return for each token the earlier tokens of the same id, and the tokens after these that precede it.

    Args:
        inputs: The tokens of the texts; special tokens are left out.

    Returns:
        Two masks, bool (texts, queries, keys).
    """
    plain = inputs.real & ~inputs.special
    same = (inputs.ids.unsqueeze(2) == inputs.ids.unsqueeze(1)) & plain.unsqueeze(2) & plain.unsqueeze(1)
    same = same.tril(-1)
    follows = torch.nn.functional.pad(same[..., :-1], (1, 0)).tril(-1) & plain.unsqueeze(1)
    return same, follows


def _end(inputs: TokenBatch) -> Tensor:
    """Return the special tokens at the very end of texts, bool (texts, length)."""
    return inputs.last & inputs.special
