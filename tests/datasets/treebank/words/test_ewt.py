"""Word tasks on a real treebank: spans, words that tasks share, classes, unseen forms."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from probing.datasets.treebank.sentence import TextStyle
from probing.tasks.task import Task
from tests.datasets.treebank.words.made import ewt, ewt_path, ewt_task, names, shown

pytestmark = pytest.mark.slow

# X, the seventeenth, is rarer than least_examples among 6,000 words
UPOS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB"


def words_of(task: Task) -> set[tuple[str, tuple[int, int] | None]]:
    return {(unit.text, unit.span) for unit in task.all_units}


@pytest.mark.parametrize("style", get_args(TextStyle))
def test_a_span_points_at_its_word_for_every_word_of_ewt(shared: Path, style: TextStyle) -> None:
    count = 0
    for sentence in ewt(shared):
        text, spans = sentence.text(style), sentence.spans(style)
        for word in sentence.words:
            start, end = spans[word.token]
            assert text[start:end] == sentence.tokens[word.token]
            count += 1
    assert count > 250_000


def test_all_tasks_ask_about_the_same_words(shared: Path) -> None:
    path = ewt_path(shared)
    upos = words_of(ewt_task(path, label="upos", least_examples=1))
    xpos = words_of(ewt_task(path, label="xpos"))
    number = words_of(ewt_task(path, label="feature", feature="Number"))
    assert len(upos & xpos) > 0.97 * len(upos)
    everything = upos | xpos | number
    for label in ("deprel", "governs"):
        pairs = words_of(ewt_task(path, label=label))
        assert len(upos & pairs) > 0.9 * len(upos)
        everything |= pairs
    # tokens of two words have no single part of speech, but may have a number or be heads
    assert upos < everything
    assert len(everything) <= 9000


def test_classes_of_ewt_are_the_tag_sets(shared: Path) -> None:
    path = ewt_path(shared)
    upos = ewt_task(path, label="upos")
    assert " ".join(names(upos)) == UPOS
    case = ewt_task(path, label="feature", feature="Case")
    assert names(case) == ("Acc", "Gen", "Nom")
    assert case.name.endswith("-Case")
    assert ("she", "Nom") in {(word.lower(), label) for word, _, label in shown(case)}
    assert "Attribution-ShareAlike" in upos.licence


def test_dev_and_test_may_be_kept_to_unseen_forms(shared: Path) -> None:
    path = ewt_path(shared)
    task, free = (ewt_task(path, label="upos", unseen=unseen) for unseen in (True, False))
    strict, usual = forms(task), forms(free)
    assert strict["train"] == usual["train"]
    for split in ("dev", "test"):
        assert len(strict[split]) > 100
        assert not set(strict[split]) & set(usual["train"])
        assert set(usual[split]) & set(usual["train"])


def forms(task: Task) -> dict[str, list[str]]:
    """First words in lower case, by split."""
    words = [word.lower() for word, _, _ in shown(task)]
    return {split: [words[row] for row in task.rows(split)] for split in ("train", "dev", "test")}
