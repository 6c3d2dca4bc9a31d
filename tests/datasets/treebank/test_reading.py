"""What is read off trees of both formats, where the answer is obvious."""

from __future__ import annotations

from pathlib import Path

import pytest

from probing.datasets.treebank import tree_facts as reading
from probing.datasets.treebank.facts import Clauses, Marked, is_punctuation
from probing.datasets.treebank.properties.bigram_shift import swaps
from probing.datasets.treebank.properties.coordination_inversion import Casing, invert
from probing.datasets.treebank.sentence import Sentence, join
from tests.datasets.treebank.made import Clause, block, joined, read, row, simple

FORMATS = ["made.conllu", "made.mrg"]


def of_rows(path: Path, *rows: list[str]) -> Sentence:
    return read(path / "rows.conllu", (block(rows), ""))[0]


def of_tree(path: Path, tree: str) -> Sentence:
    return read(path / "tree.mrg", ("", tree))[0]


@pytest.mark.parametrize("name", FORMATS)
def test_a_clause(tmp_path: Path, name: str) -> None:
    (sentence,) = read(tmp_path / name, simple(Clause()))
    assert sentence.text("tokens") == "The dogs chased the cat ."
    assert reading.tense(sentence) == Marked(2, "past")
    assert reading.subject(sentence) == Marked(1, "plural")
    assert reading.direct_object(sentence) == Marked(4, "singular")
    assert reading.clauses(sentence) is None


@pytest.mark.parametrize("name", FORMATS)
def test_the_head_of_a_long_subject(tmp_path: Path, name: str) -> None:
    (sentence,) = read(tmp_path / name, simple(Clause(("dogs", "plural"), ("see", "present"), houses=2)))
    assert sentence.text("tokens") == "The dogs of the house of the house see the cat ."
    assert reading.subject(sentence) == Marked(1, "plural")
    assert reading.tense(sentence) == Marked(8, "present")


def test_depths_grow_with_what_is_nested(tmp_path: Path) -> None:
    sentences = [simple(Clause(houses=houses)) for houses in range(4)]
    # chased > dogs > the, and another house below each; S > NP > DT, S > NP > PP > NP > DT and so on
    assert [reading.depth(s) for s in read(tmp_path / "a.conllu", *sentences)] == [3, 4, 5, 6]
    assert [reading.depth(s) for s in read(tmp_path / "a.mrg", *sentences)] == [4, 5, 7, 9]


def test_top_constituents(tmp_path: Path) -> None:
    sentences = [simple(Clause(houses=2)), joined(Clause(), Clause())]
    found = [reading.top_constituents(s) for s in read(tmp_path / "a.conllu", *sentences)]
    assert found == ["nsubj_VERB_obj", "nsubj_VERB_obj_conj"]
    found = [reading.top_constituents(s) for s in read(tmp_path / "a.mrg", *sentences)]
    # as in SentEval, there is no class for a comma on this level
    assert found == ["NP_VP_.", None]
    assert reading.top_constituents(
        of_tree(tmp_path, "(SBARQ (WHNP (WP Who)) (SQ (VP (VBD ran))) (. ?))")
    ) == ("WHNP_SQ_.")
    assert reading.top_constituents(of_tree(tmp_path, "(S (NP-SBJ (PRP I)) (VP (VBP run)))")) is None


@pytest.mark.parametrize("name", FORMATS)
def test_two_clauses_and_their_inversion(tmp_path: Path, name: str) -> None:
    (sentence,) = read(
        tmp_path / name, joined(Clause(houses=1), Clause(("birds", "plural"), ("saw", "past")))
    )
    assert sentence.text("tokens") == "The dogs of the house chased the cat , and the birds saw the cat ."
    found = reading.clauses(sentence)
    assert found == Clauses(8, 9, 15)
    assert found.lengths == (8, 5)
    tokens, spaces = invert(sentence, found, Casing([sentence]))
    assert " ".join(tokens) == "The birds saw the cat , and the dogs of the house chased the cat ."
    assert len(spaces) == len(tokens)


def test_an_inversion_keeps_names_and_spaces(tmp_path: Path) -> None:
    tree = (
        "(S (S (NP-SBJ (NNP Ann)) (VP (VBD ran))) (, ,) (CC but) (S (NP-SBJ (PRP I)) (VP (VBD slept))) (. .))"
    )
    sentence, other = read(
        tmp_path / "a.mrg", ("", tree), ("", "(S (NP-SBJ (PRP I)) (VP (VBD saw) (NP (NNP Ann))))")
    )
    found = reading.clauses(sentence)
    assert found
    tokens, spaces = invert(sentence, found, Casing([sentence, other]))
    assert join(tuple(tokens), tuple(spaces), "raw") == "I slept, but Ann ran."


@pytest.mark.parametrize(
    "tree",
    [
        # a second conjunction; a clause without a subject; an afterthought that belongs to both
        "(S (S (NP-SBJ (PRP I)) (VP (VBP run))) (CC and) (S (NP-SBJ (PRP he)) (VP (VBZ is) (CC or))))",
        "(S (S (NP-SBJ (PRP I)) (VP (VBP run))) (CC and) (S (VP (VB eat))))",
        "(S (S (NP-SBJ (PRP I)) (VP (VBP run))) (CC and) (S (NP-SBJ (PRP he)) (VP (VBZ eats))) (RB too))",
    ],
)
def test_what_is_no_pair_of_clauses(tmp_path: Path, tree: str) -> None:
    assert reading.clauses(of_tree(tmp_path, tree)) is None


def test_a_conjunction_within_a_written_word_cannot_stay_behind(tmp_path: Path) -> None:
    first = [row(1, "Ann", "PROPN", "_", 2, "nsubj"), row(2, "ran", "VERB", "_", 0, "root")]
    second = [
        row(3, "and", "CCONJ", "_", 5, "cc"),
        row(4, "he", "PRON", "_", 5, "nsubj"),
        row(5, "slept", "VERB", "_", 2, "conj"),
    ]
    assert reading.clauses(of_rows(tmp_path, *first, *second)) == Clauses(2, 2, 5)
    both = ["3-4", "andhe", *"________"]
    assert reading.clauses(of_rows(tmp_path, *first, both, *second)) is None


def test_the_tense_of_auxiliaries_copulas_and_participles(tmp_path: Path) -> None:
    def tense(*verbs: tuple[str, str, str]) -> Marked | None:
        """The last verb is the root."""
        rows = [
            row(n, form, "VERB", "_", len(verbs), relation, feats)
            for n, (form, relation, feats) in enumerate(verbs, 1)
        ]
        rows[-1][6:8] = "0", "root"
        return reading.tense(of_rows(tmp_path, *rows))

    has = ("has", "aux", "Tense=Pres|VerbForm=Fin")
    gone = ("gone", "", "Tense=Past|VerbForm=Part")
    assert tense(has, gone) == Marked(0, "present")
    assert tense(gone) is None
    assert tense(("would", "aux", "VerbForm=Fin"), ("have", "aux", "VerbForm=Inf"), gone) is None
    assert tense(("was", "cop", "Tense=Past|VerbForm=Fin"), ("red", "", "_")) == Marked(0, "past")
    # Czech: the past is an active participle
    assert tense(("šel", "", "Tense=Past|VerbForm=Part|Voice=Act")) == Marked(0, "past")


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ("(S (NP-SBJ (PRP I)) (VP (VBP have) (VP (VBN run))))", ("have", "present")),
        ("(S (NP-SBJ (PRP I)) (VP (MD will) (VP (VB run))))", None),
        ("(S (NP-SBJ (PRP I)) (VP (VP (VBP run)) (CC and) (VP (VBP eat))))", None),
        ("(S-1 (NP-SBJ (PRP I)) (ADVP (RB never)) (VP (VBD ran)))", ("ran", "past")),
    ],
)
def test_the_tense_of_bracketed_clauses(tmp_path: Path, tree: str, wanted: tuple[str, str] | None) -> None:
    sentence = of_tree(tmp_path, tree)
    found = reading.tense(sentence)
    assert (found and (sentence.words[found.word].form, found.label)) == wanted


@pytest.mark.parametrize(
    ("phrase", "noun"),
    [
        ("(NP (NP (DT the) (NN board)) (PP (IN of) (NP (NNS banks))))", "board"),
        ("(NP (NP (DT the) (NN bank) (POS 's)) (NN profit))", "profit"),
        ("(NP (NNS dogs) (CC and) (NNS cats))", None),
        ("(NP (NNP Nov.) (CD 29))", None),
        ("(NP (PRP it))", None),
        ("(NP-TMP (DT this) (NN year))", None),
        ("(NP-PRD (DT the) (NN chairman))", None),
    ],
)
def test_the_noun_of_a_bracketed_object(tmp_path: Path, phrase: str, noun: str | None) -> None:
    sentence = of_tree(tmp_path, f"(S (NP-SBJ (PRP I)) (VP (MD will) (VP (VB join) {phrase})) (. .))")
    found = reading.direct_object(sentence)
    assert (found and sentence.words[found.word].form) == noun


def test_coordinated_nouns_and_names_are_no_subjects(tmp_path: Path) -> None:
    dogs = row(1, "dogs", "NOUN", "_", 2, "nsubj", "Number=Plur")
    run = row(2, "run", "VERB", "_", 0, "root")
    assert reading.subject(of_rows(tmp_path, dogs, run)) == Marked(0, "plural")
    cats = row(3, "cats", "NOUN", "_", 1, "conj", "Number=Plur")
    assert reading.subject(of_rows(tmp_path, dogs, run, cats)) is None
    dogs[3] = "PROPN"
    assert reading.subject(of_rows(tmp_path, dogs, run)) is None


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        (row(1, "Ann", "PROPN", "_", 2, "nsubj"), "Ann"),
        (row(1, "Ann", "_", "NNP", 2, "nsubj"), "Ann"),
        (row(1, "DOGS", "NOUN", "NNS", 2, "nsubj"), "DOGS"),
        (row(1, "Dogs", "NOUN", "NNS", 2, "nsubj"), "dogs"),
        (["1", "Hunde", "Hund", *row(1, "", "NOUN", "NN", 2, "nsubj")[3:]], "Hunde"),  # German
    ],
)
def test_a_first_word_that_is_nowhere_else_keeps_the_capital_of_a_name(
    tmp_path: Path, first: list[str], wanted: str
) -> None:
    sentence = of_rows(tmp_path, first, row(2, "run", "VERB", "_", 0, "root"))
    assert Casing([sentence]).inside(sentence) == wanted


def test_swaps_spare_the_first_word_punctuation_equal_words_and_quotes(tmp_path: Path) -> None:
    words = ["Go", "home", ",", "very", "very", "soon", "now", "."]
    rows = [row(n, form, "X", "_", n - 1, "dep") for n, form in enumerate(words, 1)]
    assert swaps(of_rows(tmp_path, *rows)) == [4, 5]
    rows[5][9] = "SpaceAfter=No"
    assert swaps(of_rows(tmp_path, *rows)) == [4]
    for columns in rows:
        columns[9] = "SpaceAfter=No"  # a script without spaces
    assert swaps(of_rows(tmp_path, *rows)) == [4, 5]
    rows[2][1] = '"'
    assert swaps(of_rows(tmp_path, *rows)) == []


def test_units_are_no_punctuation() -> None:
    assert [form for form in (".", "--", "%", "$", "US$", "”", ":)", "5") if not is_punctuation(form)] == [
        "%", "$", "US$", "5",
    ]  # fmt: skip
