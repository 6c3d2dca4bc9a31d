"""Mentions of entities as UD_English-GUM marks them, and the pairs that they make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probing.datasets.treebank.coreference import CoreferenceTask, passages_of
from probing.datasets.treebank.entities import mentions_of
from probing.datasets.treebank.files import read_treebank
from probing.errors import ProbingError

GUM = """\
# newdoc id = GUM_one
# global.Entity = GRP-etype-infstat-salience-centering-minspan-link-identity
# text = Ann saw the old dog.
1	Ann	Ann	PROPN	NNP	_	2	nsubj	_	Entity=(1-person-new-cf1-1-coref)
2	saw	see	VERB	VBD	_	0	root	_	_
3	the	the	DET	DT	_	5	det	_	Entity=(2-animal-new-cf2-3-coref
4	old	old	ADJ	JJ	_	5	amod	_	_
5	dog	dog	NOUN	NN	_	2	obj	_	Entity=2)|SpaceAfter=No
6	.	.	PUNCT	.	_	2	punct	_	_

# text = It followed Ann's sister.
1	It	it	PRON	PRP	_	2	nsubj	_	Entity=(2-animal-giv:act-cf1-1-ana)
2	followed	follow	VERB	VBD	_	0	root	_	_
3-4	Ann's	_	_	_	_	_	_	_	_
3	Ann	Ann	PROPN	NNP	_	5	nmod:poss	_	Entity=(3-person-new-cf3-3-sgl(1-person-giv:inact-cf2-1-coref
4	's	's	PART	POS	_	3	case	_	Entity=1)
5	sister	sister	NOUN	NN	_	2	obj	_	Entity=3)|SpaceAfter=No
6	.	.	PUNCT	.	_	2	punct	_	_

# newdoc id = GUM_two
# text = Ann slept.
1	Ann	Ann	PROPN	NNP	_	2	nsubj	_	Entity=(1-person-new-cf1-1-coref)
2	slept	sleep	VERB	VBD	_	0	root	_	SpaceAfter=No
3	.	.	PUNCT	.	_	2	punct	_	_

"""


@pytest.fixture
def treebank(tmp_path: Path) -> Path:
    """A treebank whose files of dev and test have the same documents."""
    for split in ("train", "dev", "test"):
        text = GUM + GUM.replace("Ann", "Eve") if split == "train" else GUM
        (tmp_path / f"en_gum-ud-{split}.conllu").write_text(text, encoding="utf-8")
    return tmp_path


def test_mentions_have_the_head_of_their_words(treebank: Path) -> None:
    first, second, third, *_ = read_treebank(treebank)
    assert [(m.entity, m.first, m.last, m.head) for m in mentions_of(first)] == [
        ("1", 0, 0, 0),
        ("2", 2, 4, 4),
    ]
    assert [(m.entity, m.first, m.last, m.head) for m in mentions_of(second)] == [
        ("2", 0, 0, 0),
        ("1", 2, 3, 2),
        ("3", 2, 4, 4),
    ]
    assert [first.document, second.document, third.document] == [1, 1, 2]


def test_a_mention_is_paired_with_those_before_it_in_its_document(treebank: Path) -> None:
    task = CoreferenceTask("treebank/coreference", treebank).build()
    rows = task.rows("test")
    partners = task.partners
    assert partners is not None
    pairs = []
    for row in rows:
        unit, partner = task.units[row], partners[row]
        assert unit.span is not None
        assert partner.span is not None
        text = unit.text
        pairs.append((text[slice(*unit.span)], text[slice(*partner.span)], task.target.shown()[row]))
        assert text == "Ann saw the old dog . It followed Ann 's sister ."
        assert [text[start:end] for start, end in unit.words or ()] == ["Ann", "dog", "It", "Ann", "sister"]
    assert pairs == [("It", "dog", "coreference:pronoun"), ("Ann", "Ann", "coreference:proper")]


def test_passages_are_runs_of_whole_sentences(treebank: Path) -> None:
    document = read_treebank(treebank)[:2]
    assert [len(passage) for passage in passages_of(document, 12)] == [2]
    assert [len(passage) for passage in passages_of(document, 11)] == [1, 1]
    assert [len(passage) for passage in passages_of(document, 3)] == [1, 1]


def test_parts_of_a_mention_count_once(tmp_path: Path) -> None:
    text = GUM.replace("Entity=(2-animal-new-cf2-3-coref\n", "Entity=(2[1/2]-animal-new)\n").replace(
        "Entity=2)|SpaceAfter=No\n6\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_\n\n# text = It",
        "Entity=(2[2/2]-animal-new)\n6\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\t_\n\n# text = It",
    )
    (tmp_path / "parts.conllu").write_text(text, encoding="utf-8")
    first = read_treebank(tmp_path / "parts.conllu")[0]
    assert [(m.entity, m.first, m.last) for m in mentions_of(first)] == [("1", 0, 0), ("2", 2, 2)]


def test_a_treebank_without_entities_is_refused(tmp_path: Path) -> None:
    lines = [line.rsplit("\t", 1)[0] + "\t_" if "\t" in line else line for line in GUM.splitlines()]
    (tmp_path / "plain.conllu").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(ProbingError, match=r"no word has the field Entity in MISC.*such as UD_English-GUM"):
        CoreferenceTask("treebank/coreference", tmp_path).build()


def test_an_entity_that_does_not_start_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.conllu").write_text(GUM.replace("(2-animal-new-cf2-3-coref\n", "_\n"), encoding="utf-8")
    with pytest.raises(ProbingError, match="line 4: entity '2' ends at 'dog' but does not start"):
        mentions_of(read_treebank(tmp_path / "bad.conllu")[0])


def test_documents_without_given_splits_are_not_divided(tmp_path: Path) -> None:
    documents = [GUM.replace("Ann\tAnn", f"Ann{number}\tAnn") for number in range(40)]
    (tmp_path / "all.conllu").write_text("".join(documents), encoding="utf-8")
    task = CoreferenceTask("treebank/coreference", tmp_path / "all.conllu").build()
    splits: dict[str, set[str]] = {}
    for unit, split in zip(task.units, task.split.tolist(), strict=True):
        splits.setdefault(unit.text, set()).add(split)
    assert all(len(own) == 1 for own in splits.values())
    assert set(np.unique(task.split)) == {"train", "dev", "test"}
