"""Heads that are planted are found, and the rule is that of Clark et al. (2019)."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from probing.looking.finds import Arcs, arcs_of
from probing.looking.outcome import Look
from probing.looking.passages import Tree
from probing.looking.pieces import Pieces

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
