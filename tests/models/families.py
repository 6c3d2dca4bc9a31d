"""Tiny random models of many families, built from the library's own configs; no downloads, no tokenizer."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from transformers import AutoModel, PreTrainedConfig, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

logging.getLogger("transformers").setLevel(logging.ERROR)

Modality = Literal["text", "image", "sound", "both"]
SMALL: dict[str, Any] = {
    "vocab_size": 99,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "max_position_embeddings": 64,
    "n_positions": 64,
    "n_ctx": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
    "head_dim": 8,
    "image_size": 16,
    "patch_size": 4,
} | dict.fromkeys(
    ("hidden_size", "d_model", "n_embd", "dim", "emb_dim", "embedding_size", "input_embedding_size"), 32
) | dict.fromkeys(
    ("num_hidden_layers", "num_layers", "n_layer", "n_layers", "encoder_layers", "decoder_layers",
     "num_encoder_layers", "num_decoder_layers", "num_blocks"), 2
) | dict.fromkeys(
    ("num_attention_heads", "num_heads", "n_head", "n_heads", "encoder_attention_heads",
     "decoder_attention_heads", "num_encoder_attention_heads", "num_decoder_attention_heads"), 4
) | dict.fromkeys(
    ("intermediate_size", "ffn_dim", "encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "d_inner",
     "hidden_dim", "dff", "ffn_hidden_size"), 48
) | dict.fromkeys(("num_key_value_heads",), 2) | dict.fromkeys(
    ("num_local_experts", "num_experts", "n_routed_experts"), 4
)  # fmt: skip


@dataclass(frozen=True)
class Family:
    """One model type and what must be said about its config."""

    model_type: str
    overrides: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    reads: Modality = "text"

    def __str__(self) -> str:
        return self.label or self.model_type


def _f(model_type: str, label: str = "", /, reads: Modality = "text", **overrides: object) -> Family:
    return Family(model_type, overrides, label, reads)


NAMES = """bert roberta electra distilbert albert mobilebert deberta deberta-v2 mpnet convbert squeezebert
rembert roformer megatron-bert esm ibert nystromformer big_bird modernbert eurobert nomic_bert xlnet xlm
flaubert openai-gpt gpt2 gpt_bigcode gpt_neox opt bloom falcon mpt ctrl biogpt llama mistral mixtral qwen2
qwen2_moe qwen3 gemma gemma2 gemma3_text phi phi3 olmo2 stablelm persimmon cohere starcoder2 bitnet
diffllama granite gpt_oss llama4_text bart mbart pegasus marian m2m_100 prophetnet fsmt bigbird_pegasus
yoso mra"""
LATENT: dict[str, Any] = {
    "num_key_value_heads": 4, "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 6,
    "kv_lora_rank": 16, "q_lora_rank": 16,
}  # fmt: skip
ROUTED: dict[str, Any] = {"n_group": 2, "topk_group": 1, "first_k_dense_replace": 1}
SOUND: dict[str, Any] = {
    "conv_dim": (32, 32),
    "conv_stride": (5, 2),
    "conv_kernel": (10, 3),
    "num_conv_pos_embeddings": 16,
}
HALF: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
    "projection_dim": 32,
}  # fmt: skip
TWO: dict[str, Any] = {
    "text_config": HALF | {"vocab_size": 99, "eos_token_id": 2, "bos_token_id": 1, "pad_token_id": 0},
    "vision_config": HALF | {"image_size": 16, "patch_size": 4},
}

FAMILIES = (
    *(_f(name) for name in NAMES.split()),
    _f("luke", entity_vocab_size=9, entity_emb_size=32),
    _f("longformer", attention_window=4),
    _f("led", attention_window=4),
    _f("funnel", block_sizes=[1, 1], block_repeats=[1, 1], architectures=["FunnelModel"],
       num_decoder_layers=1, d_head=8),
    _f("funnel", "funnel without decoder", block_sizes=[2, 2], block_repeats=[1, 1], d_head=8,
       architectures=["FunnelBaseModel"]),
    _f("canine", local_transformer_stride=8, num_hash_buckets=64),
    _f("gpt_neo", attention_types=[[["global", "local"], 1]], window_size=4),
    _f("gptj", rotary_dim=4),
    _f("codegen", rotary_dim=4),
    _f("xglm", attention_heads=4),
    _f("falcon", "falcon multi-query", multi_query=True, alibi=False),
    _f("falcon", "falcon alibi", alibi=True, multi_query=False),
    _f("falcon", "falcon new", new_decoder_architecture=True, num_kv_heads=2),
    _f("gpt_bigcode", "gpt_bigcode multi-head", multi_query=False),
    _f("llama", "llama with free head_dim", head_dim=6),
    _f("llama", "llama multi-query", num_key_value_heads=1),
    _f("big_bird", "big_bird full", attention_type="original_full"),
    _f("gpt2", "gpt2 with cross-attention", add_cross_attention=True),
    _f("qwen3_next", layer_types=["linear_attention", "full_attention"], linear_num_key_heads=2,
       linear_num_value_heads=4, linear_key_head_dim=8, linear_value_head_dim=8,
       shared_expert_intermediate_size=16),
    _f("deepseek_v2", **LATENT, **ROUTED),
    _f("deepseek_v3", **LATENT, **ROUTED),
    _f("minicpm3", **LATENT, dim_model_base=32),
    _f("jamba", attn_layer_period=2, attn_layer_offset=1, expert_layer_period=2, expert_layer_offset=1,
       mamba_d_state=4, use_mamba_kernels=False),
    _f("zamba2", num_hidden_layers=4, layers_block_type=["mamba", "hybrid", "mamba", "hybrid"],
       n_mamba_heads=4, mamba_d_state=8, num_mem_blocks=1, adapter_rank=4, use_mamba_kernels=False,
       num_key_value_heads=4, chunk_size=8),
    _f("recurrent_gemma", num_hidden_layers=3, lru_width=32, attention_window_size=16),
    _f("t5", d_kv=8),
    _f("mt5", d_kv=8),
    _f("longt5", d_kv=8, local_radius=3),
    _f("longt5", "longt5 global", d_kv=8, local_radius=3, global_block_size=4,
       encoder_attention_type="transient-global"),
    _f("reformer", axial_pos_embds=False, attn_layers=["local", "lsh"], attention_head_size=8,
       feed_forward_size=48, local_attn_chunk_length=4, lsh_attn_chunk_length=4, num_buckets=4),
    _f("vit", reads="image"),
    _f("deit", reads="image"),
    _f("beit", reads="image"),
    _f("dinov2", reads="image"),
    _f("swin", reads="image", embed_dim=16, depths=[2, 1], num_heads=[2, 4], window_size=2, patch_size=2),
    _f("segformer", reads="image", num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], image_size=32,
       hidden_sizes=[16, 32], patch_sizes=[7, 3], strides=[4, 2], num_attention_heads=[2, 4],
       mlp_ratios=[2, 2]),
    _f("clip", reads="both", **TWO),
    _f("siglip", reads="both", **TWO),
    _f("whisper", reads="sound", num_mel_bins=8, max_source_positions=16, max_target_positions=32),
    _f("wav2vec2", reads="sound", **SOUND),
    _f("hubert", reads="sound", **SOUND),
)  # fmt: skip

REFUSED = {
    "mamba": "no attention heads",
    "rwkv": "no attention heads",
    "fnet": "no attention heads",
    "jetmoe": "inside a function",
    "wavlm": "inside a function",
}
"""Families that cannot be read, and what their error says."""


def inputs_of(
    family: Family, config: PreTrainedConfig, batch: int = 3, length: int = 11
) -> dict[str, torch.Tensor]:
    """Random inputs without padding; those of a decoder are 2 longer."""
    draw = torch.Generator().manual_seed(batch * 100 + length)
    ids = torch.randint(10, 99, (batch, length), generator=draw)
    inputs: dict[str, torch.Tensor] = {}
    if family.reads in ("text", "both"):
        inputs |= {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if family.reads in ("image", "both"):
        size = getattr(getattr(config, "vision_config", config), "image_size", 32)
        inputs["pixel_values"] = torch.randn(batch, 3, size, size, generator=draw)
    if family.model_type == "whisper":
        inputs["input_features"] = torch.randn(batch, 8, 32, generator=draw)
    elif family.reads == "sound":
        inputs["input_values"] = torch.randn(batch, 400, generator=draw)
    if getattr(config, "is_encoder_decoder", False):
        inputs["decoder_input_ids"] = torch.randint(10, 99, (batch, length + 2), generator=draw)
    return inputs


def config_of(family: Family) -> PreTrainedConfig:
    cls = CONFIG_MAPPING[family.model_type]
    names = set(inspect.signature(cls.__init__).parameters)
    small = {key: value for key, value in SMALL.items() if key in names}
    config: PreTrainedConfig = cls(**(small | family.overrides))
    return config


def build(family: Family, implementation: str | None = None) -> PreTrainedModel:
    torch.manual_seed(0)
    config = config_of(family)
    chosen = {"attn_implementation": implementation} if implementation else {}
    make: Any = AutoModel.from_config
    model: PreTrainedModel = make(config, **chosen)
    model.train(False)
    return model
