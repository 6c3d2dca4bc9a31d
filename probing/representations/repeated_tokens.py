"""Texts of random tokens that occur twice, for heads that find an earlier token (Olsson et al. 2022)."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # finding a cached result needs no tokenizer
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

log = logging.getLogger(__name__)
POOL = 20
"""Tokens that are drawn from for each token of a text."""
_LEAST = 4
_TRIES = 50


@lru_cache(maxsize=2)
def repeated_texts(tokenizer: PreTrainedTokenizerBase, length: int, count: int, seed: int) -> tuple[str, ...]:
    """Return texts whose tokens are a random sequence twice, without a repeat within the sequence.

    A model reads texts, and not every sequence of tokens has one. So tokens are drawn from those that begin a
    word and consist of letters, and each text is encoded to check that it gives the sequence twice, between
    the tokens that the tokenizer adds at either end.

    Args:
        tokenizer: The tokenizer of the model.
        length: Tokens of a sequence; fewer where the vocabulary has fewer that can be used.
        count: Number of texts.
        seed: Seed of the draw.

    Returns:
        The texts; none if the tokenizer has too few tokens that come back from a text.
    """
    rng = np.random.default_rng(seed)
    pool = _pool(tokenizer, POOL * length, rng)
    if len(pool) < _LEAST:
        return ()
    if len(pool) < length:
        log.info("random sequences have %d tokens: the vocabulary has no more that begin a word", len(pool))
    texts: list[str] = []
    for _ in range(_TRIES * count):
        drawn = rng.choice(pool, min(length, len(pool)), replace=False).tolist()
        text = _decoded(tokenizer, drawn + drawn)
        if _encoded(tokenizer, text) == drawn + drawn:
            texts.append(text)
        if len(texts) == count:
            return tuple(texts)
    return ()


def _pool(tokenizer: PreTrainedTokenizerBase, size: int, rng: np.random.Generator) -> list[int]:
    """Return up to `size` random tokens that begin a word, consist of letters, and come back from a text."""
    special = set(tokenizer.all_special_ids)
    found: list[int] = []
    for token in rng.permutation(len(tokenizer)).tolist():
        if len(found) == size:
            break
        if token in special:
            continue
        pair = _decoded(tokenizer, [token, token])
        words = pair.split()
        # two words show that the token begins one
        if len(words) == 2 and words[0].isalpha() and _encoded(tokenizer, pair) == [token, token]:
            found.append(token)
    return found


def _decoded(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> str:
    text = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
    return text if isinstance(text, str) else text[0]


def _encoded(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Return the tokens of a text as a model reads it, without those that the tokenizer adds."""
    encoded = tokenizer(text, return_attention_mask=False, return_special_tokens_mask=True, verbose=False)
    marks = encoded["special_tokens_mask"]
    return [token for token, mark in zip(encoded["input_ids"], marks, strict=True) if not mark]
