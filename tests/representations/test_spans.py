"""A word's tokens are its own, under every kind of tokenizer, and never the space before it."""

from __future__ import annotations

import re
import unicodedata

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from probing.representations.encode import Encoder
from probing.tasks.task import Unit
from tests.representations.kinds import byte_fallback, byte_level, unigram, wordpiece

TEXTS = (
    "the farmers sold unbelievables",
    "  the  tall café\u00a0walked \t slowly ",
    "café naïve 中文 😀 horses .",
    "中文 é 😀😀 é中 the",
    "🤷 the",
    "é",
)
SPELLING = {
    **{
        f"bytes-{prefix:d}{trim:d}": byte_level(prefix=prefix, trim=trim)
        for prefix in (False, True)
        for trim in (False, True)
    },
    "unigram-always": unigram("always"),
    "unigram-first": unigram("first"),
    "unigram-never": unigram("never"),
    "byte-fallback": byte_fallback(),
}


def words_of(text: str) -> list[tuple[int, int]]:
    return [(word.start(), word.end()) for word in re.finditer(r"\S+", text)]


def spelt(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    return str(tokenizer.decode(ids)).strip()


def marked(
    tokenizer: PreTrainedTokenizerFast, text: str, spans: list[tuple[int, int]]
) -> tuple[list[int], list[list[int]]]:
    """The ids of a text's tokens, and for each span the positions that the encoder marks as its own."""
    encoder = Encoder(tokenizer, frozenset({"input_ids"}), None, 512)
    (batch,) = encoder.batches([Unit(text, span) for span in spans])
    rows = batch.tokens[torch.tensor(batch.units).argsort()]
    return batch.inputs["input_ids"][0].tolist(), [row.nonzero().flatten().tolist() for row in rows]


@pytest.mark.parametrize("kind", SPELLING)
@pytest.mark.parametrize("text", TEXTS)
def test_the_pieces_of_a_word_spell_it_and_begin_and_end_with_it(kind: str, text: str) -> None:
    tokenizer = SPELLING[kind]
    ids, found = marked(tokenizer, text, words_of(text))
    pieces = tokenizer.convert_ids_to_tokens(ids)
    known = set(tokenizer.get_vocab())
    for (start, end), positions in zip(words_of(text), found, strict=True):
        word = text[start:end]
        assert positions == list(range(positions[0], positions[-1] + 1))
        assert pieces[positions[0]].strip("▁Ġ")
        assert pieces[positions[-1]].strip("▁Ġ")
        if kind.startswith("unigram") and not set(word) <= known:
            continue  # an unknown piece cannot be spelt
        assert spelt(tokenizer, [ids[position] for position in positions]) == word


@pytest.mark.parametrize("kind", SPELLING)
@pytest.mark.parametrize("text", TEXTS)
def test_every_piece_but_spaces_is_in_exactly_one_word(kind: str, text: str) -> None:
    tokenizer = SPELLING[kind]
    ids, found = marked(tokenizer, text, words_of(text))
    own = sorted(position for positions in found for position in positions)
    assert len(own) == len(set(own))
    rest = [ids[position] for position in range(len(ids)) if position not in own]
    assert spelt(tokenizer, rest) in {"", "</s>"}


@pytest.mark.parametrize("kind", SPELLING)
def test_the_space_may_belong_to_the_span(kind: str) -> None:
    """Who counts the space before a word to it, or after it, gets the same tokens."""
    text = "the  café 😀 sold"
    _, (bare, before, after) = marked(SPELLING[kind], text, [(5, 9), (3, 9), (5, 10)])
    assert bare == before == after


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The UNBELIEVABLES", [["the"], ["un", "##believ", "##able", "##s"]]),
        ("Cafe\u0301 NAI\u0308VE naïve.", [["cafe"], ["naive"], ["naive", "."]]),
        ("\u00a0Strasse\u200b  中文 ẞM", [["strasse"], ["中", "文"], ["ß", "##m"]]),
    ],
)
def test_lower_case_and_lost_accents_do_not_move_words(text: str, pieces: list[list[str]]) -> None:
    """Combining accents and zero-width spaces vanish, so that the text and what is read differ in length."""
    tokenizer = wordpiece()
    ids, found = marked(tokenizer, text, words_of(text))
    names = tokenizer.convert_ids_to_tokens(ids)
    assert [[names[position] for position in positions] for positions in found] == pieces
    assert unicodedata.normalize("NFC", text) != text or text.lower() != text


def test_parts_of_words_and_spans_of_several() -> None:
    tokenizer = wordpiece()
    text = "the unbelievables sold"
    _, found = marked(tokenizer, text, [(4, 6), (6, 12), (5, 8), (0, 17), (0, 22)])
    assert found == [[2], [3], [2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 6]]


@pytest.mark.parametrize("trim", [False, True])
def test_spaces_within_a_span_do_not_count(trim: bool) -> None:
    """A line break is a piece of its own, and as wide as nothing."""
    tokenizer = byte_level(prefix=False, trim=trim)
    text = "the dog \n\n sold"
    ids, (span,) = marked(tokenizer, text, [(4, 15)])
    pieces = tokenizer.convert_ids_to_tokens([ids[position] for position in span])
    assert "".join(pieces).replace("Ġ", "") == "dogsold"


def test_a_mark_that_is_the_word_itself_counts() -> None:
    """Somebody writes about sentencepiece, or takes spaces for words."""
    text = "the ▁ sold"
    _, found = marked(unigram("always"), text, [(4, 5)])
    assert len(found[0]) >= 1
    ids, (space,) = marked(byte_level(prefix=False, trim=False), "the  sold", [(3, 4)])
    assert SPELLING["bytes-00"].convert_ids_to_tokens([ids[space[0]]]) == ["Ġ"]


@pytest.mark.parametrize(
    ("text", "span"), [("the \u0301 sold", (4, 5)), ("the\u200b sold", (3, 4)), ("the  sold", (3, 5))]
)
def test_what_the_tokenizer_leaves_out_is_missing(text: str, span: tuple[int, int]) -> None:
    (batch,) = Encoder(wordpiece(), frozenset({"input_ids"}), None, 512).batches(
        [Unit(text, (0, 3)), Unit(text, span)]
    )
    assert (batch.units, batch.missing, batch.truncated) == ((0,), (1,), ())
    assert batch.tokens.tolist() == [[place == 1 for place in range(batch.tokens.shape[1])]]
