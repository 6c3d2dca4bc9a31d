"""Scores by layer are put on one axis of depth, and planted places are found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from probing.comparisons.profile import centre_of_mass, layer_profile
from probing.errors import ProbingError
from tests.comparisons.test_compare import grid


def peak(layers: int, at: int, heads: int = 3) -> pd.DataFrame:
    """Majority everywhere but in one layer, whose head 1 is the best."""
    scores = np.full((layers, heads), 0.5)
    scores[at] = [0.7, 0.9, 0.8]
    return grid(scores, majority=0.5, model=f"m{layers}")


def test_each_layer_has_its_mean_and_its_best_head() -> None:
    profile = layer_profile(peak(4, 2))
    assert profile["mean"].tolist() == pytest.approx([0.5, 0.5, 0.8, 0.5])
    assert profile["best"].tolist() == pytest.approx([0.5, 0.5, 0.9, 0.5])
    assert profile["best_head"].tolist()[2] == 1
    assert profile["n"].tolist() == [3] * 4


def test_models_of_different_depth_share_one_axis() -> None:
    profile = layer_profile(pd.concat([peak(4, 1), peak(8, 3)]))
    at = profile[profile["best"] > 0.6]
    assert at["depth"].tolist() == [0.5, 0.5]
    assert profile.groupby("model")["depth"].max().tolist() == [1, 1]
    assert layer_profile(peak(4, 1), relative=False)["depth"].tolist() == [0, 1, 2, 3]


def test_embeddings_lie_at_depth_0() -> None:
    layers = grid(np.linspace(0.5, 0.9, 5)[:, None], granularity="layer")
    layers = layers.assign(layer=layers["layer"] - 1, head=pd.array([pd.NA] * 5, dtype="Int64"))
    profile = layer_profile(layers)
    assert profile["depth"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert profile["best_head"].isna().all()


def test_the_centre_is_where_the_excess_over_majority_is() -> None:
    found = centre_of_mass(pd.concat([peak(4, 2), peak(8, 3)])).set_index("model")
    assert found["centre"].to_dict() == {"m4": 2, "m8": 3}
    assert found["centre_depth"].to_dict() == {"m4": 0.75, "m8": 0.5}
    assert found["best_layer"].to_dict() == {"m4": 2, "m8": 3}
    scores = np.array([[0.5, 0.5], [0.7, 0.5], [0.5, 0.3], [0.6, 0.8]])
    by_hand = (1 * 0.1 + 3 * 0.2) / (0.1 + 0.2)
    assert centre_of_mass(grid(scores, majority=0.5))["centre"][0] == pytest.approx(by_hand)
    by_hand = (1 * 0.2 + 3 * 0.3) / 0.5
    assert centre_of_mass(grid(scores, majority=0.5), of="best")["centre"][0] == pytest.approx(by_hand)


def test_a_task_that_no_head_knows_has_no_centre_and_wrong_frames_say_so() -> None:
    assert np.isnan(centre_of_mass(grid(np.full((3, 2), 0.4), majority=0.5))["centre"][0])
    with pytest.raises(ProbingError, match="no row is of a layer; give results"):
        layer_profile(grid(np.ones((2, 2)), granularity="top_heads"))
    with pytest.raises(ProbingError, match="give mean or best"):
        centre_of_mass(peak(4, 2), of="median")
