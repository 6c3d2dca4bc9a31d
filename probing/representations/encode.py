"""Encoding of units of text as padded batches of token ids, with the tokens of each unit marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.errors import ProbingError
from probing.models.padding import FILLED_WITH_0, Padding
from probing.representations.spans import span_tokens
from probing.representations.tokens import TextPair, Tokens, characters, source_of, tokenize
from probing.tasks.task import Unit

Span = tuple[int, int]
WINDOW = 4096  # texts tokenised together, so that memory does not grow with the corpus


@dataclass(frozen=True)
class EncodedBatch:
    """Some texts as model inputs, and the units in them.

    Attributes:
        inputs: int64 tensors (texts, seq), by the name of the model's argument.
        units: Positions in the list of encoded units, one for each row of `tokens`.
        tokens: bool (units, seq), the tokens of each unit.
        real: bool (texts, seq), the tokens that are not padding.
        texts: int64 (units,), the row of `inputs` that each unit is in; None where unit i is row i.
        truncated: The units whose text was truncated.
        missing: The units without a row of `tokens`: those that were cut off in whole or in part, and words
            to which the tokenizer assigns no token.
        rows: One of the units of each row of `inputs`, with the tokens of its text.
        second: bool (units, seq), the tokens of the second span of each unit; None if no unit has one.
    """

    inputs: dict[str, Tensor]
    units: tuple[int, ...]
    tokens: Tensor
    real: Tensor
    texts: Tensor | None
    truncated: tuple[int, ...]
    missing: tuple[int, ...] = ()
    rows: tuple[tuple[Unit, Tokens], ...] = ()
    second: Tensor | None = None

    def to(self, device: torch.device) -> EncodedBatch:
        """Return the same batch with its tensors on a device."""
        inputs = {name: tensor.to(device) for name, tensor in self.inputs.items()}
        texts = None if self.texts is None else self.texts.to(device)
        second = None if self.second is None else self.second.to(device)
        tokens, real = self.tokens.to(device), self.real.to(device)
        return replace(self, inputs=inputs, tokens=tokens, real=real, texts=texts, second=second)


@dataclass(frozen=True)
class _Text:
    source: TextPair
    tokens: Tokens
    units: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class Encoder:
    """A tokenizer with its limits.

    Attributes:
        tokenizer: Any tokenizer; units with a span need a fast one, for its character offsets.
        arguments: Names of the tensors that the model's forward pass accepts.
        max_length: Number of tokens after which a text is truncated, or None.
        token_budget: Maximum number of tokens in a batch, including padding.
        shared: Whether units of one text share its row; otherwise every unit has its own row.
        padding: The token that fills short texts, and the rule for which texts may share a batch.
        pair_budget: Maximum number of pairs of tokens in a batch of several texts, including padding; None
            does not limit them. Attention needs memory for each pair.
    """

    tokenizer: PreTrainedTokenizerBase
    arguments: frozenset[str]
    max_length: int | None
    token_budget: int
    shared: bool = True
    padding: Padding = FILLED_WITH_0
    pair_budget: int | None = None

    def batches(self, units: Sequence[Unit]) -> Iterator[EncodedBatch]:
        """Yield batches of texts of similar length, longest first, so that memory runs out at once or never.

        Raises:
            ProbingError: If a text has no tokens, or the limit is too small for two texts.
        """
        sources = sorted(self._sources(units), key=lambda source: characters(source[0]), reverse=True)
        for start in range(0, len(sources), WINDOW):
            window = sources[start : start + WINDOW]
            tokens = tokenize(self.tokenizer, [source for source, _ in window], self.max_length)
            texts = [
                _Text(source, item, tuple(places))
                for (source, places), item in zip(window, tokens, strict=True)
            ]
            texts.sort(key=lambda text: (len(text), self._alike(text)), reverse=True)
            for group in self._groups(texts):
                yield self._batch(group, units)

    def _sources(self, units: Sequence[Unit]) -> list[tuple[TextPair, list[int]]]:
        """Return the texts that become rows, each with the units in it."""
        if not self.shared:
            return [(source_of(unit), [place]) for place, unit in enumerate(units)]
        by_source: dict[TextPair, dict[object, list[int]]] = {}
        for place, unit in enumerate(units):
            by_source.setdefault(source_of(unit), {}).setdefault(_words_of(unit), []).append(place)
        return [(source, group) for source, groups in by_source.items() for group in _by_words(groups)]

    def _groups(self, texts: list[_Text]) -> Iterator[list[_Text]]:
        group: list[_Text] = []
        for text in texts:
            full = group and self._full(len(group) + 1, len(group[0]))
            if full or (group and self._alike(text) != self._alike(group[0])):
                yield group
                group = []
            group.append(text)
        if group:
            yield group

    def _full(self, texts: int, length: int) -> bool:
        pairs = self.pair_budget is not None and texts * length**2 > self.pair_budget
        return pairs or texts * length > self.token_budget

    def _alike(self, text: _Text) -> tuple[int, int]:
        return self.padding.alike(text.tokens.ids["input_ids"])

    def _batch(self, texts: list[_Text], units: Sequence[Unit]) -> EncodedBatch:
        longest = len(texts[0])
        places = np.array([place for text in texts for place in text.units])
        own = [units[place] for place in places]
        tokens, lost = _marks(texts, [unit.span for unit in own], longest)
        second = None
        if any(unit.second_span is not None for unit in own):
            second, also_lost = _marks(texts, [unit.second_span for unit in own], longest)
            second[[unit.second_span is None for unit in own]] = False
            lost |= also_lost
        rows = np.repeat(np.arange(len(texts)), [len(text.units) for text in texts])[~lost]
        alone = np.array_equal(rows, np.arange(len(texts)))
        real = _pad([[1] * len(text) for text in texts], 0, longest)
        return EncodedBatch(
            inputs=self._inputs(texts, longest, real),
            units=tuple(places[~lost].tolist()),
            tokens=torch.from_numpy(tokens[~lost]),
            real=real.bool(),
            texts=None if alone else torch.from_numpy(rows),
            truncated=tuple(place for text in texts if text.tokens.cut for place in text.units),
            missing=tuple(places[lost].tolist()),
            rows=tuple((units[text.units[0]], text.tokens) for text in texts),
            second=None if second is None else torch.from_numpy(second[~lost]),
        )

    def _inputs(self, texts: list[_Text], length: int, real: Tensor) -> dict[str, Tensor]:
        names = [name for name in texts[0].tokens.ids if name in self.arguments or name == "input_ids"]
        inputs = {
            name: _pad([text.tokens.ids[name] for text in texts], self._filler(name), length)
            for name in names
        }
        if "attention_mask" in self.arguments:
            inputs["attention_mask"] = real
        return inputs

    def _filler(self, name: str) -> int:
        return self.padding.token if name == "input_ids" else 0


def _words_of(unit: Unit) -> object:
    """Return what statistics know of a unit apart from the model's input; None if that is nothing."""
    return (unit.words, unit.origin) if unit.words or unit.origin else None


def _by_words(groups: dict[object, list[int]]) -> list[list[int]]:
    """Return units of one text in groups with the same words; units that name no words join the first."""
    named = [group for words, group in groups.items() if words is not None]
    if not named:
        return list(groups.values())
    return [[*named[0], *groups.get(None, [])], *named[1:]]


def _pad(rows: list[list[int]], filler: int, length: int) -> Tensor:
    padded = np.full((len(rows), length), filler, dtype=np.int64)
    for row, values in enumerate(rows):
        padded[row, : len(values)] = values
    return torch.from_numpy(padded)


def _marks(
    texts: Sequence[_Text], spans: Sequence[Span | None], length: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the tokens of one span of each unit, bool (units, length), and which spans have no vector."""
    starts = np.cumsum([0, *(len(text.units) for text in texts)]).tolist()
    found = [
        _mark(text, spans[start : start + len(text.units)], length)
        for text, start in zip(texts, starts, strict=False)
    ]
    return np.concatenate([tokens for tokens, _ in found]), np.concatenate([lost for _, lost in found])


def _mark(
    text: _Text, spans: Sequence[Span | None], length: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the tokens of spans of a text, bool (spans, length), and which have no vector; None is all."""
    tokens = np.zeros((len(spans), length), dtype=bool)
    tokens[:, : len(text)] = True
    lost = np.zeros(len(spans), dtype=bool)
    first = text.source[0]
    if not len(text):
        raise ProbingError(f"the text {first[:60]!r} has no tokens; remove it from the task")
    given = {row: span for row, span in enumerate(spans) if span is not None}
    if given:
        if text.tokens.kept is None:
            raise ProbingError("words and spans need character offsets; use a model with a fast tokenizer")
        rows = list(given)
        found = span_tokens(first, list(given.values()), text.tokens.kept, text.tokens.whole)
        tokens[rows, : len(text)], lost[rows] = found
    return tokens, lost
