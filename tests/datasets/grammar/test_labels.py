"""Labels against a second reading, of the sentence or of its bracketed tree."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from probing.datasets.grammar.draws import GrammarExample
from probing.datasets.grammar.kinds import KINDS
from probing.datasets.grammar.nouns import NOUNS
from probing.datasets.grammar.verbs import VERBS
from tests.datasets.grammar.drawn import SIZES, class_of, examples

pytestmark = pytest.mark.slow

THIRD = {verb.form("VBZ") for verb in VERBS}
PLURAL_PRESENT = {verb.form("VBP") for verb in VERBS}
PAST = {verb.form("VBD") for verb in VERBS}


def children(bracketed: str) -> tuple[str, list[str]]:
    """Label and bracketed children of `(NP (DT the) (NN dog))`."""
    label, rest = re.match(r"\(([^ ]+) (.*)\)$", bracketed).groups()  # type: ignore[union-attr]
    found, depth, start = [], 0, 0
    for index, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if sign == "(" and depth == 1:
            start = index
        if sign == ")" and depth == 0:
            found.append(rest[start : index + 1])
    return label, found


def first(bracketed: str, label: str) -> str:
    """The first child with a label."""
    return next(child for child in children(bracketed)[1] if child.startswith(f"({label} "))


def head(phrase: str) -> tuple[str, str]:
    """Tag and word of the noun that heads a noun phrase."""
    parts = children(phrase)[1]
    last = re.fullmatch(r"\((NNS?) ([a-z]+)\)", parts[-1])
    return (last.group(1), last.group(2)) if last else head(parts[0])


def test_length_is_the_number_of_tokens() -> None:
    for example in examples("length"):
        low, high = class_of("length", example).split("-")
        assert int(low) <= len(example.text.split()) <= int(high)


def test_word_content_has_exactly_one_target_once() -> None:
    targets = set(KINDS["word_content"].classes)
    assert 30 <= len(targets) <= 50
    for example in examples("word_content"):
        found = [token for token in example.text.lower().split() if token in targets]
        assert found == [class_of("word_content", example)]


def test_depth_is_the_nesting_of_brackets() -> None:
    for example in examples("depth"):
        depth = deepest = 0
        for sign in example.tree.bracketed():
            depth += (sign == "(") - (sign == ")")
            deepest = max(deepest, depth)
        assert str(deepest) == class_of("depth", example)


def test_top_constituents_are_the_children_of_the_root() -> None:
    for example in examples("top_constituents"):
        labels = [child[1:].split()[0] for child in split_root(example)]
        assert "_".join(label for label in labels if label.isalpha()) == class_of("top_constituents", example)


def split_root(example: GrammarExample) -> list[str]:
    """Children of the root with a word for a preterminal's child."""
    return [
        re.sub(r"^\(([^ ]+) ([^()]+)\)$", r"(\1 (w \2))", c) for c in children(example.tree.bracketed())[1]
    ]


def test_tense_is_the_form_of_the_main_verb() -> None:
    for example in examples("tense"):
        phrase = first(example.tree.bracketed(), "VP")
        word = re.match(r"\(VP \(V[A-Z]+ ([a-z]+)\)", phrase).group(1)  # type: ignore[union-attr]
        forms = PAST if class_of("tense", example) == "past" else THIRD | PLURAL_PRESENT
        assert word in forms


def test_no_verb_has_one_form_for_past_and_present() -> None:
    assert not PAST & (THIRD | PLURAL_PRESENT)


@pytest.mark.parametrize("kind", ["subj_number", "obj_number"])
def test_number_is_the_form_of_the_head_noun(kind: str) -> None:
    plurals, singulars = {noun.plural for noun in NOUNS}, {noun.lemma for noun in NOUNS}
    assert not plurals & singulars
    for example in examples(kind):
        clause = example.tree.bracketed()
        phrase = first(clause, "NP") if kind == "subj_number" else first(first(clause, "VP"), "NP")
        word = head(phrase)[1]
        assert word in (plurals if class_of(kind, example) == "plural" else singulars)


@pytest.mark.parametrize("kind", ["subj_number", "obj_number"])
def test_number_has_distractors_of_the_other_number(kind: str) -> None:
    others = 0
    for example in examples(kind):
        tag = "NN" if class_of(kind, example) == "plural" else "NNS"
        others += any(leaf.tag == tag for leaf in example.tree.leaves())
    assert others / len(examples(kind)) > 0.4


@pytest.mark.parametrize(("kind", "tag"), [("tense", "V"), ("subj_number", "N"), ("obj_number", "N")])
def test_no_target_lemma_is_in_two_splits(kind: str, tag: str) -> None:
    lemmas = {
        split: {
            leaf.lexeme.lemma
            for example in examples(kind)
            if example.split == split
            for leaf in example.tree.leaves()
            if leaf.lexeme and leaf.tag.startswith(tag)
        }
        for split in SIZES
    }
    assert all(len(found) > 15 for found in lemmas.values())
    assert not lemmas["train"] & lemmas["dev"]
    assert not lemmas["train"] & lemmas["test"]
    assert not lemmas["dev"] & lemmas["test"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_present_verbs_agree_with_their_subjects(kind: str) -> None:
    checked = 0
    for example in examples(kind):
        for clause in re.findall(
            r"\(S \(NP (?:\(DT \w+\) )?(?:\(JJ \w+\) )*\((NNS?) \w+\)\) \(VP \((VB[ZP]) (\w+)\)",
            example.tree.bracketed(),
        ):
            noun, verb, word = clause
            assert (noun == "NN") == (verb == "VBZ"), example.text
            assert word in (THIRD if noun == "NN" else PLURAL_PRESENT)
            checked += 1
    assert checked > 50


def test_main_verbs_agree_with_complex_subjects() -> None:
    for example in examples("subj_number"):
        clause = example.tree.bracketed()
        verb = re.search(r"\(VP \((V\w+) ", first(clause, "VP"))
        if verb and verb.group(1) in ("VBZ", "VBP"):
            assert (verb.group(1) == "VBZ") == (class_of("subj_number", example) == "singular")


def test_lexicon_is_of_some_hundred_different_words() -> None:
    assert not [lemma for lemma, count in Counter(noun.lemma for noun in NOUNS).items() if count > 1]
    assert 250 <= len(NOUNS) + len({verb.lemma for verb in VERBS}) <= 400
