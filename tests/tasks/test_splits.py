"""Splits that are made: stratified, whole texts, and hardly moved when rows are added."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from probing.errors import ProbingError
from probing.tasks.splits import make_splits

SHARES = (0.8, 0.1, 0.1)


def data(n: int, start: int = 0) -> tuple[list[str], list[str]]:
    """Texts of three classes, of which the rarest is an eighth."""
    numbers = range(start, start + n)
    return [f"text {number}" for number in numbers], ["aaaabbbc"[number % 8] for number in numbers]


def test_every_label_has_its_share_in_every_split() -> None:
    texts, labels = data(1000)
    counts = Counter(zip(make_splits(texts, labels, SHARES, 0).tolist(), labels, strict=True))
    for label, size in Counter(labels).items():
        for split, share in zip(("train", "dev", "test"), SHARES, strict=True):
            assert abs(counts[split, label] - share * size) <= 1


def test_many_small_classes_have_their_share_together() -> None:
    labels = [f"class {number // 4}" for number in range(2000)]
    split = make_splits([f"text {number}" for number in range(2000)], labels, SHARES, 0)
    counts = Counter(split.tolist())
    # four texts cannot give each split its share, five hundred times four can; the sum's sd is about 11
    assert abs(counts["test"] - 200) < 50
    assert abs(counts["dev"] - 200) < 50
    in_train = Counter(label for label, of in zip(labels, split.tolist(), strict=True) if of == "train")
    assert min(in_train[label] for label in set(labels)) >= 2


def test_the_order_of_rows_changes_nothing() -> None:
    texts, labels = data(300)
    split = dict(zip(texts, make_splits(texts, labels, SHARES, 3).tolist(), strict=True))
    order = np.random.default_rng(0).permutation(300)
    shuffled = make_splits([texts[at] for at in order], [labels[at] for at in order], SHARES, 3)
    assert shuffled.tolist() == [split[texts[at]] for at in order]


def test_rows_that_are_added_move_few_old_ones_and_none_from_test_to_train() -> None:
    texts, labels = data(2000)
    more_texts, more_labels = data(200, start=2000)
    before = make_splits(texts, labels, SHARES, 0)
    after = make_splits(texts + more_texts, labels + more_labels, SHARES, 0)[:2000]
    moves = Counter(zip(before[before != after].tolist(), after[before != after].tolist(), strict=True))
    assert sum(moves.values()) < 0.02 * 2000
    assert moves["test", "train"] == 0
    assert moves["train", "test"] == 0


def test_copies_of_a_text_stay_together_and_so_do_the_words_of_a_sentence() -> None:
    rng = np.random.default_rng(0)
    texts = [f"text {number}" for number in rng.integers(200, size=1000)]
    labels = rng.choice(["noun", "verb", "other"], size=1000, p=[0.3, 0.2, 0.5]).tolist()
    split = make_splits(texts, labels, SHARES, 0)
    of_text = dict(zip(texts, split.tolist(), strict=True))
    assert split.tolist() == [of_text[text] for text in texts]
    assert set(of_text.values()) == {"train", "dev", "test"}


def test_dev_and_test_hold_no_label_that_train_lacks() -> None:
    # one sentence holds all seven words of a label, so that another of its labels, in six, is the rarer
    sentences = [["once"] * 7 + ["rarer"], *[["rarer", "usual"]] * 5, *[["usual", "common"]] * 50]
    texts = [f"sentence {number}" for number, words in enumerate(sentences) for _ in words]
    labels = [label for words in sentences for label in words]
    for seed in range(30):
        split = make_splits(texts, labels, SHARES, seed)
        in_train = {label for label, of in zip(labels, split.tolist(), strict=True) if of == "train"}
        assert in_train == set(labels)


def test_seeds_differ_and_repeat() -> None:
    texts, labels = data(200)
    splits = [make_splits(texts, labels, SHARES, seed).tolist() for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_train_keeps_two_texts_of_every_label() -> None:
    labels = [f"class {number // 3}" for number in range(300)]
    split = make_splits([f"text {number}" for number in range(300)], labels, (0.2, 0.0, 0.8), 0)
    in_train = Counter(label for label, of in zip(labels, split.tolist(), strict=True) if of == "train")
    assert set(in_train.values()) == {2}


@pytest.mark.parametrize("n", [8, 12, 40])
def test_small_data_still_gives_every_split_something(n: int) -> None:
    for seed in range(20):
        assert set(make_splits(*data(n), SHARES, seed).tolist()) == {"train", "dev", "test"}


def test_no_dev_where_its_share_is_nothing() -> None:
    assert Counter(make_splits(*data(80), (0.75, 0.0, 0.25), 0).tolist()).keys() == {"train", "test"}


@pytest.mark.parametrize("shares", [(0.8, 0.2), (0.8, 0.3, 0.1), (0.9, 0.1, 0.0), (1.2, -0.4, 0.2), ()])
def test_shares_that_make_no_sense_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(ProbingError, match=r"task\.shares is"):
        make_splits(*data(80), shares, 0)


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(ProbingError, match="3 different texts of 2 labels are too few"):
        make_splits(["a", "b", "c", "a"], ["x", "y", "x", "x"], SHARES, 0)
