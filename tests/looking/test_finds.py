"""Heads that are planted are found, and the rule is that of Clark et al. (2019)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import probing
from probing.looking.finds import DIRECTIONS, Arcs, arcs_of
from probing.looking.outcome import Look
from probing.looking.passages import Tree
from probing.looking.pieces import Pieces
from probing.representations.reductions.word_targets import COLUMNS, WordTargets
from probing.tasks.task import Unit
from tests.looking.conftest import options
from tests.representations.test_attention import extractor, rows_of
from tests.tiny import make_bert, make_gpt2, make_llama

HEADS = (2, 2, 3, -1, 5, 3)
TREE = Tree(HEADS, ("det", "amod", "nsubj", "root", "det", "obj"))


def pieces(n: int = 6) -> Pieces:
    """Words between two special tokens."""
    return Pieces(
        ("[CLS]", *(f"w{k}" for k in range(n)), "[SEP]"),
        (True, *[False] * n, True),
        tuple([0] * (n + 2)),
        np.eye(n + 2, dtype=bool),
        (-1, *range(n), -1),
    )


def planted() -> NDArray[np.float32]:
    """A head that attends to [CLS] and itself most, and to governors after these; and its transpose."""
    weights = np.full((8, 8), 0.01, dtype=np.float32)
    weights[:, 0] = 0.6
    weights[np.arange(8), np.arange(8)] = 0.3
    for word, head in enumerate(HEADS):
        if head >= 0:
            weights[word + 1, head + 1] = 0.05
    return np.stack([weights, weights.T])


def arcs() -> Arcs:
    return arcs_of(TREE, pieces(), {4: planted()})


def test_a_planted_head_finds_every_governor_and_its_transpose_in_the_other_direction() -> None:
    found = arcs()
    assert found.right("dependent")[4].tolist() == [5, 0]
    assert found.right("governor")[4].tolist() == [0, 5]
    assert found.words == (1, 2, 3, 4, 5, 6)
    assert found.findable.sum() == 5


def test_the_diagonal_and_special_tokens_are_never_found() -> None:
    for each in arcs().found.values():
        assert (each[4] != np.arange(6)).all()
        assert (each[4] < 6).all()


def test_the_lowest_place_wins_a_tie() -> None:
    found = arcs_of(TREE, pieces(), {0: np.ones((1, 8, 8), dtype=np.float32)})
    assert found.found["dependent"][0].tolist() == [[1, 0, 0, 0, 0, 0]]


def test_a_word_with_no_weights_finds_nothing() -> None:
    causal = np.tril(np.ones((1, 8, 8), dtype=np.float32))
    causal[:, :, 0] = 0
    found = arcs_of(TREE, pieces(), {0: causal})
    assert found.found["dependent"][0][0].tolist() == [-1, 0, 0, 0, 0, 0]
    assert found.found["governor"][0][0].tolist() == [1, 2, 3, 4, 5, -1]


def test_a_governor_that_was_cut_off_is_unknown() -> None:
    found = arcs_of(TREE, pieces(4), {0: np.ones((1, 6, 6), dtype=np.float32)})
    assert found.heads.tolist() == [2, 2, 3, -1]
    shorter = arcs_of(
        Tree((1, 3, 3, -1), ("", "", "", "")), pieces(2), {0: np.ones((1, 4, 4), dtype=np.float32)}
    )
    assert shorter.heads.tolist() == [1, -2]
    assert shorter.findable.tolist() == [True, False]


@pytest.mark.slow
def test_arcs_of_a_model_are_the_argmax_of_its_words(parsed: Look) -> None:
    (read,), (found,) = parsed.reads, parsed.arcs
    assert read.words is not None
    merged = read.maps["attention"].merged(read.words)[2]
    places = [place for place, word in enumerate(read.words.words) if word >= 0]
    for head in range(4):
        for word, place in enumerate(places):
            row = {other: merged[head, place, at] for other, at in enumerate(places) if at != place}
            assert found["attention"].found["dependent"][2][head, word] == max(
                row, key=lambda other: row[other]
            )


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["attention", "value-weighted"])
@pytest.mark.parametrize("make", [make_bert, make_gpt2, make_llama], ids=lambda make: make.__name__)
def test_governors_are_those_of_the_analysis(
    make: Callable[[Path], Path], weights: str, treebank: Path, tmp_path: Path
) -> None:
    folder = make(tmp_path / "model")
    look = probing.look(overrides=[*options(folder, tmp_path), f"task.path={treebank}"], sentence=0)
    (read,), (arcs,) = look.reads, look.arcs
    spans = read.passage.spans
    units = [Unit(read.passage.text, span, words=spans) for span in spans]
    statistic = WordTargets(weighted=weights == "value-weighted")
    expected = extractor(tmp_path / "out", folder, statistic).extract(units)
    found = arcs[weights].found
    assert len(arcs[weights].words) == len(spans)
    for direction, column in zip(DIRECTIONS, ("to", "from"), strict=True):
        for layer in look.heads:
            own = rows_of(expected, layer)[..., COLUMNS.index(column)]
            np.testing.assert_array_equal(found[direction][layer], own.T)
