"""What holds for every task: balance, splits, spelling, matched lengths."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from probing.datasets.grammar.kinds import KINDS
from tests.datasets.grammar.drawn import ALL, MATCHED, SIZES, class_of, examples, source

pytestmark = pytest.mark.slow

VOWEL = re.compile(r"[aeiou]")


@pytest.mark.parametrize("kind", ALL)
def test_every_split_is_balanced_to_within_one_sentence(kind: str) -> None:
    for split, size in SIZES.items():
        counts = Counter(example.label for example in examples(kind) if example.split == split)
        assert sum(counts.values()) == size
        assert len(counts) == len(KINDS[kind].classes)
        assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("kind", ALL)
def test_no_sentence_comes_twice(kind: str) -> None:
    texts = [example.text for example in examples(kind)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("kind", ALL)
def test_sentences_are_spelled_as_tokens_with_capital_and_stop(kind: str) -> None:
    for example in examples(kind):
        text = example.text
        assert re.fullmatch(r"[A-Z][a-z]*( ([A-Z]?[a-z]+|,|'s|'))* \.", text), text


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind != "bigram_shift"])
def test_a_and_an_agree_with_the_next_word(kind: str) -> None:
    for example in examples(kind):
        tokens = example.text.lower().split()
        for article, word in pairwise(tokens):
            if article in ("a", "an") and word != "useful":
                assert (article == "an") == bool(VOWEL.match(word)), example.text


@pytest.mark.parametrize("kind", MATCHED)
def test_classes_have_the_same_lengths_in_every_split(kind: str) -> None:
    for split in SIZES:
        lengths: dict[int, list[int]] = {}
        for example in examples(kind):
            if example.split == split:
                lengths.setdefault(example.label, []).append(len(example.text.split()))
        means = [np.mean(found) for found in lengths.values()]
        assert max(means) - min(means) < 0.5


@pytest.mark.parametrize("kind", MATCHED)
def test_length_alone_stays_near_majority(kind: str) -> None:
    table = {
        split: (
            np.array([[len(e.text.split())] for e in examples(kind) if e.split == split]),
            np.array([e.label for e in examples(kind) if e.split == split]),
        )
        for split in SIZES
    }
    score = DecisionTreeClassifier(random_state=0).fit(*table["train"]).score(*table["test"])
    assert score <= 1 / len(KINDS[kind].classes) + 0.04


@pytest.mark.parametrize("kind", ["length", "odd_man_out"])
def test_the_task_holds_the_examples(kind: str) -> None:
    task = source(kind).build()
    assert task.name == f"grammar/{kind}"
    assert task.selection == "dev"
    assert [unit.text for unit in task.units] == [example.text for example in examples(kind)]
    assert task.target.shown() == [class_of(kind, e) for e in examples(kind)]
    assert all(unit.span is None for unit in task.units)
