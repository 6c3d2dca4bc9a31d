"""Leaves of syntax trees, their offsets and their distances."""

from __future__ import annotations

import ast
import sys
from collections import deque
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from probing.datasets.code import languages
from probing.datasets.code.languages import grammar_version, parser_of
from probing.datasets.code.leaf_distances import leaf_distances
from probing.datasets.code.syntax import CodeTree, parse, pieces
from probing.errors import ProbingError
from tests.datasets.code.snippets import LANGUAGES, aligned

CODE = '''def größe(x):  # a comment, 長さ
    """Doc \U0001f600 string."""
    y = x + x
    return y
'''


def slow_distances(tree: CodeTree) -> list[list[int]]:
    """Distances by breadth-first search over edges that are written out one by one."""
    edges = {(node, parent) for node, parent in enumerate(tree.parents.tolist()) if parent >= 0}
    for at, leaf in enumerate(tree.leaves):
        if at:
            edges.add((leaf.node, tree.leaves[at - 1].node))
        same = [other for other in tree.leaves[:at] if tree.text(other) == tree.text(leaf)]
        same = [other for other in same if other.type == leaf.type == "identifier"]
        if same:
            edges.add((leaf.node, same[-1].node))
    around: dict[int, set[int]] = {}
    for one, other in edges:
        around.setdefault(one, set()).add(other)
        around.setdefault(other, set()).add(one)
    found = []
    for start in tree.leaves:
        known, waiting = {start.node: 0}, deque([start.node])
        while waiting:
            node = waiting.popleft()
            for other in around[node] - set(known):
                known[other] = known[node] + 1
                waiting.append(other)
        found.append([known[leaf.node] for leaf in tree.leaves])
    return found


def test_leaves_have_characters_as_offsets_and_stand_in_order() -> None:
    tree = parse(CODE, "python")
    texts = [tree.text(leaf) for leaf in tree.leaves]
    assert texts[:5] == ["def", "größe", "(", "x", ")"]
    assert "Doc \U0001f600 string." in texts  # docstrings are leaves
    assert not any("comment" in text for text in texts)
    assert texts[-2:] == ["return", "y"]
    assert all(end <= start for (_, end), (start, _) in zip(tree.spans, tree.spans[1:], strict=False))
    assert tree.sound
    assert tree.types[1] == "identifier"


def test_joined_leaves_have_their_own_offsets() -> None:
    tree = parse(CODE, "python")
    text, spans = tree.joined()
    assert text.startswith("def größe ( x ) :")
    assert [text[start:end] for start, end in spans] == [tree.text(leaf) for leaf in tree.leaves]
    assert parse("", "python").joined() == ("", ())


def test_comments_of_all_kinds_are_left_out() -> None:
    java = "class A { /* block */ int a; // line\n/** doc */ int b; }"
    assert (
        " ".join(map(parse(java, "java").text, parse(java, "java").leaves)) == "class A { int a ; int b ; }"
    )
    script = "let a = 1; /* x */ // y\nlet b"
    assert "x" not in parse(script, "javascript").joined()[0].split()


def test_code_that_does_not_parse_has_leaves_that_have_characters() -> None:
    tree = parse("def f(:\n  x = ", "python")
    assert not tree.sound
    assert tree.leaves
    assert all(leaf.end > leaf.start for leaf in tree.leaves)


@pytest.mark.parametrize(
    ("code", "language"),
    [
        (CODE, "python"),
        ("class A { int f(int a) { return a * a; } }", "java"),
        ("let f = x => x + x", "javascript"),
    ],
)
def test_distances_are_shortest_paths(code: str, language: str) -> None:
    tree = parse(code, language)
    distances = leaf_distances(tree)
    assert distances.tolist() == slow_distances(tree)
    assert (distances == distances.T).all()
    assert (np.diag(distances) == 0).all()
    assert (np.diag(distances, 1) == 1).all()  # neighbours
    some = np.array([0, 3, len(tree.leaves) - 1])
    assert (leaf_distances(tree, some) == distances[np.ix_(some, some)]).all()


def test_a_variable_is_near_its_previous_occurrence() -> None:
    tree = parse("x = 1\nfoo(a, b, c, d)\ny = x", "python")
    texts = [tree.text(leaf) for leaf in tree.leaves]
    first, last = texts.index("x"), len(texts) - 1
    assert leaf_distances(tree)[first, last] == 1


def test_distances_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = parse(CODE, "python")
    whole = leaf_distances(tree)
    monkeypatch.setattr("probing.datasets.code.leaf_distances.BLOCK", 1)
    assert (leaf_distances(tree) == whole).all()


def test_trees_without_pairs_have_no_distances() -> None:
    assert leaf_distances(parse("", "python")).shape == (0, 0)
    assert leaf_distances(parse("x", "python")).tolist() == [[0]]


@pytest.mark.real
@pytest.mark.parametrize("language", LANGUAGES)
def test_distances_are_those_of_the_code_of_chen(shared: Path, language: str) -> None:
    table = pd.read_csv(shared / "reference/attention/cat_snippets_minilm.csv").query("lang == @language")
    for (tree, ids, leaves), row in zip(aligned(shared, language), table.itertuples(), strict=True):
        kept = np.unique([leaf for leaf in leaves if leaf >= 0])
        distances = leaf_distances(tree, kept)
        assert (len(kept), len(ids)) == (row.n_tokens, row.n_subtokens)
        assert (distances.sum(), distances.max()) == (row.distance_sum, row.distance_max)


def test_pieces_are_the_outermost_nodes_of_a_type() -> None:
    method = "    def f(self):\n        def g():\n            pass\n        return g\n"
    code = f"class A:\n{method}\ndef h():\n    pass\n"
    found = list(pieces(code, "python", "function_definition"))
    assert found == ["def f(self):\n    def g():\n        pass\n    return g", "def h():\n    pass"]
    for piece in found:
        ast.parse(piece)
    assert list(pieces(code, "python", "no_such_type")) == []


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("Python", "give the name of a tree-sitter grammar"),
        ("../x", "give the name of a tree-sitter grammar"),
        ("no_such", "pip install tree-sitter-no-such"),
    ],
)
def test_a_grammar_that_is_not_there_is_named(language: str, says: str) -> None:
    with pytest.raises(ProbingError, match=says):
        parser_of(language)


def test_a_missing_tree_sitter_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter", None)
    with pytest.raises(ProbingError, match=r"transformer-probing\[code\]' tree-sitter-python"):
        languages.parser_of.__wrapped__("python")


def test_a_package_without_a_fitting_grammar_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("tree_sitter_made_up")
    monkeypatch.setitem(sys.modules, "tree_sitter_made_up", package)
    with pytest.raises(ProbingError, match="no such grammar"):
        parser_of("made_up")
    package.language_made_up = lambda: "not a grammar"  # type: ignore[attr-defined]
    with pytest.raises(ProbingError, match="does not fit the installed tree-sitter"):
        parser_of("made_up")


def test_the_version_of_a_grammar_is_that_of_its_package() -> None:
    assert grammar_version("python").count(".") == 2
