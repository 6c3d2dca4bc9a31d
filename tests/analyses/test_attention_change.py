"""Change of attention as a run: two models on the same batches, through the cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from transformers import AutoModel, AutoTokenizer

import probing
from probing.errors import ProbingError
from probing.results.table import grid_text, summary
from tests import tiny
from tests.analyses.test_head_distance import data


def run(root: Path, model: Path, reference: Path | str, *more: str) -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.split=split",
                 "analysis=attention_change", f"analysis.reference={reference}", "extract.threads=1",
                 *more]  # fmt: skip
    return probing.run(arguments, data=data())


@pytest.mark.parametrize("make", [tiny.make_masked, tiny.make_causal, tiny.make_llama, tiny.make_t5])
def test_changes_are_those_of_plain_transformers(make: Callable[..., Path], tmp_path: Path) -> None:
    folders = [make(tmp_path / f"run/checkpoint-{step}", seed=step) for step in (1, 2)]
    frame = run(tmp_path / "out", folders[0], folders[1])
    models = [AutoModel.from_pretrained(folder, attn_implementation="eager").eval() for folder in folders]
    models = [model.get_encoder() if model.config.is_encoder_decoder else model for model in models]
    tokenizer, table = AutoTokenizer.from_pretrained(folders[0]), data()
    cosines, nats, queries = [], 0.0, 0
    for text in table["text"][table["split"] == "dev"]:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            both = [
                torch.cat(model(input_ids=ids, output_attentions=True).attentions, 1)[0] for model in models
            ]
        skipped = int(both[0].triu(1).max() == 0)
        one, two = (weights[:, skipped:].double().numpy() for weights in both)
        flat = [weights.reshape(len(weights), -1) for weights in (one, two)]
        lengths = np.linalg.norm(flat[0], axis=1) * np.linalg.norm(flat[1], axis=1)
        cosines.append((flat[0] * flat[1]).sum(1) / lengths)
        nats = nats + (jensenshannon(one, two, axis=2) ** 2).sum(1)
        queries += one.shape[1]
    values = {name: own["value"] for name, own in frame.groupby("variant")}
    np.testing.assert_allclose(values["cosine"], np.mean(cosines, 0), rtol=1e-5)
    np.testing.assert_allclose(values["divergence"], nats / queries, rtol=1e-3, atol=1e-7)
    assert set(frame["step"]) == {1}


def test_a_model_does_not_differ_from_itself(tmp_path: Path) -> None:
    folder = tiny.make_masked(tmp_path / "model")
    frame = run(tmp_path / "out", folder, folder)
    of = frame.set_index("variant")["value"].astype(float)
    np.testing.assert_allclose(of["cosine"], 1)
    np.testing.assert_allclose(of["divergence"], 0, atol=1e-9)


def test_the_line_names_both_measures(tmp_path: Path) -> None:
    model, reference = (tiny.make_masked(tmp_path / f"model-{seed}", seed=seed) for seed in range(2))
    frame = run(tmp_path / "out", model, reference)
    text = grid_text(frame)
    assert text.splitlines()[-1] == summary(frame)
    own = frame[frame["variant"] == "divergence"]
    most = own.iloc[int(own["value"].astype(float).to_numpy().argmax())]
    assert summary(frame).startswith(f"largest change: layer {most['layer']} head {most['head']}, ")
    assert f"lowest cosine {frame['value'][frame['variant'] == 'cosine'].min():.3f}" in summary(frame)
    assert most["rank"] == 1


def test_another_reference_is_read_and_the_same_one_is_cached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, first, second = (tiny.make_masked(tmp_path / f"model-{seed}", seed=seed) for seed in range(3))
    values = [run(tmp_path / "out", model, reference)["value"].tolist() for reference in (first, second)]
    assert values[0] != values[1]
    capsys.readouterr()
    run(tmp_path / "out", model, first, "granularity.layers=[1]")
    assert "cached under" in capsys.readouterr().err


def test_models_that_cannot_be_compared_are_refused_in_one_line(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(ProbingError, match=r"analysis\.reference is not set"):
        run(tmp_path / "out", tiny_bert, "null")
    with pytest.raises(ProbingError, match="has another vocabulary than the model"):
        run(tmp_path / "out", tiny_bert, tiny.make_causal(tmp_path / "gpt2"))
    with pytest.raises(ProbingError, match="has 0 heads in layer 2, where the model has 4"):
        run(tmp_path / "out", tiny_bert, tiny.make_llama(tmp_path / "llama"))
