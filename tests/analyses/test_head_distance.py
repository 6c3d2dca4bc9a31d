"""Distances between heads as a run: pairs, means, nearest heads, map, clusters and tags, on tiny models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, jensenshannon
from transformers import AutoModel, AutoTokenizer

import probing
from probing.analyses.behaviour import tags_of
from probing.errors import ProbingError
from probing.figures.head_map import draw_head_map
from probing.page.collect import collect
from probing.results.behaviours import THRESHOLDS
from probing.results.finding import finding_of_rows
from probing.results.head_pairs import matrix_of_pairs
from probing.results.schema import of_pairs, places
from probing.results.table import grid_text, part_text, summary
from tests import tiny

WORDS = tiny.WORDS * 2


def data() -> pd.DataFrame:
    """Thirty texts, of which those of dev are three to nine words long."""
    texts = [" ".join(WORDS[row : row + 3 + row % 7]) for row in range(30)]
    return pd.DataFrame(
        {"text": texts, "label": ["a", "a", "a", "b", "b", "b"] * 5, "split": ["train", "dev", "test"] * 10}
    )


def run(root: Path, model: Path, *more: str, table: pd.DataFrame | None = None) -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.split=split",
                 "extract.threads=1", "analysis=head_distance", *more]  # fmt: skip
    return probing.run(arguments, data=data() if table is None else table)


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    """A model whose heads differ clearly."""
    return tiny.make_masked(tmp_path / "bert")


def plain(folder: Path, *, per_text: bool = False) -> NDArray[np.float64]:
    """Distances per query by scipy, from plain attention without row 0 of causal models."""
    whole = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    model = whole.get_encoder() if whole.config.is_encoder_decoder else whole
    tokenizer = AutoTokenizer.from_pretrained(folder)
    table, sums = data(), []
    for text in table["text"][table["split"] == "dev"]:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            weights = (
                torch.cat(model(input_ids=ids, output_attentions=True).attentions, 1)[0].double().numpy()
            )
        rows = 0.999 * weights + 0.001 / ids.shape[1]
        apart = np.asarray([[(jensenshannon(p, q, axis=1) ** 2).sum() for q in rows] for p in rows])
        queries = ids.shape[1] - int(np.triu(weights, 1).max() == 0)
        sums.append((apart, queries))
    if per_text:
        return np.asarray(np.mean([apart / queries for apart, queries in sums], 0))
    total = np.sum([apart for apart, _ in sums], 0)
    return np.asarray(total / sum(queries for _, queries in sums))


@pytest.mark.parametrize("make", [tiny.make_masked, tiny.make_causal, tiny.make_llama, tiny.make_t5])
def test_pairs_are_those_of_plain_transformers(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    frame = run(tmp_path / "out", folder)
    wanted = plain(folder)
    np.testing.assert_allclose(matrix_of_pairs(frame), wanted, rtol=1e-4, atol=1e-7)
    assert wanted.max() > 0.001
    pairs = frame[of_pairs(frame)]
    assert len(pairs) == len(wanted) * (len(wanted) - 1) // 2
    assert (pairs["value_low"] <= pairs["value"]).all()
    assert not places(frame).has_duplicates


def test_single_heads_are_summaries_of_the_matrix(tmp_path: Path, bert: Path) -> None:
    frame = run(tmp_path, bert, "analysis.clusters=3")
    matrix = matrix_of_pairs(frame)
    apart = matrix.to_numpy()
    single = frame[~of_pairs(frame)].set_index(["layer", "head"])
    values = {name: own["value"].astype(float) for name, own in single.groupby("variant")}
    np.testing.assert_allclose(values["mean"], apart.sum(1) / (len(apart) - 1))
    far = apart + np.diag([np.inf] * len(apart))
    np.testing.assert_allclose(values["nearest"], far.min(1))
    names = [f"{layer}.{head}" for layer, head in matrix.index]
    nearest = single[single["variant"] == "nearest"]["heads"]
    assert list(nearest) == [names[at] for at in far.argmin(1)]
    assert set(values["cluster"]) == {1, 2, 3}
    points = np.stack([values["x"], values["y"]], 1)
    placed = cdist(points, points)
    assert float(values["stress"].iloc[0]) == pytest.approx(
        np.sqrt(((placed - apart) ** 2).sum() / (placed**2).sum())
    )
    mean = single[single["variant"] == "mean"]
    assert (mean["value_low"] < mean["value"]).all()
    assert list(frame[frame["main"]]["variant"].unique()) == ["mean"]


def test_a_mean_over_texts_and_two_segments(tmp_path: Path, bert: Path) -> None:
    by_text = run(tmp_path, bert, "analysis.average=document")
    np.testing.assert_allclose(matrix_of_pairs(by_text), plain(bert, per_text=True), rtol=1e-3, atol=1e-6)
    joined = run(tmp_path, bert, "analysis.segments=2")
    assert set(joined["n_dev"]) == {5}


def test_some_layers_have_the_distances_of_all(tmp_path: Path, bert: Path) -> None:
    some = matrix_of_pairs(run(tmp_path, bert, "granularity.layers=[0,2]"))
    whole = matrix_of_pairs(run(tmp_path, bert))
    pd.testing.assert_frame_equal(some, whole.loc[some.index, some.columns], rtol=1e-6)


def test_the_report_names_pairs_clusters_and_tags(tmp_path: Path, bert: Path) -> None:
    frame = run(tmp_path, bert, "analysis.broad=0.5")
    text = grid_text(frame)
    assert "nearest: layer" in text
    assert "6 clusters of" in text
    assert "tags: broad 12" in text
    assert text.splitlines()[-1] == summary(frame)
    assert part_text(frame[of_pairs(frame)]) == "66 rows for pairs of heads"
    (table_of_map,) = collect(tmp_path).tables
    stress = float(frame["value"][frame["variant"] == "stress"].iloc[0])
    assert table_of_map.lines == (("stress", "stress", f"{stress:.3f}", ""),)
    picture = draw_head_map(frame, tmp_path / "map")
    assert picture.files is not None
    table = pd.read_csv(picture.files.csv)
    assert len(table) == 12
    assert set(table["tag"]) == {"broad"}
    order = [f"to {layer}.{head}" for layer, head in zip(table["layer"], table["head"], strict=True)]
    np.testing.assert_allclose(table[order], table[order].T)
    assert list((tmp_path / "runs").glob("*/head_distance.png"))
    with pytest.raises(ProbingError, match="one run of analysis=head_distance"):
        draw_head_map(frame[of_pairs(frame)])


def test_distances_take_part_in_agreement(tmp_path: Path, bert: Path) -> None:
    frame = run(tmp_path, bert)
    (name,) = probing.measures(finding_of_rows(frame).offered(frame)).columns
    assert name == "head_distance"
    assert list(probing.measures(frame)) == ["head_distance", "head_distance nearest"]
    assert probing.grid(frame, variant="mean").shape == (3, 4)


def test_a_tenth_of_train_stands_for_a_missing_dev(tmp_path: Path, bert: Path) -> None:
    table = data()
    table["split"] = table["split"].replace("dev", "train")
    frame = run(tmp_path, bert, "task.selection=holdout", table=table)
    assert set(frame["n_dev"]) == {2}


def test_what_cannot_be_computed_is_refused(tmp_path: Path, bert: Path) -> None:
    for more, message in (
        (["granularity=layer"], "use granularity=head"),
        (["analysis.clusters=0"], "analysis.clusters=0 is too few"),
        (["analysis.smoothing=0.5"], "analysis.smoothing is 0.5"),
    ):
        with pytest.raises(ProbingError, match=message):
            run(tmp_path, bert, *more)


def test_tags_follow_the_rules_and_later_ones_win() -> None:
    names = ("next", "previous", "share_of_uniform", "first", "separator", "punctuation")
    columns = {name: np.zeros((1, 6)) for name in names} | {"queries": np.full((1, 6), 10.0)}
    columns["next"][0, 0] = 5.1
    columns["previous"][0, [0, 1]] = 6
    columns["share_of_uniform"][0, 2] = 8
    columns["first"][0, 3] = 6
    columns["separator"][0, [4, 5]] = 6.5
    columns["punctuation"][0, 5] = 7
    assert tags_of(columns, "token", THRESHOLDS) == [
        "previous_token",
        "previous_token",
        "broad",
        "first_token",
        "separator",
        "punctuation",
    ]
