"""The words that are drawn: in one order, in splits that share no sentence."""

from __future__ import annotations

import random
from pathlib import Path
from typing import get_args

import pytest

from probing.datasets.treebank.held_out import key_of, split_sentences, warn_of_pooling
from probing.datasets.treebank.sentence import Sentence, TextStyle
from probing.datasets.treebank.words.draws_of_words import draw_words
from tests.datasets.treebank.words.made import ewt, sentence

MANY = [sentence(f"sentence number {number} of many") for number in range(2000)]
SIZES = {"train": 300, "dev": 50, "test": 50}


def places(sentences: list[Sentence], sizes: dict[str, int], seed: int, split: str) -> list[tuple[str, int]]:
    drawn = draw_words(sentences, sizes, seed)[split]
    return [(p.sentence.place, token) for p in drawn for token in sorted(p.tokens)]


def test_the_draw_depends_on_the_seed_and_not_on_the_order_of_the_file() -> None:
    shuffled = random.Random(0).sample(MANY, len(MANY))
    for split in SIZES:
        drawn = places(MANY, SIZES, 0, split)
        assert drawn == places(shuffled, SIZES, 0, split)
        assert drawn != places(MANY, SIZES, 1, split)


def test_exactly_as_many_words_as_asked_and_fewer_are_the_first_of_more() -> None:
    drawn = places(MANY, SIZES, 0, "train")
    assert len(drawn) == 300
    for fewer in (1, 7, 299):
        assert places(MANY, SIZES | {"train": fewer}, 0, "train") == drawn[:fewer]


def test_sentences_without_a_split_fall_eight_one_one() -> None:
    made = split_sentences(MANY, 0)
    assert sum(map(len, made.values())) == 2000
    assert 0.77 < len(made["train"]) / 2000 < 0.83
    assert all(0.08 < len(made[split]) / 2000 < 0.12 for split in ("dev", "test"))


def test_a_sentence_keeps_its_split_when_others_come_or_go() -> None:
    whole, half = split_sentences(MANY, 0), split_sentences(MANY[:1000], 0)
    for split, sentences in half.items():
        assert {s.place for s in sentences} <= {s.place for s in whole[split]}


def test_splits_of_the_files_are_kept() -> None:
    given = [sentence(f"{split} {n}", split) for split in ("train", "dev", "test") for n in range(30)]
    for split, sentences in split_sentences(given, 0).items():
        assert len(sentences) == 30
        assert {s.split for s in sentences} == {split}


def test_test_files_that_are_split_again_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    given = [sentence(f"{split} {n}", split) for split in ("train", "dev", "test") for n in range(30)]
    train = [one for one in given if one.split == "train"]
    with caplog.at_level("WARNING"):
        warn_of_pooling(given, "treebank/pos")
        warn_of_pooling(MANY, "treebank/pos", always=True)
        warn_of_pooling(train, "treebank/pos", always=True)
        assert not caplog.text
        warn_of_pooling([one for one in given if one.split != "train"], "treebank/pos")
    assert "there are files of dev and test but not of both train and test" in caplog.text


def test_a_missing_dev_file_is_a_tenth_of_train() -> None:
    given = [sentence(f"{split} {n}", split) for split in ("train", "test") for n in range(1000)]
    made = split_sentences(given, 0)
    assert {s.split for s in made["test"]} == {"test"}
    assert len(made["test"]) == 1000
    assert {s.split for s in made["dev"]} == {"train"}
    assert 70 < len(made["dev"]) < 130


def test_one_file_that_is_called_train_is_split() -> None:
    made = split_sentences([sentence(f"train {n}", "train") for n in range(100)], 0)
    assert all(made.values())


def test_of_equal_sentences_the_one_of_test_stays() -> None:
    own = [sentence(f"{split} {n}", split) for split in ("train", "dev", "test") for n in range(5)]
    twins = [sentence("Thank you .", split, place) for split, place in (("train", "a"), ("test", "b"))]
    apart = [sentence("Thankyou .", "train", "c")]  # written otherwise in one style, alike in the other
    made = split_sentences([*own, *twins, *twins, *apart], 0)
    found = [(split, s.place) for split, of in made.items() for s in of if key_of(s) == "Thankyou."]
    assert found == [("test", "b")]


def test_no_text_of_ewt_is_in_two_splits_nor_twice_in_one(shared: Path) -> None:
    made = split_sentences(ewt(shared), 0)
    for style in get_args(TextStyle):
        texts = [s.text(style) for sentences in made.values() for s in sentences]
        assert len(set(texts)) == len(texts)
    assert {split: {s.split for s in of} for split, of in made.items()} == {s: {s} for s in made}
