"""Sums of attention that show the roles of a head, between tokens (Voita et al. 2019; Olsson et al. 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.entropy import entropy
from probing.representations.reductions.visible import by_chance, next_to, uniform_over, visible_keys

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch

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
        inputs = attention.read()
        seen = visible_keys(attention.weights, inputs.real)
        counted = (seen.sum(2) > 1) & ~_end(inputs)
        same, follows = earlier_and_followers(inputs)
        marks = _Marks(seen, counted, same & seen, follows & seen)
        rows = torch.stack([counted, counted & marks.same.any(2), counted & marks.follows.any(2)], 2)
        ahead = (seen.triu(1).sum(2) * counted).sum(1, keepdim=True)
        sizes = torch.cat([rows.sum(1), ahead], 1).double()
        highest = attention.weights.argmax(3)
        chance = self._sums(uniform_over(seen), inputs, marks)
        # a highest weight at any visible key is on some of them as often as the weight of uniform attention
        by_luck = (chance, chance[..., -len(HIGHEST) :], self._even_offsets(marks).unsqueeze(1))
        parts = (
            self._sums(attention.weights, inputs, marks),
            _hits(highest, marks),
            self._offsets(highest, counted),
        )
        return attention.per_unit(next_to(torch.cat(parts, 2), *by_luck, sizes.unsqueeze(1)))

    def _sums(self, weights: Tensor, inputs: TokenBatch, marks: _Marks) -> Tensor:
        """Return the sums of `SUMS`, float64 (texts, heads, sums)."""
        wide = torch.promote_types(weights.dtype, torch.float32)
        delimiters = inputs.separators | inputs.spelled((*self.punctuation, *NEWLINES))
        kinds = torch.stack([inputs.first, delimiters], 2).to(weights.dtype)
        first, delimiter = torch.matmul(weights, kinds.unsqueeze(1)).unbind(3)
        most = marks.seen.sum(2).clamp_min(2).double().log().unsqueeze(1)
        parts = (
            weights.amax(3),
            torch.nn.functional.pad(weights.diagonal(-1, 2, 3), (1, 0)),
            first,
            delimiter,
            entropy(weights).double() / most,
            (weights * marks.same.unsqueeze(1)).sum(3, dtype=wide),
            (weights * marks.follows.unsqueeze(1)).sum(3, dtype=wide),
        )
        left_out = ~marks.counted.unsqueeze(1)
        return torch.stack([part.double().masked_fill(left_out, 0).sum(2) for part in parts], 2)

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
        shares = uniform_over(marks.seen).squeeze(1).double() * marks.counted.unsqueeze(2)
        length = shares.shape[1]
        sums = [
            shares.diagonal(offset, 1, 2).sum(1) if abs(offset) < length else shares.new_zeros(len(shares))
            for offset in self.offsets
        ]
        return torch.stack(sums, 1)


@dataclass(frozen=True)
class _Marks:
    """Pairs of a query and a key, bool (texts, length, length), and the queries that count.

    Attributes:
        seen: The keys that a query can see.
        counted: bool (texts, length), the queries that count.
        same: The visible earlier tokens of the same id.
        follows: The visible tokens after them.
    """

    seen: Tensor
    counted: Tensor
    same: Tensor
    follows: Tensor


def _hits(highest: Tensor, marks: _Marks) -> Tensor:
    """Return the numbers of `HIGHEST`, float64 (texts, heads, 2)."""
    found = [
        (mask & marks.counted.unsqueeze(2)).unsqueeze(1).expand(-1, highest.shape[1], -1, -1)
        for mask in (marks.same, marks.follows)
    ]
    return torch.stack([mask.gather(3, highest.unsqueeze(3)).sum((2, 3)) for mask in found], 2).double()


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
    last = inputs.real & (inputs.real.flip(1).cumsum(1).flip(1) == 1)
    return last & inputs.special
