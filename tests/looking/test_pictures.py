"""Every view is drawn, with the table behind it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel

import probing
from probing.errors import ProbingError
from probing.figures.picture import Picture
from probing.looking.map_readers import attention_maps
from probing.looking.outcome import Look
from probing.looking.pictures.dependency_arcs import heights
from tests.looking.conftest import SENTENCE, options

pytestmark = pytest.mark.slow


def drawn(look: Look, view: str, path: Path) -> tuple[Picture, pd.DataFrame]:
    picture = look.draw(view, path)
    assert picture.files is not None
    assert all(file.stat().st_size > 1000 for file in picture.files[:3])
    return picture, pd.read_csv(picture.files.csv, keep_default_na=False)


@pytest.mark.parametrize("view", ["lines", "matrix"])
def test_the_table_of_a_head_has_its_weights(view: str, looked: Look, tmp_path: Path) -> None:
    _, table = drawn(looked, view, tmp_path / view)
    read = looked.reads[0]
    assert read.words is not None
    expected = read.maps["attention"].merged(read.words)[1][2]
    np.testing.assert_allclose(table.iloc[:, 4:].to_numpy(float), expected, atol=1e-6)
    assert table["word"].tolist() == list(read.words.labels)


def test_a_layer_and_the_model_have_all_heads(looked: Look, tmp_path: Path) -> None:
    _, layer = drawn(looked, "layer", tmp_path / "layer")
    assert layer[["layer", "head"]].drop_duplicates().to_numpy().tolist() == [[1, head] for head in range(4)]
    picture, model = drawn(looked, "model", tmp_path / "model")
    assert len(model[["layer", "head"]].drop_duplicates()) == 12
    labels = [label.get_text() for label in picture.axes[0].get_yticklabels()]
    places = picture.axes[0].get_yticks()
    assert labels == ["0", "1", "2"]
    assert places[0] > places[1] > places[2]  # layer 0 is at the bottom


def test_lines_say_where_their_scale_ends(looked: Look) -> None:
    read = looked.reads[0]
    assert read.words is not None
    weights = read.maps["attention"].merged(read.words)[1][2]
    for scale, top in (("shared", 1.0), ("own", float(weights.max()))):
        picture = looked.draw("lines", scale=scale)
        shown = " ".join(text.get_text() for text in picture.texts)
        assert f"darkest line {top:.2g}" in shown
        alphas = np.asarray(picture.axes[0].collections[0].get_edgecolor())[:, 3]
        assert alphas.max() == pytest.approx(float(weights.max()) / top)


def test_lines_are_drawn_from_queries_to_keys(looked: Look) -> None:
    picture = looked.draw("lines")
    (lines,) = picture.axes[0].collections
    read = looked.reads[0]
    assert read.words is not None
    weights = read.maps["attention"].merged(read.words)[1][2]
    segments = np.stack(lines.get_segments())  # type: ignore[attr-defined]
    assert len(segments) == (weights >= 0.01).sum()
    heights_ = np.unique(segments[:, :, 1])
    query, key = (np.searchsorted(heights_, segments[:, side, 1]) for side in (0, 1))
    alphas = np.asarray(lines.get_edgecolor())[:, 3]
    np.testing.assert_allclose(alphas, weights[query, key], atol=1e-6)


def test_special_tokens_can_be_left_out(looked: Look) -> None:
    table = looked.draw("matrix", special=False, unit="tokens").table
    assert not {"[CLS]", "[SEP]"} & set(table["word"])
    assert len(table) == len(looked.reads[0].tokens) - 2


def test_each_head_can_have_its_own_scale(looked: Look) -> None:
    shared = looked.draw("matrix").axes[0].images[0].get_clim()
    own = looked.draw("matrix", scale="own").axes[0].images[0]
    shown = own.get_array()
    assert shown is not None
    assert shared == (0, 1)
    assert own.get_clim() == pytest.approx((0, shown.max()))


@pytest.mark.parametrize("view", ["matrix", "layer", "model"])
def test_other_weights_keep_one_scale_with_and_without_special_tokens(
    view: str, tiny_bert: Path, tmp_path: Path
) -> None:
    def to_first(model: PreTrainedModel, inputs: Mapping[str, Any]) -> Mapping[int, Tensor]:
        found = {layer: torch.ones_like(each) for layer, each in attention_maps(model, inputs).items()}
        for weights in found.values():
            weights[:, :, 0] = 7
        return found

    look = probing.look(
        SENTENCE, options(tiny_bert, tmp_path), maps={"to first": to_first}, weights="to first"
    )
    for special in (True, False):
        picture = look.draw(view, special=special)
        assert picture.axes[0].images[0].get_clim() == (0, 7)


def test_the_legend_of_arcs_names_every_line(parsed: Look) -> None:
    axes = parsed.draw("arcs").axes
    named = [text.get_text() for each in axes[1:] for text in each.texts]
    assert named == ["treebank", "found, right", "found, wrong"]
    assert [each.lines[0].get_linestyle() for each in axes[1:]] == ["-", "-", "--"]


def test_arcs_and_their_table(parsed: Look, tmp_path: Path) -> None:
    picture, table = drawn(parsed, "arcs", tmp_path / "arcs")
    assert table["word"].tolist() == ["the", "old", "farmer", "sold", "ahorse", "."]
    assert table["governor"].tolist() == ["farmer", "farmer", "sold", "", "sold", "sold"]
    right = int(parsed.arcs[0]["attention"].right("dependent")[2][1])
    assert (table["right_by_dependent"] == "True").sum() == right
    assert f"finds {right} of 5 governors" in " ".join(text.get_text() for text in picture.texts)


def test_an_arc_is_above_those_within_it() -> None:
    found = heights([(0, 3), (1, 0), (2, 1), (3, 2), (4, 0)])
    assert found[4, 0] > found[0, 3] > found[1, 0] == found[2, 1] == found[3, 2] == 1


def test_examples_and_their_table(looked: Look, tmp_path: Path) -> None:
    picture, table = drawn(looked, "semantic", tmp_path / "semantic")
    assert len(table) == 40
    assert set(table["label"]) == {"past", "present"}
    semantic = looked.semantic
    assert semantic is not None
    np.testing.assert_allclose(table[["pca_1", "pca_2"]], semantic.heads[1, 2].pca.points, atol=1e-6)
    assert [axes.get_xlabel() for axes in picture.axes][1] == "output of the probe for present"


def test_the_same_look_gives_the_same_files(looked: Look, tmp_path: Path) -> None:
    for name in ("one", "two"):
        looked.draw("matrix", tmp_path / name / "x")
    for suffix in ("png", "svg", "pdf", "csv"):
        assert (tmp_path / "one" / f"x.{suffix}").read_bytes() == (
            tmp_path / "two" / f"x.{suffix}"
        ).read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"view": "line"}, "expected one of"),
        ({"view": "arcs"}, "view=arcs needs a sentence of a treebank"),
        ({"layer": 3}, "layer=3: the model has attention in layers 0, 1, 2"),
        ({"head": 4}, "head=4: layer 1 has heads 0 to 3"),
        ({"passage": 2}, "there are texts 0 to 1"),
        ({"weights": "values"}, "expected one of attention"),
        ({"hed": 1}, "unknown option look.hed; did you mean head"),
    ],
)
def test_a_choice_that_does_not_exist_is_refused(
    looked: Look, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ProbingError, match=message):
        looked.draw(**changes)  # type: ignore[arg-type]
