"""The tasks that alter sentences: what is changed, and that words alone do not tell."""

from __future__ import annotations

from collections import Counter

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from probing.datasets.grammar.draws import GrammarExample
from probing.datasets.grammar.tree import spell, words
from probing.datasets.grammar.vocabulary import Noun, Verb
from tests.datasets.grammar.drawn import examples

pytestmark = pytest.mark.slow

ALTERED = ("bigram_shift", "odd_man_out", "coordination_inversion")


def original(example: GrammarExample) -> list[str]:
    """The tokens before the sentence was altered."""
    return spell(words(example.tree)).split()


@pytest.mark.parametrize("kind", ALTERED)
def test_originals_are_shown_as_they_are(kind: str) -> None:
    for example in examples(kind):
        assert (example.text.split() == original(example)) == (example.label == 0)


@pytest.mark.parametrize("kind", ALTERED)
def test_no_unaltered_form_is_shown_too(kind: str) -> None:
    shown = {example.text for example in examples(kind)}
    for example in examples(kind):
        if example.label:
            assert " ".join(original(example)) not in shown


def test_bigram_shift_is_one_swap_of_neighbours_other_than_punctuation() -> None:
    for example in examples("bigram_shift"):
        if example.label:
            before, after = original(example), example.text.split()
            different = [i for i, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
            assert len(different) == 2
            left, right = different
            assert right == left + 1
            assert (before[left], before[right]) == (after[right], after[left])
            assert not {",", "."} & {before[left], before[right]}


def test_odd_man_out_is_one_noun_or_verb_in_the_same_form_that_does_not_fit() -> None:
    for example in examples("odd_man_out"):
        if example.label:
            leaves = list(example.tree.leaves())
            after = example.text.split()
            different = [i for i, word in enumerate(original(example)) if word != after[i]]
            assert len(different) == 1
            assert len(after) == len(leaves)
            leaf = leaves[different[0]]
            assert leaf.tag in ("NN", "NNS", "VB", "VBP", "VBZ", "VBD", "VBG")
            assert fitting(leaf.lexeme, example)


def fitting(lexeme: Noun | Verb | None, example: GrammarExample) -> bool:
    """Whether the word before the change is in its place and every other word fits its own."""
    fits = [leaf.fits(leaf.lexeme) for leaf in example.tree.leaves() if leaf.lexeme]
    return lexeme is not None and all(fits)


def test_odd_words_occur_as_often_in_sentences_that_make_sense() -> None:
    odd = [example for example in examples("odd_man_out") if example.label]
    before = Counter(word.lower() for example in odd for word in original(example))
    after = Counter(word.lower() for example in odd for word in example.text.split())
    moved = sum((before - after).values())
    assert moved / len(odd) < 0.06


def test_coordination_inversion_swaps_the_clauses() -> None:
    for example in examples("coordination_inversion"):
        first, second = example.text.lower().removesuffix(" .").split(" , and ")
        gold = " ".join(original(example)).lower().removesuffix(" .").split(" , and ")
        assert [second, first] == gold if example.label else [first, second] == gold


def test_lengths_of_the_clauses_are_the_same_whether_inverted_or_not() -> None:
    counts: dict[int, Counter[tuple[int, int]]] = {0: Counter(), 1: Counter()}
    for example in examples("coordination_inversion"):
        first, second = example.text.split(" , and ")
        counts[example.label][len(first.split()), len(second.split())] += 1
    differing = sum(((counts[0] - counts[1]) + (counts[1] - counts[0])).values())
    assert differing <= 3


@pytest.mark.parametrize("kind", ALTERED)
def test_words_alone_do_not_tell(kind: str) -> None:
    train = [example for example in examples(kind) if example.split == "train"]
    rest = [example for example in examples(kind) if example.split != "train"]
    bag = CountVectorizer(token_pattern=r"\S+")
    model = LogisticRegression(max_iter=1000).fit(
        bag.fit_transform([example.text for example in train]), [example.label for example in train]
    )
    score = model.score(bag.transform([e.text for e in rest]), [e.label for e in rest])
    assert score <= 0.56
