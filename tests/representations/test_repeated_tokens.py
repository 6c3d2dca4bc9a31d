"""Texts of repeated random tokens: for every tokenizer they give the tokens twice, or there are none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from transformers import PreTrainedTokenizerBase

from probing.representations.repeated_tokens import repeated_texts
from tests.representations import kinds
from tests.tiny import _word_tokenizer, byte_tokenizer

TOKENIZERS: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "bytes": byte_tokenizer,
    "words": lambda: _word_tokenizer(64),
    "gpt2": lambda: kinds.byte_level(prefix=False, trim=True),
    "roberta": lambda: kinds.byte_level(prefix=True, trim=False),
    "t5": lambda: kinds.unigram("always"),
}


@pytest.fixture(params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerBase:
    return TOKENIZERS[request.param]()


def test_a_text_gives_a_sequence_twice_without_a_repeat_in_it(tokenizer: PreTrainedTokenizerBase) -> None:
    texts = repeated_texts(tokenizer, 8, 5, 0)
    assert len(set(texts)) == 5
    for text in texts:
        encoded = tokenizer(text, return_special_tokens_mask=True)
        marks = encoded["special_tokens_mask"]
        ids = [token for token, mark in zip(encoded["input_ids"], marks, strict=True) if not mark]
        assert len(ids) == 16
        assert ids[:8] == ids[8:]
        assert len(set(ids)) == 8


def test_the_draw_is_seeded(tokenizer: PreTrainedTokenizerBase) -> None:
    texts = repeated_texts(tokenizer, 8, 3, 0)
    repeated_texts.cache_clear()
    assert repeated_texts(tokenizer, 8, 3, 0) == texts
    assert repeated_texts(tokenizer, 8, 3, 1) != texts


def test_a_small_vocabulary_gives_shorter_sequences(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        (text, _) = repeated_texts(_word_tokenizer(64), 500, 2, 0)
    assert f"random sequences have {len(text.split()) // 2} tokens" in caplog.text


def test_a_tokenizer_of_characters_gives_none() -> None:
    assert repeated_texts(kinds.byte_fallback(), 8, 3, 0) == ()
