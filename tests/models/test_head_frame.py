"""Functions about heads return frames with the columns of results, which merge with results and are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel

import probing
from probing.ablations.gradients import importance_sums
from probing.errors import ProbingError
from probing.models.head_frame import frame_of_vectors, vectors_of_frame
from probing.models.heads import Heads
from probing.models.masking import site_means
from probing.models.sites import Kind, Site
from probing.results.schema import COLUMNS, as_frame
from tests.tiny import make_bart

pytestmark = pytest.mark.slow

TEXTS = ["the old dog sees", "a cat", "the farmer sold the horse"]


def of_heads(model: PreTrainedModel, inputs: dict[str, Tensor], *, whole: bool = False) -> pd.DataFrame:
    def loss() -> Tensor:
        squares: Tensor = model(**inputs).last_hidden_state.square().sum((1, 2))
        return squares

    return probing.head_importance(model, [loss], whole_layers=whole)


@pytest.fixture
def bert(tiny_bert: Path) -> tuple[PreTrainedModel, dict[str, Tensor]]:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    return AutoModel.from_pretrained(tiny_bert), dict(tokenizer(TEXTS, padding=True, return_tensors="pt"))


@pytest.fixture
def bart(tmp_path: Path) -> tuple[PreTrainedModel, dict[str, Tensor]]:
    folder = make_bart(tmp_path / "bart")
    inputs = dict(AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt"))
    return AutoModel.from_pretrained(folder), inputs | {"decoder_input_ids": inputs["input_ids"]}


def test_importance_is_a_row_for_each_head(bert: tuple[PreTrainedModel, dict[str, Tensor]]) -> None:
    model, inputs = bert
    frame = of_heads(model, inputs)
    assert list(frame.columns) == ["stack", "layer", "head", "per_example", "per_token", "signed"]
    assert [str(frame[name].dtype) for name in ("stack", "layer", "head")] == [
        COLUMNS[name] for name in ("stack", "layer", "head")
    ]
    assert frame[["layer", "head"]].to_numpy().tolist() == [[la, he] for la in range(3) for he in range(4)]
    assert frame["stack"].isna().all()

    def loss() -> Tensor:
        squares: Tensor = model(**inputs).last_hidden_state.square().sum((1, 2))
        return squares

    sums = importance_sums(model, [loss], Heads(probing.find_sites(model).heads))
    np.testing.assert_array_equal(frame["per_example"], sums.per_example)
    np.testing.assert_array_equal(frame["per_token"], sums.per_token)
    np.testing.assert_allclose(frame["signed"], sums.signed / len(TEXTS))
    whole = of_heads(model, inputs, whole=True)
    assert whole["layer"].tolist() == [0, 1, 2]
    assert whole["head"].isna().all()
    signed = frame.groupby("layer")["signed"].sum()  # a factor on a layer is a factor on each of its heads
    np.testing.assert_allclose(whole["signed"], signed, rtol=1e-4)


def test_importance_merges_with_results_and_is_drawn(
    bert: tuple[PreTrainedModel, dict[str, Tensor]], tmp_path: Path
) -> None:
    frame = of_heads(*bert)
    names = {
        "analysis": "probe",
        "model": "tiny-bert",
        "task": "t",
        "granularity": "head",
        "metric": "accuracy",
    }
    cells = [{"layer": layer, "head": head} for layer in range(3) for head in range(4)]
    results = as_frame([names | cell | {"test": 0.5 + cell["head"] / 9, "n_train": 9} for cell in cells])
    both = results.merge(frame, on=["stack", "layer", "head"])
    assert len(both) == 12
    np.testing.assert_array_equal(both["per_example"], frame["per_example"])

    grid = probing.grid(frame, value="per_example")
    assert grid.shape == (3, 4)
    np.testing.assert_array_equal(grid.to_numpy().ravel(), frame["per_example"])
    pd.testing.assert_frame_equal(probing.grid(both, value="per_example", task="t"), grid)
    assert probing.grid(of_heads(*bert, whole=True), value="signed").shape == (3, 1)
    files = probing.draw_grid(frame, tmp_path / "importance", value="per_example").files
    assert files is not None
    drawn = pd.read_csv(files.csv)
    np.testing.assert_allclose(drawn["per_example"], frame["per_example"])
    written = files.svg.read_text()
    assert f">{frame['per_example'].max():.3f}" in written
    assert "%" not in "".join(part.partition("<")[0] for part in written.split("<text")[1:])
    probing.draw_grid(both, tmp_path / "merged", value="signed")
    with pytest.raises(ProbingError, match=r"no column 'test', only stack, layer, head, per_example"):
        probing.draw_grid(frame, tmp_path / "none")
    with pytest.raises(ProbingError, match=r"grid: frame has no column 'head'"):
        probing.grid(frame.drop(columns="head"), value="signed")


def test_a_model_of_two_stacks_names_them(bart: tuple[PreTrainedModel, dict[str, Tensor]]) -> None:
    frame = of_heads(*bart)
    assert frame.groupby("stack", sort=False).size().to_dict() == {"encoder": 8, "decoder": 8, "cross": 8}
    with pytest.raises(ProbingError, match=r"stack is any of encoder, .*; name one, stack="):
        probing.grid(frame, value="per_example")
    assert probing.grid(frame, value="per_example", stack="cross").shape == (2, 4)


def test_mean_outputs_are_a_frame_that_masks_heads(bart: tuple[PreTrainedModel, dict[str, Tensor]]) -> None:
    model, inputs = bart
    model.train(False)
    frame = probing.mean_outputs(model, [inputs])
    assert list(frame.columns) == ["stack", "layer", "head", *(f"feature_{i}" for i in range(8))]
    assert len(frame) == 24
    heads = Heads(probing.find_sites(model).heads)
    means = site_means(model, [inputs], heads)
    shuffled = frame.sample(frac=1, random_state=0)
    for site, expected in means.items():
        assert torch.equal(vectors_of_frame(heads, shuffled)[site], expected)
    with torch.no_grad():
        found = []
        for given in (frame, means):
            with probing.mask_heads(model, [(1, 2)], "mean", means=given, stack="cross"):
                found.append(model(**inputs).last_hidden_state)
        whole = model(**inputs).last_hidden_state
    assert torch.equal(*found)
    assert not torch.equal(found[0], whole)


def test_layers_may_differ_in_their_heads() -> None:
    sites = tuple(
        Site(Kind.HEAD, layer, f"layer.{layer}", 0, count, dim)
        for layer, count, dim in [(0, 2, 3), (1, 1, 5)]
    )
    heads = Heads(sites)
    means = {site: torch.randn(site.heads, site.head_dim) for site in sites}
    frame = frame_of_vectors(heads, means)
    assert frame.shape == (3, 8)
    assert frame.iloc[0].isna().sum() == 3  # the stack, and two features that narrow heads lack
    for site, expected in means.items():
        assert torch.equal(vectors_of_frame(heads, frame)[site], expected)
    for bad, message in (
        (frame.drop(columns="layer"), "no column 'layer'; pass what mean_outputs returns"),
        (frame.iloc[:2], r"none for head outputs of layer 1 .*for all heads"),
        (frame.drop(columns="feature_4"), r"none for head outputs of layer 1 .*for all heads"),
    ):
        with pytest.raises(ProbingError, match=message):
            vectors_of_frame(heads, bad)
