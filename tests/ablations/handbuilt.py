"""A model of which it is known what its heads do: one is needed, one is ignored, the others help a little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification

from tests.tiny import WORDS, _word_tokenizer

NEEDED, IGNORED = (1, 2), (1, 0)
"""Layer and head of the one without which half of the answers are wrong, and of that which no one reads."""
SHARES = ((0.05, 0.04, 0.05, 0.045), (0.0, 0.01, 1.0, 0.012))
"""How much of the answer every head of both layers tells; 0 is a slice of zeros in the output projection."""
GOOD, BAD = WORDS[:16], WORDS[16:32]
CLASSES = ("bad", "good")
_WORD, _ANSWER = (0, 1), (2, 3)  # features in pairs of opposite signs, so that layer norms keep them apart


def make_handbuilt(folder: Path) -> Path:
    """Save the model, a classifier of sentences of good or of bad words, and its tokenizer.

    Words say what they are in two features. All heads attend alike to everything, read those, and write a
    share of it to two others, which the classifier compares with a threshold: above it only good sentences
    lie, and only with the needed head.
    """
    config = BertConfig(
        vocab_size=len(WORDS) + 5, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=4, max_position_embeddings=32, id2label=dict(enumerate(CLASSES)),
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    for parameter in model.parameters():
        parameter.data.zero_()
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.weight.data.fill_(1)
    with torch.no_grad():
        _embed(model)
        for layer, shares in enumerate(SHARES):
            for head, share in enumerate(shares):
                _write(model, layer, head, share)
        _classify(model)
    model.save_pretrained(folder)
    _word_tokenizer(32).save_pretrained(folder)
    return folder


def sentences(n: int = 120) -> pd.DataFrame:
    """Different sentences of 4 to 9 good or bad words: text, label and split."""
    rng = np.random.default_rng(0)
    found: dict[str, str] = {}
    while len(found) < n:
        label = CLASSES[len(found) % 2]
        chosen = rng.choice(GOOD if label == "good" else BAD, size=rng.integers(4, 10))
        found[" ".join(chosen)] = label
    split = ["train"] * (n // 2) + ["dev"] * (n // 4) + ["test"] * (n - n // 2 - n // 4)
    return pd.DataFrame({"text": list(found), "label": list(found.values()), "split": split})


def _embed(model: Any) -> None:  # noqa: ANN401
    """Words are ±1 in their features; what all tokens share makes layer norms divide by nearly the same."""
    words = model.bert.embeddings.word_embeddings.weight
    words[:, 8:16], words[:, 16:24] = 2, -2
    for place, word in enumerate(WORDS, start=5):
        sign = float(word in GOOD) - float(word in BAD)
        words[place, _WORD[0]], words[place, _WORD[1]] = sign, -sign


def _write(model: Any, layer: int, head: int, share: float) -> None:  # noqa: ANN401
    attention = model.bert.encoder.layer[layer].attention
    first = 8 * head
    attention.self.value.weight[first, _WORD[0]] = 1
    attention.output.dense.weight[_ANSWER[0], first] = share
    attention.output.dense.weight[_ANSWER[1], first] = -share


def _classify(model: Any) -> None:  # noqa: ANN401
    """The threshold lies between what bad sentences or the other heads reach, and good ones with all."""
    model.bert.pooler.dense.weight[0, _ANSWER[0]] = 1
    model.classifier.weight[1, 0] = 8
    model.classifier.bias[1] = -8 * 0.3
