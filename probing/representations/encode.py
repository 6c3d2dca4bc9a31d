"""From units of text to padded batches of token ids, with the tokens of each unit marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.errors import ProbingError
from probing.tasks.task import Unit

WINDOW = 4096  # texts that are tokenised together, so that memory does not grow with the corpus


@dataclass(frozen=True)
class Batch:
    """Some texts, ready for the model, and the units in them.

    Attributes:
        inputs: int64 tensors (texts, seq), by the name of the model's argument.
        units: Places in the list of units that was encoded, one for each row of `tokens`.
        tokens: bool (units, seq), the tokens of each unit.
        texts: int64 (units,), the row of `inputs` that each unit is in; None where unit i is row i.
        truncated: The units whose text was cut.
    """

    inputs: dict[str, Tensor]
    units: tuple[int, ...]
    tokens: Tensor
    texts: Tensor | None
    truncated: tuple[int, ...]

    def to(self, device: torch.device) -> Batch:
        """The same batch with its tensors on a device."""
        inputs = {name: tensor.to(device) for name, tensor in self.inputs.items()}
        texts = None if self.texts is None else self.texts.to(device)
        return Batch(inputs, self.units, self.tokens.to(device), texts, self.truncated)


@dataclass(frozen=True)
class _Text:
    ids: dict[str, list[int]]
    offsets: list[tuple[int, int]]
    cut: bool
    units: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids["input_ids"])


@dataclass(frozen=True)
class Encoder:
    """A tokenizer with the limits that it is used under.

    Attributes:
        tokenizer: Any tokenizer; units with a span need a fast one, for its character offsets.
        arguments: Names of the tensors that the model's forward pass accepts.
        max_length: Tokens after which a text is cut, or None.
        token_budget: Most tokens in a batch, padding included.
    """

    tokenizer: PreTrainedTokenizerBase
    arguments: frozenset[str]
    max_length: int | None
    token_budget: int

    def batches(self, units: Sequence[Unit]) -> Iterator[Batch]:
        """Batches of like length, the longest first, so that memory runs out at once or never.

        Raises:
            ProbingError: If a text has no tokens, or a unit's span covers none.
        """
        by_text: dict[str, list[int]] = {}
        for place, unit in enumerate(units):
            by_text.setdefault(unit.text, []).append(place)
        texts = sorted(by_text, key=len, reverse=True)
        spans = any(unit.span for unit in units)
        for start in range(0, len(texts), WINDOW):
            window = texts[start : start + WINDOW]
            encoded = self._tokenize(window, [tuple(by_text[text]) for text in window], spans=spans)
            encoded.sort(key=len, reverse=True)
            for group in self._groups(encoded):
                yield self._batch(group, units)

    def _tokenize(self, texts: list[str], units: list[tuple[int, ...]], *, spans: bool) -> list[_Text]:
        options: dict[str, Any] = {"padding": False, "return_attention_mask": False, "verbose": False}
        if self.max_length is not None:
            options |= {"truncation": True, "max_length": self.max_length}
        fast = self.tokenizer.is_fast
        encoded = self.tokenizer(texts, **options)
        offsets = [item.offsets for item in encoded.encodings] if fast and spans else [[] for _ in texts]
        names = [name for name in encoded if name in self.arguments or name == "input_ids"]
        cut = [bool(item.overflowing) for item in encoded.encodings] if fast else self._cut(texts)
        return [
            _Text({name: encoded[name][i] for name in names}, offsets[i], cut[i], units[i])
            for i in range(len(texts))
        ]

    def _cut(self, texts: list[str]) -> list[bool]:
        if self.max_length is None:
            return [False] * len(texts)
        lengths = [len(ids) for ids in self.tokenizer(texts, padding=False, verbose=False)["input_ids"]]
        return [length > self.max_length for length in lengths]

    def _groups(self, texts: list[_Text]) -> Iterator[list[_Text]]:
        group: list[_Text] = []
        for text in texts:
            if group and (len(group) + 1) * len(group[0]) > self.token_budget:
                yield group
                group = []
            group.append(text)
        if group:
            yield group

    def _batch(self, texts: list[_Text], units: Sequence[Unit]) -> Batch:
        longest = len(texts[0])
        inputs = {
            name: _pad([text.ids[name] for text in texts], self._filler(name), longest)
            for name in texts[0].ids
        }
        real = np.arange(longest) < np.array([[len(text)] for text in texts])
        places = tuple(place for text in texts for place in text.units)
        rows = [row for row, text in enumerate(texts) for _ in text.units]
        tokens = np.stack(
            [_unit_tokens(units[p], texts[row], real[row]) for p, row in zip(places, rows, strict=True)]
        )
        if "attention_mask" in self.arguments:
            inputs["attention_mask"] = torch.from_numpy(real.astype(np.int64))
        alone = len(places) == len(texts)
        cut = tuple(place for text in texts if text.cut for place in text.units)
        return Batch(inputs, places, torch.from_numpy(tokens), None if alone else torch.tensor(rows), cut)

    def _filler(self, name: str) -> int:
        return (self.tokenizer.pad_token_id or 0) if name == "input_ids" else 0


def _pad(rows: list[list[int]], filler: int, length: int) -> Tensor:
    padded = np.full((len(rows), length), filler, dtype=np.int64)
    for row, values in enumerate(rows):
        padded[row, : len(values)] = values
    return torch.from_numpy(padded)


def _unit_tokens(unit: Unit, text: _Text, real: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which tokens of its text a unit is made of; bool (seq,)."""
    tokens = real if unit.span is None else _inside(unit.span, text, real)
    if not tokens.any():
        what = "has no tokens" if unit.span is None else f"has no tokens in its span {unit.span}"
        raise ProbingError(f"the text {unit.text[:60]!r} {what}; remove it from the task")
    return tokens


def _inside(span: tuple[int, int], text: _Text, real: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if not text.offsets:
        raise ProbingError("words and spans need character offsets; use a model with a fast tokenizer")
    start, end = span
    tokens = np.zeros_like(real)
    for position, (first, last) in enumerate(text.offsets):
        tokens[position] = first < end and last > start and last > first
    return tokens
