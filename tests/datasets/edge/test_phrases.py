"""Constituents of bracketed trees, compared with a count by nltk alone."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from nltk.tree import Tree

from probing.datasets.edge.edge_text import EdgeText
from probing.datasets.edge.phrase_spans import PhraseSpansTask
from probing.errors import ProbingError
from tests.datasets.edge.made import edges_of

TREES = """\
( (S (NP-SBJ-1 (DT The) (NN dog))
     (VP (VBZ wants) (S (NP-SBJ (-NONE- *-1)) (VP (TO to) (VP (VB run))))) (. .)))
(TOP (SINV (VP (VBD said)) (NP-SBJ=2 (PRP he))))
"""


def read(path: Path, text: str, **more: Any) -> list[EdgeText]:  # noqa: ANN401
    path.write_text(text)
    return list(PhraseSpansTask(name="edge/constituents", path=path, **more).texts(path, None))


@pytest.mark.parametrize("name", ["a.mrg", "a.txt", "A.PARSE"])
def test_phrases_lose_function_tags_traces_and_the_node_above(name: str, tmp_path: Path) -> None:
    first, second = read(tmp_path / name, TREES)
    assert edges_of(first) == [
        ("The dog wants to run .", "S"),
        ("The dog", "NP"),
        ("wants to run", "VP"),
        ("to run", "S"),
        ("to run", "VP"),
        ("run", "VP"),
    ]
    assert edges_of(second) == [("said he", "SINV"), ("said", "VP"), ("he", "NP")]


def test_function_tags_can_stay_without_indices(tmp_path: Path) -> None:
    first, second = read(tmp_path / "a.mrg", TREES, functions=True)
    assert edges_of(first)[1] == ("The dog", "NP-SBJ")
    assert edges_of(second)[2] == ("he", "NP-SBJ")


@pytest.mark.parametrize(("chains", "label"), [("highest", "S"), ("lowest", "VP")])
def test_one_phrase_of_a_chain_can_count(chains: str, label: str, tmp_path: Path) -> None:
    first, _ = read(tmp_path / "a.mrg", TREES, chains=chains)
    assert edges_of(first)[3:] == [("to run", label), ("run", "VP")]


def test_a_broken_tree_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match=r"a\.mrg, line 3: unbalanced brackets"):
        read(tmp_path / "a.mrg", TREES.rstrip()[:-1])
    with pytest.raises(ProbingError, match=r"a\.txt: the file contains no tree"):
        read(tmp_path / "a.txt", "no trees here\n")


@pytest.mark.real
def test_the_penn_sample_has_the_phrases_that_nltk_counts(shared: Path, tmp_path: Path) -> None:
    source = Path(shared, "data", "treebanks", "PTB_sample", "wsj_sample.mrg").read_text()
    text = "".join(re.split(r"(?m)^(?=\()", source)[:400])
    expected: Counter[tuple[str, int]] = Counter()
    for block in re.split(r"(?m)^(?=\()", text):
        if block.strip():
            for node in Tree.fromstring(block).subtrees():
                size = sum(tag != "-NONE-" for _, tag in node.pos())
                if node.height() > 2 and node.label() and size:
                    expected[re.split("[-=|]", node.label())[0], size] += 1
    path = tmp_path / "some.mrg"
    found = Counter(
        (edge.labels[0], edge.span[1] - edge.span[0]) for each in read(path, text) for edge in each.edges
    )
    assert found == expected
    assert found.total() > 5000
