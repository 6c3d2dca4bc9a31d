"""Batches hold every unit once, within the budget, and mark each unit's own tokens."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, CanineTokenizer

from probing.errors import ProbingError
from probing.representations.encode import Encoder
from probing.tasks.task import Task, Unit
from tests.representations.kinds import byte_level, unigram, wordpiece
from tests.tiny import WORDS

ARGUMENTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


def encoder(folder: Path, *, max_length: int | None = 64, budget: int = 64) -> Encoder:
    return Encoder(AutoTokenizer.from_pretrained(folder), ARGUMENTS, max_length, budget)


def test_every_unit_comes_once_and_batches_keep_to_the_budget(tiny_bert: Path, small_task: Task) -> None:
    seen: list[int] = []
    widths = []
    for batch in encoder(tiny_bert).batches(small_task.units):
        ids = batch.inputs["input_ids"]
        assert ids.numel() <= 64 or len(ids) == 1
        assert set(batch.inputs) == {"input_ids", "attention_mask"}
        seen += batch.units
        widths.append(ids.shape[1])
    assert sorted(seen) == list(range(60))
    assert widths == sorted(widths, reverse=True)


def test_equal_texts_are_encoded_once(tiny_bert: Path, small_task: Task) -> None:
    texts = sum(len(batch.inputs["input_ids"]) for batch in encoder(tiny_bert).batches(small_task.units))
    assert texts == len({unit.text for unit in small_task.units}) < 58


@pytest.mark.parametrize("model", ["tiny_bert", "tiny_gpt2"])
def test_a_span_marks_exactly_the_tokens_of_its_word(model: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(model)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "the tall farmers near the river sold horses ."
    starts = [index for index in range(len(text)) if index == 0 or text[index - 1] == " "]
    units = [Unit(text, (start, (text + " ").index(" ", start))) for start in starts]
    (batch,) = encoder(folder).batches(units)
    assert len(batch.inputs["input_ids"]) == 1
    assert batch.texts is not None
    words = [
        str(tokenizer.decode(batch.inputs["input_ids"][0][marks])).strip()
        for marks in batch.tokens[torch.tensor(batch.units).argsort()]
    ]
    assert words == text.split()
    assert (batch.tokens.sum(0) <= 1).all()


def test_long_texts_are_cut_and_counted(tiny_bert: Path) -> None:
    units = [Unit("dog " * 30), Unit("dog"), Unit("cat " * 6)]
    batches = list(encoder(tiny_bert, max_length=8).batches(units))
    assert max(batch.inputs["input_ids"].shape[1] for batch in batches) == 8
    assert [place for batch in batches for place in batch.truncated] == [0]


def words(text: str) -> list[Unit]:
    return [Unit(text, word.span()) for word in re.finditer(r"\S+", text)]


@pytest.mark.parametrize("side", ["left", "right"])
def test_words_that_were_cut_off_are_told_and_the_others_kept(tiny_bert: Path, side: str) -> None:
    """Eight tokens, two of them special: six words of nine are left, and all of three."""
    mine = encoder(tiny_bert, max_length=8)
    mine.tokenizer.truncation_side = side
    units = words("the old dog sees a tall farmer by night") + words("a cat walks")
    (batch,) = mine.batches(units)
    missing = {"left": (0, 1, 2), "right": (6, 7, 8)}[side]
    assert batch.missing == missing
    assert batch.units == tuple(place for place in range(12) if place not in missing)
    assert batch.truncated == tuple(range(9))
    assert batch.texts is not None
    found = batch.inputs["input_ids"][batch.texts][batch.tokens].tolist()
    names = [units[place].text[slice(*units[place].span or ())] for place in batch.units]
    assert found == mine.tokenizer.convert_tokens_to_ids(names)


def test_a_word_that_was_cut_in_half_is_missing_too() -> None:
    """Its last piece is not there, and the mean over the others is not the word's."""
    mine = Encoder(wordpiece(), ARGUMENTS, 6, 64)
    (batch,) = mine.batches(words("the dog unbelievables sold"))
    assert batch.units == (0, 1)
    assert batch.missing == (2, 3)
    assert batch.inputs["input_ids"].shape == (1, 6)


def test_bytes_of_one_character_are_not_torn_apart() -> None:
    """Both words are one character of four bytes; the second keeps two of them."""
    mine = Encoder(byte_level(prefix=False, trim=False), ARGUMENTS, 6, 64)
    (batch,) = mine.batches([Unit("😀😀", (0, 1)), Unit("😀😀", (1, 2)), Unit("😀😀")])
    assert batch.units == (0, 2)
    assert batch.missing == (1,)
    assert batch.tokens.tolist() == [[True] * 4 + [False] * 2, [True] * 6]


def test_a_space_that_is_left_of_a_word_is_not_the_word() -> None:
    """Cut between the mark of the space and the word, which some tokenizers give the word's offsets."""
    mine = Encoder(unigram("always"), frozenset({"input_ids"}), 2, 64)
    (batch,) = mine.batches([Unit("zoo", (0, 3))])
    assert mine.tokenizer.convert_ids_to_tokens(batch.inputs["input_ids"][0].tolist())[0] == "▁"
    assert (batch.units, batch.missing) == ((), (0,))


def test_texts_without_a_word_left_do_not_shift_the_others(tiny_bert: Path) -> None:
    """One text has lost its word, the other has two: as many units as texts, but not one each."""
    lost, kept = "dog " * 8, "the old dog sees a cat"
    units = [Unit(lost, (28, 31)), Unit(kept, (0, 3)), Unit(kept, (19, 22))]
    (batch,) = encoder(tiny_bert, max_length=8).batches(units)
    assert (batch.units, batch.missing) == ((1, 2), (0,))
    assert batch.texts is not None
    found = batch.inputs["input_ids"][batch.texts][batch.tokens].tolist()
    assert found == encoder(tiny_bert).tokenizer.convert_tokens_to_ids(["the", "cat"])


def test_a_word_without_tokens_is_missing_also_where_its_text_was_cut() -> None:
    text = "the dog sold horses \u0301 ."
    units = [Unit(text, (0, 3)), Unit(text, (20, 21))]
    (batch,) = Encoder(wordpiece(), ARGUMENTS, 5, 64).batches(units)
    assert (batch.units, batch.missing, batch.truncated) == ((0,), (1,), (0, 1))


def joint_units() -> list[Unit]:
    """Single texts and pairs in one list, of all lengths; one text also with two partners."""
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=rng.integers(1, 15))) for _ in range(40)]
    units = [Unit(text) for text in texts]
    units += [Unit(a, second=b) for a, b in zip(texts, texts[::-1], strict=True)]
    return [*units, Unit(texts[0], second=texts[3])]


@pytest.mark.parametrize("max_length", [None, 12])
def test_pairs_are_joined_as_the_tokenizer_joins_them(max_length: int | None) -> None:
    tokenizer = wordpiece()
    units = joint_units()
    seen = set()
    for batch in Encoder(tokenizer, ARGUMENTS, max_length, 256).batches(units):
        assert batch.texts is None
        for row, place in enumerate(batch.units):
            real = batch.inputs["attention_mask"][row].bool()
            expected = tokenizer(
                units[place].text,
                units[place].second,
                truncation="longest_first" if max_length else False,
                max_length=max_length,
            )
            assert batch.inputs["input_ids"][row][real].tolist() == expected["input_ids"]
            assert batch.inputs["token_type_ids"][row][real].tolist() == expected["token_type_ids"]
            assert torch.equal(batch.tokens[row], real)  # a joint unit is all real tokens
            seen.add(place)
        assert not batch.missing
    assert seen == set(range(len(units)))


def test_a_pair_that_was_cut_is_counted() -> None:
    units = [Unit("the dog", second="a cat ."), Unit("the dog", second="a"), Unit("the dog")]
    (batch,) = Encoder(wordpiece(), ARGUMENTS, 6, 64).batches(units)
    assert batch.truncated == (0,)


@pytest.mark.parametrize("max_length", [None, 9])
def test_a_span_is_of_the_first_text_only(max_length: int | None) -> None:
    """The same words stand at the same offsets of the second text."""
    text = "the old dog sold horses"
    units = [Unit(text, word.span, text) for word in words(text)]
    (batch,) = Encoder(wordpiece(), ARGUMENTS, max_length, 64).batches(units)
    positions = [row.nonzero().flatten().tolist() for row in batch.tokens]
    assert positions == [[place + 1] for place in batch.units]
    assert batch.missing == (() if max_length is None else (3, 4))


@pytest.mark.parametrize("prefix", [False, True])
def test_a_span_is_of_the_first_text_also_without_special_tokens(prefix: bool) -> None:
    """GPT-2's tokenizer writes one text after the other, with nothing between them."""
    mine = Encoder(byte_level(prefix=prefix, trim=False), ARGUMENTS, None, 64)
    (batch,) = mine.batches([Unit("dog", (0, 3), "dog"), Unit("dog", (0, 3))])
    _, joint = sorted(zip(batch.units, batch.tokens, strict=True), reverse=True)
    single = mine.tokenizer("dog")["input_ids"]
    assert batch.inputs["input_ids"].shape[1] == 2 * len(single)
    assert joint[1].sum() <= len(single)
    assert not joint[1][len(single) :].any()


def test_a_limit_without_room_for_two_texts_is_named() -> None:
    with pytest.raises(ProbingError, match=r"extract\.max_length is 4; two texts .* at least 5 tokens"):
        list(Encoder(wordpiece(), ARGUMENTS, 4, 64).batches([Unit("the dog", second="a cat")]))


def test_inputs_are_what_the_forward_pass_accepts(tiny_bert: Path) -> None:
    plain = Encoder(AutoTokenizer.from_pretrained(tiny_bert), frozenset({"input_ids"}), None, 64)
    (batch,) = plain.batches([Unit("the dog")])
    assert set(batch.inputs) == {"input_ids"}


def test_a_tokenizer_without_offsets_reads_texts_and_pairs_but_no_words() -> None:
    """CANINE's is written in Python; its tokens are characters."""
    mine = Encoder(CanineTokenizer(), ARGUMENTS, 8, 64)  # type: ignore[no-untyped-call]
    units = [Unit("the dog"), Unit("a"), Unit("the", second="dog"), Unit("a", second="b")]
    batches = list(mine.batches(units))
    assert sorted(place for batch in batches for place in batch.truncated) == [0, 2]
    assert {place for batch in batches for place in batch.units} == {0, 1, 2, 3}
    assert max(batch.inputs["input_ids"].shape[1] for batch in batches) == 8
    with pytest.raises(ProbingError, match="use a model with a fast tokenizer"):
        list(mine.batches(words("the dog")))
