"""Words of texts, and trees between written tokens."""

from __future__ import annotations

from pathlib import Path

import pytest

from probing.datasets.grammar.task import GrammarTask
from probing.datasets.treebank.words.task import WordTask
from probing.errors import ProbingError
from probing.looking.passages import passage_of, passages_of_treebank


def words(text: str) -> list[str]:
    return [text[slice(*span)] for span in passage_of(text).spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The dog didn't bark.", ["The", "dog", "didn't", "bark", "."]),
        ("a_b  3.5%", ["a_b", "3", ".", "5", "%"]),
        (
            "d\N{RIGHT SINGLE QUOTATION MARK}accord — été",
            ["d\N{RIGHT SINGLE QUOTATION MARK}accord", "—", "été"],
        ),
        ("''quoted''", ["'", "'", "quoted", "'", "'"]),
    ],
)
def test_words_are_letters_and_digits_between_other_signs(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_every_visible_character_is_in_one_word() -> None:
    text = "It's 5 o'clock; (really?) yes."
    assert "".join(words(text)) == "".join(text.split())


@pytest.mark.parametrize(("text", "second"), [(" ", None), ("a", "\n")])
def test_an_empty_text_is_refused(text: str, second: str | None) -> None:
    with pytest.raises(ProbingError, match=r"(text|second)= is empty"):
        passage_of(text, second)


def source(path: Path) -> WordTask:
    return WordTask("treebank/deprel", path, "deprel", text="raw")


def test_a_multiword_token_has_the_governor_outside_it(treebank: Path) -> None:
    (passage,) = passages_of_treebank(source(treebank), [0])
    assert passage.text == "the old farmer sold ahorse ."
    assert [passage.text[slice(*span)] for span in passage.spans] == passage.text.split()
    assert passage.tree is not None
    assert passage.tree.heads == (2, 2, 3, -1, 3, 3)
    assert passage.tree.relations == ("det", "amod", "nsubj", "root", "obj", "punct")
    assert passage.place.endswith("farm.conllu, line 1")


def test_a_sentence_that_is_not_there_is_refused(treebank: Path) -> None:
    with pytest.raises(ProbingError, match=r"sentence=1: .* has sentences 0 to 0"):
        passages_of_treebank(source(treebank), [1])


def test_a_task_without_a_treebank_has_no_sentences() -> None:
    with pytest.raises(ProbingError, match=r"needs a treebank, .* give task.path=file.conllu"):
        passages_of_treebank(GrammarTask("grammar/tense", "tense"), [0])
