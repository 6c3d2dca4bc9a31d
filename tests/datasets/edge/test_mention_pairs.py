"""Pairs of mentions of OntoNotes and of treebanks with entities."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from probing.datasets.edge.edge_text import EdgeText
from probing.datasets.edge.mention_pairs import MentionPairsTask
from probing.errors import ProbingError
from probing.tasks.target import Classes
from tests.datasets.edge.made import ONTONOTES, edges_of, ontonotes
from tests.datasets.treebank.test_coreference import GUM

FIRST = [
    ("Ann", "her", "yes"),
    ("Ann", "her dog", "no"),
    ("Ann", "run", "no"),
    ("her", "her dog", "no"),
    ("her", "run", "no"),
    ("her dog", "run", "no"),
]


def read(path: Path, **more: Any) -> list[EdgeText]:  # noqa: ANN401
    return list(MentionPairsTask(name="edge/coreference", path=path, **more).texts(path, "train"))


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "a.gold_conll"
    path.write_text(ONTONOTES.format(name="Ann") + ONTONOTES.format(name="Eve"))
    return path


@pytest.fixture
def gum(tmp_path: Path) -> Path:
    path = tmp_path / "gum.conllu"
    path.write_text(GUM)
    return path


def test_any_two_mentions_of_a_sentence_are_a_pair(gold: Path) -> None:
    first, second, third, _ = read(gold)
    assert edges_of(first) == FIRST
    assert edges_of(second) == []
    assert [first.group == each.group for each in (second, third)] == [True, False]


def test_a_passage_joins_sentences_of_a_document(gold: Path) -> None:
    first, second = read(gold, within="passage")
    assert first.text == "Ann saw her dog run ( It barks"
    assert set(FIRST) < set(edges_of(first))
    assert ("her dog", "It", "yes") in edges_of(first)
    assert ("Ann", "It", "no") in edges_of(first)
    assert second.text.startswith("Eve saw")
    assert len(read(gold, within="passage", longest=7)) == 4


def test_mentions_of_a_treebank_are_whole_spans(gum: Path) -> None:
    first, second, third = read(gum)
    assert edges_of(first) == [("Ann", "the old dog", "no")]
    assert ("Ann 's", "Ann 's sister", "no") in edges_of(second)
    assert edges_of(third) == []
    passage, _ = read(gum, within="passage")
    assert [edge for edge in edges_of(passage) if edge[-1] == "yes"] == [
        ("Ann", "Ann 's", "yes"), ("the old dog", "It", "yes")
    ]  # fmt: skip


def test_negatives_are_drawn_for_every_positive(gold: Path) -> None:
    counts = Counter(edge[-1] for edge in edges_of(read(gold, negatives=2)[0]))
    assert counts == {"yes": 1, "no": 2}
    draws = {tuple(edges_of(read(gold, negatives=2, seed=seed)[0])) for seed in range(8)}
    assert len(draws) > 1
    assert read(gold, negatives=2) == read(gold, negatives=2)
    assert edges_of(read(gold, negatives=100)[0]) == FIRST


def test_a_task_scores_yes(tmp_path: Path) -> None:
    task = MentionPairsTask(name="edge/coreference", path=ontonotes(tmp_path), metric="f1").build()
    assert isinstance(task.target, Classes)
    assert task.target.names == ("no", "yes")
    assert Counter(task.target.shown()) == {"no": 30, "yes": 6}
    assert task.partners is not None
    assert all(u.text == p.text for u, p in zip(task.units, task.partners, strict=True))


def test_documents_are_not_divided(tmp_path: Path) -> None:
    path = tmp_path / "all.gold_conll"
    one = ONTONOTES.replace("#end document", "") + ONTONOTES.partition("\n")[2].replace("saw", "sees")
    path.write_text("".join(one.format(name=f"Ann{number}") for number in range(60)))
    found = MentionPairsTask(name="edge/coreference", path=path).by_split()
    splits: dict[str, set[str]] = {}
    for split, texts in found.items():
        for text in texts:
            splits.setdefault(text.text.split()[0], set()).add(split)
    assert sum(map(len, found.values())) == 120
    assert all(len(own) == 1 for own in splits.values())
    assert all(found.values())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (" (1|(0)", " (0)", "line 5: a mention of entity 1 ends but does not start"),
        (" 1)\n", " -\n", "line 4: a mention of entity 1 starts but does not end"),
        (" 1)\n", " x\n", "line 5: 'x' is not a mention"),
    ],
)
def test_a_wrong_mention_is_named(old: str, new: str, said: str, gold: Path) -> None:
    gold.write_text(gold.read_text().replace(old, new, 1))
    with pytest.raises(ProbingError, match=rf"a\.gold_conll, {said}"):
        read(gold)
