"""The tokens of an encoded batch, arranged for statistics of attention."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.representations.encode import EncodedBatch
from probing.representations.reductions.token_batch import NOWHERE, TokenBatch
from probing.representations.spans import span_tokens
from probing.representations.tokens import Tokens
from probing.tasks.task import Unit

_Numbers = NDArray[np.int64]


def token_batch(batch: EncodedBatch, tokenizer: PreTrainedTokenizerBase) -> TokenBatch:
    """Return the tokens of a batch with their texts, words and spellings, on the device of the batch.

    A tokenizer that does not report characters gives no words and no offsets, and its special tokens are
    those that have a special id.
    """
    ids = batch.inputs["input_ids"]
    length, device = ids.shape[1], ids.device
    tokens = [item for _, item in batch.rows]
    words = [_words(unit, item) for unit, item in batch.rows]

    def padded(rows: Sequence[_Numbers], filler: int) -> torch.Tensor:
        found = np.full((len(rows), length, *rows[0].shape[1:]), filler, dtype=np.int64)
        for row, values in enumerate(rows):
            found[row, : len(values)] = values
        return torch.from_numpy(found).to(device)

    return TokenBatch(
        ids=ids,
        real=batch.real,
        special=padded([_special(item, tokenizer) for item in tokens], 0).bool(),
        segments=padded([_segments(item, tokenizer) for item in tokens], NOWHERE),
        words=padded(words, NOWHERE),
        offsets=padded([_offsets(item) for item in tokens], 0),
        pieces=tuple(tuple(_pieces(item, tokenizer)) for item in tokens),
        units=tuple(unit for unit, _ in batch.rows),
    )


def _special(tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> _Numbers:
    if tokens.kept is not None:
        return np.array(tokens.kept.special_tokens_mask, dtype=np.int64)
    return np.isin(tokens.ids["input_ids"], tokenizer.all_special_ids).astype(np.int64)


def _segments(tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> _Numbers:
    if tokens.kept is None:
        return np.where(_special(tokens, tokenizer), NOWHERE, 0)
    return np.array([NOWHERE if each is None else each for each in tokens.kept.sequence_ids], dtype=np.int64)


def _offsets(tokens: Tokens) -> _Numbers:
    found = [(0, 0)] * len(tokens) if tokens.kept is None else tokens.kept.offsets
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _pieces(tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> list[str]:
    if tokens.kept is not None:
        return tokens.kept.tokens
    return list(tokenizer.convert_ids_to_tokens(tokens.ids["input_ids"]))


def _words(unit: Unit, tokens: Tokens) -> _Numbers:
    """Return the number of the word of each token; a token that touches several belongs to the first."""
    found = np.full(len(tokens), NOWHERE)
    if not unit.words or tokens.kept is None:
        return found
    members, lost = span_tokens(unit.text, unit.words, tokens.kept, tokens.whole)
    members[lost] = False
    return np.where(members.any(0), members.argmax(0), NOWHERE)
