"""The rarest word of a text, by the words of a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from probing.analyses.rare_words import corpus_digest, read_corpus, with_rarest, word_counts, words_of
from probing.errors import ProbingError
from probing.tasks.task import Unit


def test_words_are_runs_of_letters_and_single_marks() -> None:
    unit = Unit("Don't stop, naïve Åsa!")
    assert [unit.text[start:end] for start, end in words_of(unit)] == [
        "Don", "'", "t", "stop", ",", "naïve", "Åsa", "!",
    ]  # fmt: skip
    assert words_of(Unit("Don't stop", words=((0, 5), (6, 10)))) == ((0, 5), (6, 10))


def test_the_rarest_word_is_the_first_with_the_smallest_count() -> None:
    counts = word_counts([Unit("The dog sees a dog."), Unit("the dog sees a dog."), Unit("a cat")])
    assert counts["the"] == 2  # texts that differ in case are two
    assert counts["dog"] == 4
    one, two = with_rarest([Unit("the cat sees a zebra, a yak"), Unit("The dog")], counts)
    assert one.span is not None
    assert one.text[slice(*one.span)] == "zebra"
    assert two.span == (0, 3)
    assert two.words == ((0, 3), (4, 7))


def test_a_repeated_text_counts_once() -> None:
    assert word_counts([Unit("a b", span=(0, 1)), Unit("a b", span=(2, 3))]) == {"a": 1, "b": 1}


def test_a_corpus_is_a_text_file_whose_content_matters(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("a b\n\nc\n", encoding="utf-8")
    assert [unit.text for unit in read_corpus(str(path))] == ["a b", "c"]
    before = corpus_digest(str(path))
    path.write_text("a b\n\nd\n", encoding="utf-8")
    assert corpus_digest(str(path)) != before
    with pytest.raises(ProbingError, match=r"analysis\.corpus=.*nowhere.*give a text file"):
        read_corpus(str(tmp_path / "nowhere"))
