"""A picture of rollout shows and tabulates the shares that it was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.figures.picture import Picture
from probing.figures.rolled import draw_rollout
from probing.representations.rollout import rollout
from tests.figures.frames import texts, written

pytestmark = pytest.mark.slow

TOKENS = ["[CLS]", "the", "dog", "$x$", "[SEP]"]


def _rolled() -> NDArray[np.float64]:
    drawn = np.random.default_rng(0).random((3, 1, 2, 5, 5))
    rolled: NDArray[np.float64] = rollout(list(drawn / drawn.sum(-1, keepdims=True)))[0]
    return rolled


def _cells(picture: Picture) -> NDArray[np.float64]:
    axes = next(axes for axes in picture.axes if axes.get_label() == "rollout")
    (mesh,) = [each for each in axes.collections if isinstance(each, QuadMesh)]
    return np.asarray(mesh.get_array(), dtype=np.float64)


def test_without_a_query_all_positions_of_the_last_layer_are_drawn(tmp_path: Path) -> None:
    rolled = _rolled()
    picture = draw_rollout(TOKENS, rolled, tmp_path / "rollout")
    np.testing.assert_allclose(_cells(picture), rolled[-1])
    lines = texts(written(picture).svg)
    assert set(TOKENS) <= set(lines)
    assert {"rollout, layer 2", "input token", "position"} <= set(lines)
    table = pd.read_csv(written(picture).csv)
    assert len(table) == 3 * 5 * 5
    row = table[(table["layer"] == 1) & (table["query"] == 2) & (table["key"] == 3)].iloc[0]
    assert (row["query_token"], row["key_token"]) == ("dog", "$x$")
    assert row["share"] == pytest.approx(rolled[1, 2, 3])


def test_a_query_is_drawn_through_the_layers() -> None:
    rolled = _rolled()
    picture = draw_rollout(TOKENS, rolled, query=2)
    np.testing.assert_allclose(_cells(picture), rolled[:, 2])
    assert picture.files is None
    axes = next(axes for axes in picture.axes if axes.get_label() == "rollout")
    assert not axes.yaxis_inverted()  # layers upward from the input
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0", "1", "2"]


@pytest.mark.parametrize("count", [1, 60])
def test_short_and_long_texts_fit(count: int) -> None:
    rolled = np.broadcast_to(np.eye(count), (2, count, count))
    width, height = draw_rollout([f"token{i}" for i in range(count)], rolled).get_size_inches()
    assert 1 < height < 12
    assert 1 < width < 12


@pytest.mark.parametrize(
    ("shape", "query", "message"),
    [
        ((3, 4, 4), None, r"for 5 tokens it must be \(layers, 5, 5\)"),
        ((5, 5), None, "one text of rollout"),
        ((0, 5, 5), None, "one text of rollout"),
        ((3, 5, 5), 5, "query=5: the text has positions 0 to 4"),
        ((3, 5, 5), -1, "query=-1"),
    ],
)
def test_other_shapes_are_refused(shape: tuple[int, ...], query: int | None, message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        draw_rollout(TOKENS, np.zeros(shape), query=query)
