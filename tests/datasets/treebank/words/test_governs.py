"""Pairs of which one word governs the other: balanced, and matched so that distance does not tell."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from probing.datasets.treebank.words.governs import NO, YES, governs_examples
from probing.datasets.treebank.words.targets import WordExample
from tests.datasets.treebank.words.made import chain, ewt_path, ewt_source, whole


def pairs(heads: list[int]) -> dict[tuple[int, int], str]:
    found = governs_examples([whole(chain(heads))], 0, Counter())
    return {(e.first, e.second or 0): e.label for e in found}


@pytest.fixture(scope="module")
def of_ewt() -> dict[Path, dict[str, list[WordExample]]]:
    return {}


@pytest.fixture
def examples(shared: Path, of_ewt: dict[Path, dict[str, list[WordExample]]]) -> dict[str, list[WordExample]]:
    path = ewt_path(shared)
    if path not in of_ewt:
        of_ewt[path] = ewt_source(path, label="governs").examples()[0]
    return of_ewt[path]


def test_a_small_tree() -> None:
    # w0 <- w1 -> w2 <- w3: of (0, 1) and (2, 1) the second governs the first, of (3, 2) too
    found = pairs([1, -1, 1, 2])
    assert {pair for pair, label in found.items() if label == YES} <= {(0, 1), (2, 1), (3, 2)}
    # rightwards one positive (0, 1); (1, 2) and (2, 3) turned round are the only negatives there are
    assert found[0, 1] == YES
    assert Counter(found.get(pair) for pair in ((1, 2), (2, 3))) == {NO: 1, None: 1}
    # leftwards two positives and one negative, (1, 0)
    assert found[1, 0] == NO
    assert Counter(found.get(pair) for pair in ((2, 1), (3, 2))) == {YES: 1, None: 1}


def test_a_pair_without_a_match_is_left_out() -> None:
    left_out: Counter[str] = Counter()
    # all heads are the word before: no pair at distance -1 is free
    assert not list(governs_examples([whole(chain([-1, 0, 1]))], 0, left_out))
    assert left_out["pairs have no match at their distance"] == 2


def test_half_of_the_negatives_are_turned_round_where_both_kinds_are() -> None:
    # w0 is governed by w1, w3 by w2, w4 by w3 ...: at distance 1 one positive, turned and free pairs
    heads = [1, -1, 1, 2, 1, 1, 7, 1, 9, 1, 11, 1]
    found = pairs(heads)
    negatives = [(a, b) for (a, b), label in found.items() if label == NO and b - a == 1]
    turned = sum(heads[b] == a for a, b in negatives)
    assert len(negatives) == sum(heads[a] == a + 1 for a in range(len(heads)))
    assert turned == (len(negatives) + 1) // 2


def test_labels_say_what_the_trees_say(examples: dict[str, list[WordExample]]) -> None:
    for members in examples.values():
        for e in members:
            words = e.sentence.words
            heads = {words[w.head].token for w in words if w.token == e.first and w.head not in {-1, None}}
            assert (e.second in heads) == (e.label == YES)


def test_answers_are_balanced_for_every_sentence_and_distance(examples: dict[str, list[WordExample]]) -> None:
    for members in examples.values():
        balance: Counter[tuple[str, int]] = Counter()
        for e in members:
            balance[e.sentence.place, (e.second or 0) - e.first] += 1 if e.label == YES else -1
        assert len(balance) > 100
        assert not any(balance.values())


def test_direction_counts(examples: dict[str, list[WordExample]]) -> None:
    for members in examples.values():
        governed = {(e.sentence.place, e.first, e.second) for e in members if e.label == YES}
        negatives = [e for e in members if e.label == NO]
        turned = [e for e in negatives if (e.sentence.place, e.second, e.first) in governed]
        assert 0.15 < len(turned) / len(negatives) < 0.6


def test_a_probe_on_distance_alone_stays_at_chance(examples: dict[str, list[WordExample]]) -> None:
    from sklearn.tree import DecisionTreeClassifier

    def table(split: str) -> tuple[np.ndarray, list[str]]:
        rows = [[(e.second or 0) - e.first, len(e.sentence.tokens)] for e in examples[split]]
        return np.array(rows), [e.label for e in examples[split]]

    x, y = table("train")
    probe = DecisionTreeClassifier(random_state=0).fit(x, y)
    assert probe.score(x, y) == 0.5
    assert probe.score(*table("test")) == 0.5
