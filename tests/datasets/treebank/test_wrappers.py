"""Nodes that parsers put above a sentence, and text around trees, change no example and no label."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path

import pytest

from probing.datasets.treebank import tree_facts as reading
from probing.datasets.treebank.facts import Marked
from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.pool import SentenceExample
from probing.datasets.treebank.properties import KINDS
from probing.datasets.treebank.sentence import Phrase, Sentence
from probing.datasets.treebank.task import TreebankTask
from probing.errors import ProbingError

DOG = "(S (NP-SBJ (DT the) (NN dog)) (VP (VBD saw) (NP (DT a) (NN cat))) (. .))"
WRAPPERS = ("ROOT", "TOP", "S1", "VROOT", "PSEUDO", "")
HEADER = (
    "*x* Copyright (C) 1995 A University (see the LICENSE (or COPYING)) *x*\n"
    "(the licence)\n(C) 1995\n1) free :-) for research (NON-COMMERCIAL)\n"
)


def read(tmp_path: Path, text: str) -> list[Sentence]:
    """The sentences of a file, called by no place."""
    (tmp_path / "a.mrg").write_text(text, encoding="utf-8")
    return [replace(sentence, place="") for sentence in read_treebank(tmp_path / "a.mrg")]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("tree", [DOG, "(NP-HLN (NN dog))", "(NN dog)", "(FRAG (NN dog) (-NONE- *))"])
def test_a_unary_node_above_a_sentence_is_left_out(tmp_path: Path, wrapper: str, tree: str) -> None:
    (bare,) = read(tmp_path, f"( {tree} )")
    for text in (
        f"({wrapper} {tree})",
        f"({wrapper}{tree})",
        f"( ({wrapper} {tree}) )",
        f"({wrapper} (TOP {tree}))",
        f"({wrapper}\n  {tree} (NP (-NONE- *T*)))",
    ):
        assert read(tmp_path, text) == [bare], text
    if tree != "(NN dog)":
        assert read(tmp_path, tree) == [bare]
        assert reading.depth(bare) == {DOG: 4}.get(tree, 2)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_punctuation_on_the_wrapper_is_the_sentences(tmp_path: Path, wrapper: str) -> None:
    """NEGRA and TIGER hang it there; in the Penn Treebank it is part of the sentence."""
    inner = DOG.replace(" (. .)", "")
    (bare,) = read(tmp_path, DOG)
    (found,) = read(tmp_path, f"({wrapper} {inner} (. .))")
    assert found == bare
    assert reading.top_constituents(found) == "NP_VP_."
    assert reading.tense(found) == reading.tense(bare) == Marked(2, "past")
    quoted = DOG.replace("(S ", "(S (`` ``) ").replace("(. .)", "(. .) ('' '')")
    assert read(tmp_path, f"({wrapper} (`` ``) {inner} (. .) ('' ''))") == read(tmp_path, quoted)


def test_a_wrapper_of_several_constituents_is_their_top(tmp_path: Path) -> None:
    second = DOG.replace("dog", "cat").replace(" (. .)", "")
    (found,) = read(tmp_path, f"(VROOT {second} ($, ,) {DOG} ($. .))")
    assert found.tree is not None
    assert found.tree.label == ""
    assert [c.label if isinstance(c, Phrase) else c for c in found.tree.children] == ["S", 5, "S", 12]
    assert reading.depth(found) == 5
    assert reading.tense(found) is None
    (several,) = read(tmp_path, "( (NP (NN dog)) (NP (NN cat)) (. .) )")
    assert several.tree == Phrase("", (Phrase("NP", (0,)), Phrase("NP", (1,)), 2))
    (word,) = read(tmp_path, "(VROOT (S (NN dog)) (NN cat))")
    assert word.tree == Phrase("", (Phrase("S", (0,)), 1))


def test_labels_like_a_wrappers_stay_inside_a_sentence(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "(ROOT (S (TOP (NN dog)) (VP (VBD ran))))")
    assert found.tree == Phrase("S", (Phrase("TOP", (0,)), Phrase("VP", (1,))))


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}{DOG}\n{DOG}\n",
        f"{DOG}\n{HEADER}\n{DOG}\n{HEADER}",
        f"\ufeff{DOG}\n\ufeff{HEADER}\n\ufeff{DOG}",
        f"1 {DOG}\n2: (ROOT {DOG})",
        f"{DOG}{DOG}",
        f"{DOG} # (a) remark (of (mine))\n{DOG}",
        f"# (sent_id 1\n{DOG}\n# sent_id 2)\n{DOG}",
    ],
)  # fmt: skip
def test_text_between_trees_is_passed_over_with_its_brackets(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == read(tmp_path, DOG) * 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{HEADER}{DOG})\n{DOG}", "line 5: unbalanced brackets; one closes"),
        (f"{HEADER}{DOG}\n  )\n{DOG}", "line 6: unbalanced brackets; one closes"),
        (f"{HEADER}{DOG[:-1]}\n{DOG}\n", "line 5: unbalanced .* not closed before line 6"),
        (f"{DOG}\n{DOG[1:]}\n", "line 2: unbalanced brackets; one closes"),
        (f"{DOG}\n  {DOG[1:]} {DOG}\n", "line 2: unbalanced brackets; one closes"),
        (f"(ROOT {DOG}\n(ROOT {DOG})\n", "line 1: unbalanced .* not closed before line 2"),
        ("( (S (NN dog)) cat)", "line 1: a word in the topmost constituent has no tag"),
    ],
)
def test_a_missing_bracket_is_still_placed(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ProbingError, match=f"a.mrg, {message}"):
        read(tmp_path, text)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """The Penn sample with a header, a byte order mark and every wrapper in turn."""

    @cache
    def make(sample: Path) -> Path:
        text = sample.read_text(encoding="utf-8")
        names = cycle(WRAPPERS)
        wrapped = re.sub(r"^\( *\(", lambda _: f"({next(names)} (", text, flags=re.MULTILINE)
        path = tmp_path_factory.mktemp("wrapped") / "wsj_sample.mrg"
        path.write_text(f"\ufeff{HEADER}\n{wrapped}", encoding="utf-8")
        return path

    return make


@cache
def examples(path: Path, kind: str) -> list[SentenceExample]:
    return TreebankTask(f"treebank/{kind}", path, kind).examples()[0]


def seen(path: Path, kind: str) -> list[tuple[str, str, str]]:
    return [(e.text, e.label, e.split) for e in examples(path, kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_penn_sample_gives_the_same_examples(
    shared: Path, changed: Callable[[Path], Path], kind: str
) -> None:
    path = shared / "data" / "treebanks" / "PTB_sample" / "wsj_sample.mrg"
    assert seen(changed(path), kind) == seen(path, kind)


def test_the_penn_sample_has_its_published_numbers(shared: Path, changed: Callable[[Path], Path]) -> None:
    path = changed(shared / "data" / "treebanks" / "PTB_sample" / "wsj_sample.mrg")
    sizes = Counter(split for *_, split in seen(path, "tense"))
    assert sizes == {"train": 1018, "dev": 116, "test": 106}
    assert {int(label) for _, label, _ in seen(path, "depth")} == set(range(7, 13))
