"""All words of a treebank with their heads: spans of words, roots, subtypes, and the draw of sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from probing.datasets.treebank.every_head import DependencyTask
from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.word_spans import words_of
from probing.errors import ProbingError
from probing.tasks.task import Task

SENTENCE = """\
1	{name}	_	PROPN	_	_	4	nsubj	_	_
2-3	{token}	_	_	_	_	_	_	_	_
2	{one}	_	AUX	_	_	4	aux	_	_
3	{two}	_	PART	_	_	4	advmod:neg	_	_
4	sleep	_	VERB	_	_	0	root	_	SpaceAfter=No
5	.	_	PUNCT	_	_	4	punct	_	_

"""
NAMES = ("Ann", "Bob", "Eve", "Kim", "Max")


def treebank(folder: Path, token: str = "don't", one: str = "do", two: str = "n't") -> Path:
    """Three files of five sentences each."""
    folder.mkdir(exist_ok=True)
    for split in ("train", "dev", "test"):
        text = "".join(
            SENTENCE.format(name=f"{name}{split}", token=token, one=one, two=two) for name in NAMES
        )
        (folder / f"x-ud-{split}.conllu").write_text(text, encoding="utf-8")
    return folder


def triples(task: Task, split: str = "test", count: int = 5) -> list[tuple[str, str, str]]:
    """The first words of a split, their heads and relations."""
    partners = task.partners
    assert partners is not None
    found = []
    for row in task.rows(split)[:count]:
        spans = task.units[row].span, partners[row].span
        assert all(spans)
        one, two = (task.units[row].text[slice(*span)] for span in spans if span)
        found.append((one, two, task.target.shown()[row]))
    return found


def test_every_word_has_its_head_and_a_root_is_its_own(tmp_path: Path) -> None:
    task = DependencyTask("treebank/dependencies", treebank(tmp_path)).build()
    assert triples(task) == [
        ("Anntest", "sleep", "nsubj"),
        ("do", "sleep", "aux"),
        ("n't", "sleep", "advmod:neg"),
        ("sleep", "sleep", "root"),
        (".", "sleep", "punct"),
    ]
    unit = task.units[task.rows("test")[0]]
    assert unit.text == "Anntest do n't sleep ."
    assert [unit.text[start:end] for start, end in unit.words or ()] == ["Anntest", "do", "n't", "sleep", "."]
    assert len(task) == 3 * 5 * 5


@pytest.mark.parametrize(
    ("style", "text"), [("tokens", "Anntest don't sleep ."), ("raw", "Anntest don't sleep.")]
)
def test_words_that_spell_their_token_divide_it(tmp_path: Path, style: str, text: str) -> None:
    task = DependencyTask("treebank/dependencies", treebank(tmp_path), text=style).build()  # type: ignore[arg-type]
    assert task.units[task.rows("test")[0]].text == text
    assert triples(task)[1:3] == [("do", "sleep", "aux"), ("n't", "sleep", "advmod:neg")]


def test_words_that_do_not_spell_their_token_share_it(tmp_path: Path) -> None:
    folder = treebank(tmp_path, token="du", one="de", two="le")
    sentence = read_treebank(folder)[0]
    text, spans = words_of(sentence, "raw")
    assert [text[start:end] for start, end in spans] == ["Anndev", "du", "du", "sleep", "."]
    task = DependencyTask("treebank/dependencies", folder, text="raw").build()
    assert triples(task)[1:3] == [("du", "sleep", "aux"), ("du", "sleep", "advmod:neg")]
    assert len(task.units[0].words or ()) == 4


def test_subtypes_can_be_left_out_and_sentences_limited(tmp_path: Path) -> None:
    source = DependencyTask("treebank/dependencies", treebank(tmp_path), subtypes=False, n_test=2)
    task = source.build()
    assert "advmod" in task.target.shown()
    assert "advmod:neg" not in task.target.shown()
    assert len(task.rows("test")) == 2 * 5
    assert len(task.rows("dev")) == 5 * 5
    more = replace(source, n_test=3).build()
    texts = [list(dict.fromkeys(each.units[row].text for row in each.rows("test"))) for each in (task, more)]
    assert texts[1][:2] == texts[0]
    assert task.digest != more.digest


def test_relations_that_train_does_not_have_are_left_out(tmp_path: Path) -> None:
    folder = treebank(tmp_path)
    path = folder / "x-ud-test.conllu"
    path.write_text(path.read_text(encoding="utf-8").replace("\taux\t", "\tdep\t"), encoding="utf-8")
    task = DependencyTask("treebank/dependencies", folder).build()
    assert "dep" not in task.target.shown()
    assert len(task.rows("test")) == 5 * 4


def test_a_treebank_without_heads_is_refused(tmp_path: Path) -> None:
    folder = treebank(tmp_path)
    for path in folder.glob("*.conllu"):
        lines = path.read_text(encoding="utf-8").splitlines()
        bare = ["\t".join([*line.split("\t")[:6], "_", "_", "_", "_"]) if line else "" for line in lines]
        path.write_text("\n".join(bare) + "\n", encoding="utf-8")
    with pytest.raises(ProbingError, match="no word has a HEAD"):
        DependencyTask("treebank/dependencies", folder).build()
