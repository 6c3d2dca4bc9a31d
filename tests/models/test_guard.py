"""Embeddings refuse numbers that they have no row for, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoTokenizer, CanineConfig, CanineModel, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from probing.errors import ProbingError
from probing.models.guard import guard_embeddings, word_embeddings
from probing.models.padding import reconciled
from tests.tiny import BART

WIDE: dict[str, Any] = BART | {"vocab_size": 500, "max_position_embeddings": 40}
"""As in models that people use, there are more tokens than positions."""
OPT: dict[str, Any] = WIDE | {
    "hidden_size": 32, "word_embed_proj_dim": 32, "ffn_dim": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4,
}  # fmt: skip


def _outputs(model: PreTrainedModel, ids: torch.Tensor) -> torch.Tensor:
    more = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    with torch.inference_mode():
        found: torch.Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids), **more)[0]
    return found


@pytest.mark.parametrize("family", ["bart", "mbart", "plbart", "opt"])
def test_tokens_beyond_the_positions_are_let_pass(family: str, tiny_bert: Path) -> None:
    """These families make positions of their own from the argument, be it token ids or a mask."""
    config = CONFIG_MAPPING[family](**(OPT if family == "opt" else WIDE))
    model = AutoModel.from_config(config).train(False)  # type: ignore[no-untyped-call]
    ids = torch.arange(100, 132).view(2, 16)
    before = _outputs(model, ids)
    guard_embeddings(model, AutoTokenizer.from_pretrained(tiny_bert), "m")
    torch.testing.assert_close(_outputs(model, ids), before, rtol=0, atol=0)
    with pytest.raises(ProbingError, match=r"has 500 rows, but the token .* has id 500; the tokenizer"):
        _outputs(model, torch.full((1, 4), 500))


def test_a_model_that_hashes_characters_has_no_embedding_of_tokens(tiny_bert: Path) -> None:
    config = CanineConfig(
        hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, num_hash_buckets=64
    )
    model = CanineModel(config).train(False)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    ids = torch.arange(1000, 1016).view(1, 16)
    before = _outputs(model, ids)
    guard_embeddings(model, tokenizer, "m")
    assert word_embeddings(model) is None
    assert not reconciled(model, tokenizer, None, classifies=False).even
    torch.testing.assert_close(_outputs(model, ids), before, rtol=0, atol=0)
