"""Columns of CoNLL-2003 and CoNLL-2012: entities, parts of speech, roles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from probing.datasets.edge.argument_roles import ArgumentRolesTask
from probing.datasets.edge.edge_task import EdgeTask
from probing.datasets.edge.edge_text import EdgeText
from probing.datasets.edge.entity_spans import EntitySpansTask
from probing.datasets.edge.json_targets import text_of
from probing.datasets.edge.phrase_spans import PhraseSpansTask
from probing.datasets.edge.word_tags import WordTagsTask
from probing.errors import ProbingError
from tests.datasets.edge.made import CONLL_2003, ONTONOTES, edges_of, ontonotes, record_of


@pytest.fixture
def conll(tmp_path: Path) -> Path:
    path = tmp_path / "eng.train"
    path.write_text(CONLL_2003.format(name="Ann", town="London"))
    return path


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "a.gold_conll"
    path.write_text(ONTONOTES.format(name="Ann"))
    return path


def read(kind: type[EdgeTask], path: Path, **more: Any) -> list[EdgeText]:  # noqa: ANN401
    return list(kind(name="edge/x", path=path, **more).texts(path, "train"))


def test_entities_of_conll_2003(conll: Path) -> None:
    first, second = read(EntitySpansTask, conll)
    assert first.text == "Ann lives in New York London ."
    assert edges_of(first) == [("Ann", "PER"), ("New York", "LOC"), ("London", "LOC")]
    assert edges_of(second) == [("U.N.", "ORG")]
    assert (first.place, second.place) == (f"{conll}, line 3", f"{conll}, line 11")


def test_chunks_and_tags_are_other_columns(conll: Path) -> None:
    first, _ = read(EntitySpansTask, conll, column=2)
    assert edges_of(first)[3] == ("New York London", "NP")
    _, second = read(WordTagsTask, conll)
    assert edges_of(second) == [("U.N.", "NNP"), ("agrees", "VBZ")]


@pytest.mark.parametrize("tags", ["I-LOC I-LOC B-LOC", "B-LOC I-LOC B-LOC", "B-LOC E-LOC S-LOC"])
def test_every_scheme_gives_the_same_spans(tags: str, conll: Path) -> None:
    lines = ("New NNP B-NP I-LOC", "York NNP I-NP I-LOC", "London NNP I-NP B-LOC")
    for old, new in zip(lines, tags.split(), strict=True):
        conll.write_text(conll.read_text().replace(old, f"{old.rsplit(' ', 1)[0]} {new}"))
    assert edges_of(read(EntitySpansTask, conll)[0])[1:] == [("New York", "LOC"), ("London", "LOC")]


def test_words_may_contain_blanks_between_tabs(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("10 000\tB-NUM\n\u00a0x\tO\n   \nb\tB-NUM\n")
    first, second = read(EntitySpansTask, path)
    assert edges_of(first) == [("10 000", "NUM")]
    assert edges_of(second) == [("b", "NUM")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lives VBZ B-VP O", "lives VBZ B-VP VBZ", "line 4: 'VBZ' is not a tag of a span"),
        ("lives VBZ B-VP O", "lives", "line 4: 1 columns, so there is no column 3.* task.column="),
    ],
)
def test_a_wrong_line_of_columns_is_named(old: str, new: str, said: str, conll: Path) -> None:
    conll.write_text(conll.read_text().replace(old, new))
    with pytest.raises(ProbingError, match=rf"eng\.train, {said}"):
        read(EntitySpansTask, conll, column=3)


def test_entities_and_tags_of_ontonotes(gold: Path) -> None:
    first, second = read(EntitySpansTask, gold)
    assert first.text == "Ann saw her dog run ("
    assert edges_of(first) == [("Ann", "PERSON"), ("run (", "DATE")]
    assert edges_of(second) == []
    assert edges_of(read(WordTagsTask, gold)[1]) == [("It", "PRP"), ("barks", "VBZ")]


def test_roles_are_pairs_of_predicate_and_argument(gold: Path) -> None:
    first, second = read(ArgumentRolesTask, gold)
    assert edges_of(first) == [
        ("saw", "Ann", "ARG0"),
        ("saw", "her dog run", "ARG1"),
        ("run", "her dog", "ARG0"),
        ("run", "(", "R-ARG1"),
    ]
    assert edges_of(second) == [("barks", "It", "ARG0")]
    assert edges_of(read(ArgumentRolesTask, gold, references=False)[0]) == edges_of(first)[:3]


def test_constituents_of_the_column_of_parses(gold: Path) -> None:
    first, second = read(PhraseSpansTask, gold)
    assert edges_of(first) == [
        ("Ann saw her dog run (", "S"),
        ("Ann", "NP"),
        ("saw her dog run", "VP"),
        ("her dog run", "S"),
        ("her dog", "NP"),
        ("run", "VP"),
    ]
    assert edges_of(second) == [("It barks", "S"), ("It", "NP"), ("barks", "VP")]


@pytest.mark.parametrize("kind", [EntitySpansTask, ArgumentRolesTask, PhraseSpansTask])
def test_columns_survive_the_json_format(kind: type[EdgeTask], gold: Path) -> None:
    for text in read(kind, gold):
        again = text_of(record_of(text), text.place, text.split)
        assert again == text


def test_all_tasks_of_ontonotes_have_the_same_texts(tmp_path: Path) -> None:
    folder = ontonotes(tmp_path)
    made = [
        kind(name="edge/x", path=folder).build()
        for kind in (WordTagsTask, ArgumentRolesTask, PhraseSpansTask)
    ]
    texts = [{(unit.text, split) for unit, split in zip(t.units, t.split, strict=True)} for t in made]
    assert texts[0] == texts[1] == texts[2]
    assert {split for _, split in texts[0]} == {"train", "dev", "test"}


@pytest.mark.parametrize(
    ("kind", "old", "new", "said"),
    [
        (EntitySpansTask, "(DATE*", "*", r"line 7: '\*\)' closes a bracket that is not open"),
        (ArgumentRolesTask, "(ARG1*", "*", r"line 6: '\*\)' closes a bracket that is not open"),
        (EntitySpansTask, "*) * (R-ARG1*)", "* * (R-ARG1*)", "line 6: the bracket of 'DATE' is not closed"),
        (PhraseSpansTask, "(VP* ", "* ", "line 2: this tree cannot be read"),
        (PhraseSpansTask, "VBD (VP*", "VBD (VP", "line 2: .*"),
        (WordTagsTask, " (V*) * -", " -", "line 3: 12 columns but 14 before"),
        (
            ArgumentRolesTask,
            "#begin document (bc/made/Ann); part 000\n",
            "",
            "line 1: no line '#begin document'",
        ),
    ],
)
def test_a_wrong_line_of_ontonotes_is_named(
    kind: type[EdgeTask], old: str, new: str, said: str, gold: Path
) -> None:
    text = gold.read_text()
    assert old in text
    gold.write_text(text.replace(old, new, 1))
    with pytest.raises(ProbingError, match=rf"a\.gold_conll, {said}") as caught:
        read(kind, gold)
    assert "\n" not in str(caught.value)


def test_a_column_without_a_predicate_is_left_out(gold: Path, caplog: pytest.LogCaptureFixture) -> None:
    gold.write_text(gold.read_text().replace("* (V*) -", "* * -"))
    assert [len(text.edges) for text in read(ArgumentRolesTask, gold)] == [4, 0]
    assert "line 9: column 11 has no predicate" in caplog.text
