"""Labels of a sentence that anyone can check, with a multiword token, subtypes and punctuation."""

from __future__ import annotations

from collections import Counter

import pytest

from probing.datasets.treebank.words.draws_of_words import Passage
from probing.datasets.treebank.words.governs import governs_examples
from probing.datasets.treebank.words.targets import narrow, relation_examples, word_examples
from tests.datasets.treebank.words.made import chain, french, whole

TOKENS = french().tokens


def test_parts_of_speech_with_the_ambiguous_token_left_out() -> None:
    left_out: Counter[str] = Counter()
    found = word_examples([whole(french())], lambda word: word.upos, left_out)
    assert [(TOKENS[e.first], e.label) for e in found] == [
        ("Le", "DET"),
        ("chat", "NOUN"),
        ("voisin", "NOUN"),
        ("voit", "VERB"),
        ("mes", "DET"),
        ("amis", "NOUN"),
        (".", "PUNCT"),
    ]
    assert left_out["tokens contain words with different labels"] == 1  # du is ADP and DET


def test_a_feature_of_one_word_of_a_token_is_the_tokens() -> None:
    left_out: Counter[str] = Counter()
    found = word_examples([whole(french())], lambda word: word.feats.get("Number", ""), left_out)
    labels = {TOKENS[e.first]: e.label for e in found}
    assert labels["du"] == "Sing"
    assert (labels["mes"], labels["amis"]) == ("Plur", "Plur")
    assert left_out["words have no label"] == 1  # the full stop


@pytest.mark.parametrize(("subtypes", "owned"), [(True, "nmod:poss"), (False, "nmod")])
def test_relations_of_dependents_to_heads(subtypes: bool, owned: str) -> None:
    left_out: Counter[str] = Counter()
    found = relation_examples([whole(french())], left_out, subtypes=subtypes)
    pairs = {(TOKENS[e.first], TOKENS[e.second or 0]): e.label for e in found}
    assert pairs == {
        ("Le", "chat"): "det",
        ("chat", "voit"): "nsubj",
        ("voisin", "chat"): owned,
        ("mes", "amis"): "det",
        ("amis", "voit"): "obj",
        (".", "voit"): "punct",
    }
    assert left_out["words are roots"] == 1
    assert left_out["tokens contain words with different labels"] == 1  # du-voisin is case and det


def test_words_of_one_token_make_no_pair() -> None:
    # both words of the first token: the second governs the first, and both the third
    sentence = chain([1, 2, -1])
    words = tuple(
        type(word)(word.form, "", "NOUN", "N", {}, word.head, "dep", token)
        for word, token in zip(sentence.words, (0, 0, 1), strict=True)
    )
    joined = type(sentence)("made", None, ("w0w1", "w2"), (True, True), words)
    left_out: Counter[str] = Counter()
    found = [(e.first, e.second) for e in relation_examples([whole(joined)], left_out, subtypes=True)]
    assert found == [(0, 1)]
    assert left_out["words share a token with their head"] == 1
    governed = list(governs_examples([whole(joined)], 0, Counter()))
    assert all(e.first != e.second for e in governed)


def test_only_words_within_the_passage_are_paired() -> None:
    first = frozenset({0, 1, 2, 3})  # Le chat du voisin
    found = relation_examples([Passage(french(), first, first)], Counter(), subtypes=False)
    assert {(TOKENS[e.first], TOKENS[e.second or 0]) for e in found} == {("Le", "chat"), ("voisin", "chat")}


def test_punctuation_and_known_forms_are_taken_away() -> None:
    left_out: Counter[str] = Counter()
    (passage,) = narrow([whole(french())], frozenset({"le", "chat"}), left_out, punctuation=False)
    assert [TOKENS[token] for token in sorted(passage.asked)] == ["du", "voisin", "voit", "mes", "amis"]
    assert "." not in {TOKENS[token] for token in passage.tokens}
    # a known form may still be a head
    found = relation_examples([passage], Counter(), subtypes=False)
    assert ("voisin", "chat") in {(TOKENS[e.first], TOKENS[e.second or 0]) for e in found}
    (unchanged,) = narrow([whole(french())], frozenset(), Counter(), punctuation=True)
    assert unchanged == whole(french())
