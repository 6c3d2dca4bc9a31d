"""The published grids are result rows like any other, and say by number what their paper says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from probing.comparisons.clusters import clusters
from probing.comparisons.compare import compare, correlations
from probing.comparisons.profile import centre_of_mass
from probing.comparisons.published import load_published
from probing.errors import ProbingError
from probing.results.load import grid, select
from probing.results.schema import COLUMNS
from tests.conftest import SHARED

TABLE = "transformer_anatomy_published.parquet"
# the authors' table of embedding reconstruction: last and best whole layer, the top n heads, gain in percent
RECONSTRUCTION = """
length bert-base-uncased 57.95 87.8 95.0 8.2, length bert-large-uncased 54.83 94.41 95.2 0.8,
length openai-gpt 52.21 96.42 96.2 -0.2, length gpt2 57.77 88.92 92.8 4.3,
length transfo-xl-wt103 61.31 63.99 80.9 26.4, word_content bert-base-uncased 25.18 25.18 73.1 190.3,
word_content bert-large-uncased 12.15 32.22 79.8 147.5, word_content openai-gpt 35.28 35.28 71.3 102.0,
word_content gpt2 37.47 37.47 71.0 89.5, word_content transfo-xl-wt103 26.05 26.05 40.8 56.5,
depth bert-base-uncased 29.76 31.7 38.3 20.8, depth bert-large-uncased 27.84 33.31 39.5 18.6,
depth openai-gpt 27.23 30.56 38.9 27.2, depth gpt2 28.03 31.0 40.0 29.1,
depth transfo-xl-wt103 31.24 31.24 36.0 15.2, top_constituents bert-base-uncased 69.82 74.72 84.2 12.7,
top_constituents bert-large-uncased 62.77 78.24 85.6 9.4, top_constituents openai-gpt 53.0 65.09 79.5 22.1,
top_constituents gpt2 57.29 63.15 82.8 31.1, top_constituents transfo-xl-wt103 74.47 74.47 77.7 4.3,
bigram_shift bert-base-uncased 78.08 78.08 88.3 13.1, bigram_shift bert-large-uncased 77.16 81.08 90.9 12.1,
bigram_shift openai-gpt 69.26 69.26 80.7 16.5, bigram_shift gpt2 68.76 70.45 78.8 11.8,
bigram_shift transfo-xl-wt103 61.46 61.46 65.2 6.2, tense bert-base-uncased 85.97 86.97 89.0 2.4,
tense bert-large-uncased 85.64 86.67 88.9 2.5, tense openai-gpt 88.64 88.64 89.0 0.5,
tense gpt2 88.17 88.6 89.3 0.8, tense transfo-xl-wt103 82.41 82.64 85.4 3.4,
subj_number bert-base-uncased 81.94 84.72 88.2 4.1, subj_number bert-large-uncased 80.04 87.94 90.5 2.9,
subj_number openai-gpt 78.81 78.81 84.2 6.8, subj_number gpt2 83.45 83.45 87.7 5.1,
subj_number transfo-xl-wt103 82.23 82.23 84.8 3.1, obj_number bert-base-uncased 75.42 75.42 83.4 10.6,
obj_number bert-large-uncased 64.24 78.04 84.4 8.2, obj_number openai-gpt 71.22 71.86 80.5 12.0,
obj_number gpt2 70.24 74.09 82.5 11.4, obj_number transfo-xl-wt103 72.14 72.14 80.1 11.0,
odd_man_out bert-base-uncased 59.58 59.58 65.1 9.3, odd_man_out bert-large-uncased 55.52 59.18 69.0 16.5,
odd_man_out openai-gpt 54.96 58.21 63.0 8.2, odd_man_out gpt2 54.57 54.9 55.5 1.0,
odd_man_out transfo-xl-wt103 50.59 50.59 51.2 1.3,
coordination_inversion bert-base-uncased 65.52 65.87 74.6 13.2,
coordination_inversion bert-large-uncased 64.91 70.91 78.5 10.7,
coordination_inversion openai-gpt 57.7 60.66 70.2 15.7, coordination_inversion gpt2 58.34 60.04 67.6 12.6,
coordination_inversion transfo-xl-wt103 62.26 62.26 64.8 4.1
"""
CELLS = [cell.split() for cell in RECONSTRUCTION.replace("\n", " ").split(",")]


@pytest.fixture(scope="module")
def published() -> pd.DataFrame:
    path = SHARED / "reference" / TABLE
    if not path.exists():
        pytest.skip(f"the published accuracies are not at {path}")
    return load_published(path)


def test_published_grids_are_result_rows(published: pd.DataFrame) -> None:
    assert dict(published.dtypes.astype(str)) == COLUMNS
    assert published["test"].between(0, 1).all()
    assert (published["test_low"] <= published["test"]).all()
    assert (published["test"] <= published["test_high"]).all()
    cell = ["model", "task", "granularity", "probe", "layer", "head", "n_heads"]
    assert not published.duplicated(cell).any()
    shapes = published[published["granularity"] == "head"].groupby("model")[["layer", "head"]].max() + 1
    assert shapes.T.to_dict()["bert-large-uncased"] == {"layer": 24, "head": 16}
    assert shapes.T.to_dict()["electra-small-discriminator"] == {"layer": 12, "head": 4}
    one = grid(published, model="bert-base-uncased", task="senteval/tense", granularity="head")
    assert one.shape == (12, 12)
    assert one.notna().all().all()


def test_majorities_are_what_heads_that_know_nothing_score(published: pd.DataFrame) -> None:
    """The commonest low score of each task is that of always answering one class; of scores it is 0."""
    classes = published[(published["granularity"] == "head") & published["n_classes"].notna()]
    for _, rows in classes.groupby("task"):
        low = rows["test"][rows["test"] <= rows["majority"] + 0.01].astype(float)
        assert low.round(4).value_counts().idxmax() == pytest.approx(rows["majority"].iloc[0], abs=1e-4) or (
            rows["task"].iloc[0] == "senteval/sst2"  # where every head knows something
        )


@pytest.mark.parametrize(
    ("task", "model", "last", "best", "top", "gain"), CELLS, ids=[f"{c[1]}-{c[0]}" for c in CELLS]
)
def test_the_table_of_embedding_reconstruction(
    published: pd.DataFrame, task: str, model: str, last: str, best: str, top: str, gain: str
) -> None:
    """As many of the best heads as a layer has, so as many dimensions, beside the last and the best layer."""
    rows = select(published, model=model, task=f"senteval/{task}", probe="senteval")
    layers = 100 * select(rows, granularity="layer").set_index("layer")["test"].astype(float).sort_index()
    assert layers.iloc[-1] == pytest.approx(float(last))
    assert layers.max() == pytest.approx(float(best))
    width = int(select(rows, granularity="head")["head"].max()) + 1
    heads = 100 * float(select(rows, granularity="top_heads", n_heads=width)["test"].iloc[0])
    assert heads == pytest.approx(float(top), abs=0.0501)
    # theirs were rounded twice
    assert 100 * (heads / layers.max() - 1) == pytest.approx(float(gain), abs=0.055)


def base(published: pd.DataFrame, granularity: str, *tasks: str) -> pd.DataFrame:
    rows = select(published, model="bert-base-uncased", granularity=granularity, probe="senteval")
    return rows[rows["task"].isin([f"senteval/{task}" for task in tasks])]


ORDER = ("bigram_shift", "coordination_inversion")


@pytest.mark.parametrize("of", ["mean", "best"])
def test_heads_tell_length_and_depth_early_order_in_the_middle_and_tense_late(
    published: pd.DataFrame, of: str
) -> None:
    """By the layer that is the best, layers counted from 0, of BERT-base's 12."""
    found = centre_of_mass(base(published, "head", "length", "depth", *ORDER, "tense"), of=of)
    at = found.set_index("task")["best_layer"].to_dict()
    assert {at["senteval/length"], at["senteval/depth"]} <= {1, 2}
    assert {at[f"senteval/{task}"] for task in ORDER} <= {7, 8, 9}
    assert at["senteval/tense"] == 10


def test_whole_layers_agree_on_length_and_tense_but_not_on_all(published: pd.DataFrame) -> None:
    found = centre_of_mass(base(published, "layer", "length", "depth", *ORDER, "tense"))
    at = found.set_index("task")["best_layer"].to_dict()
    assert at == {
        "senteval/length": 2, "senteval/depth": 9, "senteval/bigram_shift": 11,
        "senteval/coordination_inversion": 8, "senteval/tense": 10,
    }  # fmt: skip


def test_by_centre_of_mass_surface_is_early_but_tense_is_no_later_than_order(published: pd.DataFrame) -> None:
    found = centre_of_mass(base(published, "head", "length", "depth", *ORDER, "tense", "word_content"))
    centre = found.set_index("task")["centre"].to_dict()
    assert min(centre, key=lambda task: centre[task]) == "senteval/length"
    early = max(centre["senteval/length"], centre["senteval/depth"])
    assert early < centre["senteval/tense"] < min(centre[f"senteval/{task}"] for task in ORDER)
    # the one surface task that is not told early
    assert centre["senteval/word_content"] > centre["senteval/tense"]


def test_heads_that_know_the_order_of_words_are_not_those_that_know_length(published: pd.DataFrame) -> None:
    """Figures 4 and 5: tasks that ask alike share their heads."""
    tasks = ("length", "depth", *ORDER, "odd_man_out", "subj_number", "obj_number")
    matrix = correlations(base(published, "head", *tasks))
    rho = matrix.to_dict()
    assert rho["senteval/length"]["senteval/depth"] > 0.7
    assert rho["senteval/bigram_shift"]["senteval/odd_man_out"] > 0.7
    assert rho["senteval/subj_number"]["senteval/obj_number"] > 0.7
    assert rho["senteval/bigram_shift"]["senteval/length"] < -0.5
    found = clusters(matrix, 3)
    families = [("length", "depth"), (*ORDER, "odd_man_out"), ("subj_number", "obj_number")]
    numbers = [{int(found[f"senteval/{task}"]) for task in family} for family in families]
    assert all(len(number) == 1 for number in numbers)
    assert len(set.union(*numbers)) == 3


def entry(task: str, test: float, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"model_name": "bert-base-uncased", "task": task, "devacc": test + 1, "acc": test, **more}


def write(folder: Path, name: str, *entries: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps({str(n): found for n, found in enumerate(entries)}))


def test_the_authors_folder_is_read_as_their_table_is(tmp_path: Path) -> None:
    """JSON files as in their repository: by folder, an entry for each probe."""
    heads = [
        entry("Tense", 60 + 10 * layer + head, layer=layer, head=head, location="head", seed=123)
        for layer in range(2)
        for head in range(3)
    ]
    results = tmp_path / "results"
    write(results / "linear_head_wise_results", "bert_Tense.json", *heads)
    write(
        tmp_path / "linear_results",
        "bert_Tense.json",
        entry("Tense", 81, layer=0, head=-1),
        entry("Tense", 5, layer=0, head=0),
    )
    write(results / "mlp_results", "bert_Tense.json", entry("Tense", 85, layer=0, head=-1, nhid=50, seed=123))
    write(
        results / "top_head_wise_results", "bert_Tense.json",
        entry("Tense", 88, num_head=2, heads=[[1, 2], [0, 1]], location="head", seed=123),
    )  # fmt: skip
    graded = {"layer": 0, "head": 0, "location": "head", "devpearson": 0.4, "pearson": 0.3, "spearman": 0.2}
    write(
        results / "ds_linear_head_wise_results",
        "gpt2_STS.json",
        {"model_name": "gpt2", "task": "STSBenchmark", **graded},
    )
    frame = load_published(tmp_path)
    found = grid(frame, granularity="head", task="senteval/tense")
    np.testing.assert_allclose(found, [[0.6, 0.61, 0.62], [0.7, 0.71, 0.72]])
    layer, mlp = (
        select(frame, granularity="layer", probe=probe).iloc[0]
        for probe in ("senteval", "senteval[nhid=best]")
    )
    assert (layer["test"], layer["seed"], mlp["test"], mlp["seed"]) == (0.81, 1111, 0.85, 123)
    (top,) = select(frame, granularity="top_heads").to_dict("records")
    assert (top["variant"], top["n_heads"], top["heads"], top["test"]) == ("top", 2, "1.2 0.1", 0.88)
    (sts,) = select(frame, task="senteval/stsb").to_dict("records")
    assert (sts["metric"], sts["test"], sts["test_spearman"], sts["pooling"]) == ("pearson", 0.3, 0.2, "last")


def test_sentevals_own_runs_on_minilm_are_read_and_compared(shared: Path) -> None:
    frame = load_published(shared / "reference" / "senteval_minilm_cls.parquet")
    assert frame.groupby("task").size().to_dict() == dict.fromkeys(
        ["senteval/mrpc", "senteval/sick_e", "senteval/sst2", "senteval/trec"], 72
    )
    trec = select(frame, model="minilm", task="senteval/trec", pooling="first", seed=1111)
    assert trec["test"].iloc[0] == 0.562
    assert compare(trec, select(frame, task="senteval/sst2")).n == 72


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (None, "no such file or folder"),
        ({"model": ["m"]}, "no column 'dev'"),
        (
            {name: ["x"] for name in ("model", "task", "layer", "head", "dev", "test")},
            "unknown task 'x'; known tasks are",
        ),
    ],
)
def test_what_is_no_published_grid_says_so(
    tmp_path: Path, made: dict[str, list[str]] | None, message: str
) -> None:
    path = tmp_path / "grids.parquet"
    if made:
        pd.DataFrame(made).to_parquet(path)
    with pytest.raises(ProbingError, match=message):
        load_published(path)


def test_damaged_and_empty_folders_say_so(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="contains none of linear_head_wise_results"):
        load_published(tmp_path)
    write(tmp_path / "mlp_results", "a.json", {"task": "Tense", "head": -1})
    with pytest.raises(ProbingError, match=r"a\.json: not a result file"):
        load_published(tmp_path)
    (tmp_path / "b.parquet").write_text("no")
    with pytest.raises(ProbingError, match=r"b\.parquet: not a Parquet file"):
        load_published(tmp_path / "b.parquet")
