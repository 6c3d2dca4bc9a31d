"""Tiny random models in GGUF files, written as llama.cpp's converter writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from probing.models.gguf_file import reads_gguf
from tests.tiny import SIZES, byte_tokenizer

NAMES = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "model.layers": "blk",
}  # fmt: skip
"""Names of modules in transformers, and in GGUF."""


def need_gguf() -> Any:  # noqa: ANN401
    """Return the package gguf; the test or module is skipped without it, or with an older transformers."""
    gguf = pytest.importorskip("gguf", reason="gguf is not installed (the extra 'gguf')")
    if not reads_gguf():
        pytest.skip("transformers is older than the extra 'gguf' allows", allow_module_level=True)
    return gguf


def make_llama(seed: int = 0) -> LlamaForCausalLM:
    """Llama with 2 layers of 4 heads of size 8, of which two share keys and values."""
    sizes = SIZES | {"vocab_size": len(byte_tokenizer()), "num_key_value_heads": 2}
    config = LlamaConfig(**sizes, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0)
    config.initializer_range = 0.2
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.train(False)
    return model


def make_gguf(path: Path, *, seed: int = 0, architecture: str = "llama", quantised: bool = False) -> Path:
    """Write the model of `make_llama` and a byte-level tokenizer into one file.

    Args:
        path: The file.
        seed: Seed of the weights.
        architecture: Name of the architecture in the file.
        quantised: Whether the weights of projections from the hidden size are stored in blocks of 4 bits.
    """
    gguf = need_gguf()
    model = make_llama(seed)
    config = model.config
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_name("tiny")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    _add_tokenizer(writer, byte_tokenizer())
    blocks = gguf.GGMLQuantizationType.Q4_1
    for name, tensor in model.state_dict().items():
        values = tensor.numpy()
        for module, heads in (("q_proj", config.num_attention_heads), ("k_proj", 2)):
            values = _interleaved(values, heads) if module in name else values
        for own, other in NAMES.items():
            name = name.replace(own, other)  # noqa: PLW2901
        if quantised and "attn_" in name and values.ndim == 2:
            writer.add_tensor(name, gguf.quants.quantize(values, blocks), raw_dtype=blocks)
        else:
            writer.add_tensor(name, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: object, tokenizer: PreTrainedTokenizerFast) -> None:
    model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    add = {name: getattr(writer, f"add_{name}") for name in (
        "tokenizer_model", "tokenizer_pre", "token_list", "token_types", "token_merges", "eos_token_id",
        "bos_token_id", "unk_token_id", "add_bos_token", "add_space_prefix",
    )}  # fmt: skip
    add["tokenizer_model"]("gpt2")
    add["tokenizer_pre"]("gpt-2")
    add["token_list"](tokens)
    add["token_types"]([3 if token == "<|endoftext|>" else 1 for token in tokens])
    add["token_merges"](merges)
    for name in ("eos_token_id", "bos_token_id", "unk_token_id"):
        add[name](tokens.index("<|endoftext|>"))
    add["add_bos_token"](False)
    add["add_space_prefix"](False)


def _interleaved(weights: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Reorder the rows of each head for rotary embeddings of neighbouring pairs, as llama.cpp has them."""
    size = weights.shape[0] // heads
    return weights.reshape(heads, 2, size // 2, -1).swapaxes(1, 2).reshape(weights.shape)
