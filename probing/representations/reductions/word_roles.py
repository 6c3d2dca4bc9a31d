"""Sums of attention that show the roles of a head, between words (Voita et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from probing.io.lazy import torch
from probing.representations.reductions.token_batch import NOWHERE
from probing.representations.reductions.word_level import first_and_last, seen_words

if TYPE_CHECKING:  # a cached statistic needs none of what computes it
    from torch import Tensor

    from probing.representations.reductions.statistic import AttentionBatch
    from probing.representations.reductions.token_batch import TokenBatch


@dataclass(frozen=True)
class WordRoles:
    """Sums over the words of a text that see more than one word, as queries.

    The attention of a word is the mean over its pieces, and attention to a word the sum over its pieces. The
    target of a unit is the word that its span is in, such as the rarest one of its text. A unit without a
    span, or whose span touches several words, has no target.

    Tokens outside of words, such as [SEP], are keys of their own.

    - `words` counts the queries, and `word_largest` sums their highest weight, max_j A_ij.
    - `aware` counts the queries that see the target. `target` counts those of them whose highest weight, the
      first of ties, is on the target; by chance it is on any visible key.

    Attributes:
        weighted: Whether attention is weighted by the values that it moves.
    """

    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "word_roles"

    @property
    def columns(self) -> tuple[str, ...]:
        """The sums, the same by chance, and the numbers of queries."""
        return ("word_largest", "target", "word_largest_by_chance", "target_by_chance", "words", "aware")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, columns).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs = attention.read()
        if not inputs.word_count:
            return _nothing(attention, len(self.columns))
        seen = attention.visible
        visible, others = seen.once("words", lambda: _visible(seen.keys, inputs))
        queries = visible.sum(2) > 1
        found, outside = _of_words(attention.weights, inputs)
        even, even_outside = seen.once("uniform words", lambda: _of_words(seen.uniform, inputs))
        targets = _targets(attention, inputs)
        aware = attention.per_unit(queries) & _sees(attention.per_unit(visible), targets)
        counts = attention.per_unit(visible.sum(2) + others).clamp_min(1).double()
        columns = (
            attention.per_unit(_largest(found, outside, queries)),
            _hits(attention.per_unit(_highest(found, outside)), targets, aware),
            attention.per_unit(_largest(even, even_outside, queries)),
            (aware / counts).sum(1, keepdim=True),
            attention.per_unit(queries.sum(1, keepdim=True)),
            aware.sum(1, keepdim=True),
        )
        heads = attention.weights.shape[1]
        return torch.stack([column.double().expand(-1, heads) for column in columns], 2)


@dataclass(frozen=True)
class HighestWord:
    """For one word of a text, the index of the word that it attends to most, and the words that it sees.

    The unit is a word: its span is one of `Unit.words`, which indices refer to. The word itself is a key as
    any other, and tokens outside of words are too; the index is -1 if one of them has the highest weight. The
    first of equal words counts. The word sees those from `sees_from` to `sees_to`: all words of the text,
    those before it, or a window.

    Attributes:
        weighted: Whether attention is weighted by the values that it moves.
    """

    weighted: bool = False

    @property
    def name(self) -> str:
        """The name in the key of the cache."""
        return "highest_word"

    @property
    def columns(self) -> tuple[str, ...]:
        """The index of the word, and of the first and last words that are seen."""
        return ("highest", "sees_from", "sees_to")

    def reduce(self, attention: AttentionBatch) -> Tensor:
        """Reduce one batch; float64 (units, heads, 3).

        Raises:
            ProbingError: If queries and keys are not the tokens of the texts.
        """
        inputs = attention.read()
        words = _targets(attention, inputs)
        if not inputs.word_count:
            return _nothing(attention, 3).fill_(NOWHERE)
        highest = attention.per_unit(_highest(*_of_words(attention.weights, inputs)))
        found = highest.gather(2, _index(words).expand(-1, highest.shape[1], 1))
        seen = first_and_last(seen_words(attention.visible.keys, inputs))
        ends = attention.per_unit(seen.permute(1, 2, 0)).gather(1, _index(words).expand(-1, 1, 2))
        whole = torch.cat([found, ends.expand(-1, found.shape[1], -1)], 2)
        return whole.masked_fill(~words.any(1)[:, None, None], NOWHERE).double()


def _nothing(attention: AttentionBatch, columns: int) -> Tensor:
    """Return zeros for units of texts without words, float64 (units, heads, columns)."""
    heads = attention.weights.shape[1]
    return attention.weights.new_zeros(len(attention.tokens), heads, columns, dtype=torch.float64)


def _of_words(weights: Tensor, inputs: TokenBatch) -> tuple[Tensor, Tensor]:
    """Return the attention of words to words, and the highest weight of a token outside of words.

    Returns:
        Two tensors of at least float32, (texts, heads, words, words) and (texts, heads, words); 0 for words
        without tokens.
    """
    wide = torch.promote_types(weights.dtype, torch.float32)
    count = inputs.word_count
    outside = inputs.real & (inputs.words == NOWHERE)
    extra = max(1, int(outside.sum(1).max()))
    # queries outside of words are summed in one row more, which is dropped; padding has no weight as a key
    queries = inputs.words.masked_fill(inputs.words == NOWHERE, count)
    keys = torch.where(outside, count + outside.cumsum(1) - 1, inputs.words.clamp_min(0))
    rows = weights.new_zeros(*weights.shape[:2], count + 1, weights.shape[3], dtype=wide)
    found = weights.new_zeros(*weights.shape[:2], count, count + extra, dtype=wide)
    sizes = inputs.members.sum(1).clamp_min(1).to(wide)
    for text, own in enumerate(weights.to(wide)):  # sums by index are several times as fast as products
        of_text = rows[text].index_add_(1, queries[text], own)[:, :count]
        found[text].index_add_(2, keys[text], of_text / sizes[text, :, None])
    return found[..., :count], found[..., count:].amax(3)


def _largest(words: Tensor, outside: Tensor, queries: Tensor) -> Tensor:
    """Return the sum of the highest weight of each query, float64 (texts, heads)."""
    most = torch.maximum(words.amax(3), outside)
    return most.double().masked_fill(~queries.unsqueeze(1), 0).sum(2)


def _hits(highest: Tensor, targets: Tensor, aware: Tensor) -> Tensor:
    """Return the number of queries whose highest weight is on the target, (units, heads)."""
    return ((highest == _index(targets)) & aware.unsqueeze(1)).sum(2)


def _highest(words: Tensor, outside: Tensor) -> Tensor:
    """Return the word with the highest weight of each query, -1 for other tokens; (texts, heads, words)."""
    return words.argmax(3).masked_fill(words.amax(3) < outside, NOWHERE)


def _index(targets: Tensor) -> Tensor:
    """Return the index of the target of each unit, int64 (units, 1, 1)."""
    return targets.int().argmax(1)[:, None, None]


def _sees(visible: Tensor, targets: Tensor) -> Tensor:
    """Return the words that see the target of a unit, bool (units, words)."""
    return (visible & targets.unsqueeze(1)).any(2)


def _visible(seen: Tensor, inputs: TokenBatch) -> tuple[Tensor, Tensor]:
    """Return the words of which a word sees some token, and the number of other tokens that it sees.

    Returns:
        bool (texts, words, words) and int64 (texts, words).
    """
    tokens = torch.matmul(inputs.members.transpose(1, 2), seen.float()) > 0  # (texts, words, length)
    return seen_words(seen, inputs), (tokens & (inputs.words == NOWHERE).unsqueeze(1)).sum(2)


def _targets(attention: AttentionBatch, inputs: TokenBatch) -> Tensor:
    """Return the target of each unit, bool (units, words), with at most one word."""
    touched = torch.where(attention.tokens, attention.per_unit(inputs.words), -1)
    single = touched.amax(1)
    whole = ((touched == single.unsqueeze(1)) == attention.tokens).all(1) & (single >= 0)
    places = torch.arange(inputs.word_count, device=touched.device)
    return (places == single.unsqueeze(1)) & whole.unsqueeze(1)
