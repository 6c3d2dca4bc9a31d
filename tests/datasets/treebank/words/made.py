"""Treebanks made by hand, whose labels are obvious."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.sentence import Sentence, Word
from probing.datasets.treebank.words.draws_of_words import Passage
from probing.datasets.treebank.words.task import WordTask
from probing.tasks.target import Classes
from probing.tasks.task import Task

# "du" is written once and is two words, de and le
FRENCH = """\
1	Le	le	DET	D	Gender=Masc|Number=Sing	2	det	_	_
2	{0}	chat	NOUN	N	Gender=Masc|Number=Sing	6	nsubj	_	_
3-4	du	_	_	_	_	_	_	_	_
3	de	de	ADP	P	_	5	case	_	_
4	le	le	DET	D	Gender=Masc|Number=Sing	5	det	_	_
5	{1}	voisin	NOUN	N	Gender=Masc|Number=Sing	2	nmod:poss	_	_
6	voit	voir	VERB	V	Number=Sing|Tense=Pres	0	root	_	_
6.1	voit	voir	VERB	V	_	_	_	6:conj	_
7	mes	mon	DET	D	Number=Plur	8	det	_	_
8	amis	ami	NOUN	N	Gender=Masc|Number=Plur	6	obj	_	SpaceAfter=No
9	.	.	PUNCT	.	_	6	punct	_	_
"""
SENTENCES = 40


def write_french(folder: Path, *, without: Sequence[int] = (), name: str = "fr-ud.conllu") -> Path:
    """A treebank of 40 sentences that differ in two nouns, some of its columns empty."""
    blocks = []
    for number in range(SENTENCES):
        rows = [row.split("\t") for row in FRENCH.format(f"chat{number}", f"voisin{number}").splitlines()]
        for row in rows:
            for column in without:
                row[column - 1] = "_"
        blocks.append("\n".join("\t".join(row) for row in rows))
    (folder / name).write_text("\n\n".join(blocks) + "\n\n", encoding="utf-8")
    return folder / name


def french() -> Sentence:
    """One of those sentences."""
    rows = [row.split("\t") for row in FRENCH.format("chat", "voisin").splitlines()]
    token = {"1": 0, "2": 1, "3": 2, "4": 2, "5": 3, "6": 4, "7": 5, "8": 6, "9": 7}
    words = tuple(
        Word(
            row[1],
            row[2],
            row[3],
            row[4],
            {} if row[5] == "_" else dict(pair.split("=") for pair in row[5].split("|")),
            int(row[6]) - 1,
            row[7],
            token[row[0]],
        )
        for row in rows
        if row[0] in token
    )
    tokens = ("Le", "chat", "du", "voisin", "voit", "mes", "amis", ".")
    return Sentence("fr.conllu, line 1", None, tokens, (True,) * 6 + (False, True), words)


def chain(heads: Sequence[int]) -> Sentence:
    """A sentence of words w0, w1, ... with these heads."""
    words = tuple(Word(f"w{i}", "", "NOUN", "N", {}, head, "dep", i) for i, head in enumerate(heads))
    forms = tuple(word.form for word in words)
    return Sentence("made, line 1", None, forms, (True,) * len(forms), words)


def sentence(text: str, split: str | None = None, place: str = "") -> Sentence:
    """A sentence without any annotation."""
    tokens = tuple(text.split())
    words = tuple(Word(token, "", "", "", {}, None, "", i) for i, token in enumerate(tokens))
    return Sentence(place or text, split, tokens, (True,) * len(tokens), words)


def whole(of: Sentence) -> Passage:
    """All tokens of a sentence."""
    tokens = frozenset(range(len(of.tokens)))
    return Passage(of, tokens, tokens)


def ewt_path(shared: Path) -> Path:
    return shared / "data" / "treebanks" / "UD_English-EWT"


def ewt(shared: Path) -> tuple[Sentence, ...]:
    """Read once in a process."""
    return read_treebank(ewt_path(shared))


@cache
def ewt_task(path: Path, **settings: object) -> Task:
    """A task of EWT, built once."""
    return ewt_source(path, **settings).build()


def ewt_source(path: Path, **settings: object) -> WordTask:
    """6,000 words to train on."""
    sizes: dict[str, object] = {"n_train": 6000, "n_dev": 1500, "n_test": 1500, "punctuation": True}
    return WordTask("treebank/words", path, **(sizes | settings))  # type: ignore[arg-type]


def shown(task: Task) -> list[tuple[str, str, str]]:
    """The word, the other word of a pair or "", and the class."""
    partners = task.partners or [None] * len(task)
    found = []
    for unit, partner, label in zip(task.units, partners, task.target.shown(), strict=True):
        second = "" if partner is None else partner.text[slice(*partner.span or ())]
        found.append((unit.text[slice(*unit.span or ())], second, label))
    return found


def names(task: Task) -> tuple[str, ...]:
    """Of the classes."""
    assert isinstance(task.target, Classes)
    return task.target.names
