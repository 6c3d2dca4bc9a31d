"""Tiny random models with real tokenizers, saved as a user would have them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    BertModel,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Model,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaModel,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

# fmt: off
WORDS = (
    "the", "a", "old", "tall", "farmer", "farmers", "dog", "dogs", "cat",
    "river", "horse", "horses", "sees", "see", "saw", "sold", "near", "by",
    "with", "and", "or", "but", "slowly", "quickly", "under", "over", "green",
    "red", "house", "houses", "walks", "walk", "walked", ".",
)
# fmt: on


SIZES: dict[str, Any] = {
    "vocab_size": len(WORDS) + 5,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}
SPECIAL: dict[str, Any] = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
BART: dict[str, Any] = SPECIAL | {
    "vocab_size": len(WORDS) + 5, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48, "max_position_embeddings": 64, "decoder_start_token_id": 3,
    "forced_eos_token_id": None,
}  # fmt: skip
T5: dict[str, Any] = {
    "vocab_size": len(WORDS) + 25, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4,
    "pad_token_id": 0, "eos_token_id": 3, "decoder_start_token_id": 0,
}  # fmt: skip


def make_bert(folder: Path, *, seed: int = 0, positions: int = 64) -> Path:
    """BERT with 3 layers of 4 heads of size 8."""
    return _save(folder, BertModel, _bert_config(positions), _word_tokenizer(positions), seed)


def make_classifier(folder: Path, names: Sequence[str] = ("past", "present"), *, seed: int = 0) -> Path:
    """The same BERT with a classifier of some classes."""
    config = _bert_config(64)
    config.id2label = dict(enumerate(names))
    config.label2id = {name: number for number, name in enumerate(names)}
    return _save(folder, BertForSequenceClassification, config, _word_tokenizer(64), seed, spread=0.2)


def make_masked(folder: Path, *, seed: int = 0) -> Path:
    """The same BERT with a masked language model."""
    return _save(folder, BertForMaskedLM, _bert_config(64), _word_tokenizer(64), seed, spread=0.2)


def make_causal(folder: Path, *, seed: int = 0) -> Path:
    """GPT-2 as of `make_gpt2` with its language model."""
    tokenizer = byte_tokenizer()
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64)
    return _save(folder, GPT2LMHeadModel, config, tokenizer, seed, spread=0.2)


def make_llama(folder: Path, *, seed: int = 0) -> Path:
    """Llama with 2 layers of 4 heads of size 8, of which two share keys and values."""
    config = LlamaConfig(**(SIZES | SPECIAL | {"num_key_value_heads": 2}))
    return _save(folder, LlamaForCausalLM, config, _word_tokenizer(64), seed, spread=0.2)


def make_mistral(folder: Path, *, seed: int = 0, window: int = 4) -> Path:
    """Llama as of `make_llama` whose tokens see themselves and the tokens before them in a window."""
    config = MistralConfig(**(SIZES | SPECIAL | {"num_key_value_heads": 2, "sliding_window": window}))
    return _save(folder, MistralForCausalLM, config, _word_tokenizer(64), seed, spread=0.2)


def make_gemma(folder: Path, *, seed: int = 0, window: int = 4) -> Path:
    """Gemma 3 with 2 layers of 4 heads of size 8: the first sees a window, the second all earlier tokens."""
    own = {"num_key_value_heads": 2, "head_dim": 8, "sliding_window": window}
    kinds = {"layer_types": ["sliding_attention", "full_attention"]}
    config = Gemma3TextConfig(**(SIZES | SPECIAL | own | kinds))
    return _save(folder, Gemma3ForCausalLM, config, _word_tokenizer(64), seed, spread=0.2)


def make_bart(folder: Path, *, seed: int = 0) -> Path:
    """BART with 2 layers of 4 heads of size 8 in encoder and decoder."""
    config = BartConfig(**BART)
    return _save(folder, BartForConditionalGeneration, config, _word_tokenizer(64), seed, spread=0.2)


def make_t5(folder: Path, *, seed: int = 0) -> Path:
    """T5 with 2 layers of 4 heads of size 8; its tokenizer has sentinels instead of a mask."""
    config = T5Config(**T5)
    tokenizer = _word_tokenizer(64, sentinels=20)
    return _save(folder, T5ForConditionalGeneration, config, tokenizer, seed)


def make_gpt2(folder: Path, *, seed: int = 0) -> Path:
    """GPT-2 with 2 layers of 4 heads of size 8 and a byte-level tokenizer without padding."""
    tokenizer = byte_tokenizer()
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64)
    return _save(folder, GPT2Model, config, tokenizer, seed)


def make_mamba(folder: Path) -> Path:
    """A model without attention heads."""
    config = MambaConfig(vocab_size=len(WORDS) + 5, hidden_size=16, num_hidden_layers=2, state_size=4)
    return _save(folder, MambaModel, config, _word_tokenizer(64), 0)


def _bert_config(positions: int) -> BertConfig:
    return BertConfig(**(SIZES | {"num_hidden_layers": 3, "max_position_embeddings": positions}))


def _save(
    folder: Path,
    kind: type[PreTrainedModel],
    config: PreTrainedConfig,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    *,
    spread: float = 0.02,
) -> Path:
    """Save a model whose weights are drawn with some standard deviation, and its tokenizer."""
    if spread != config.to_dict().get("initializer_range", spread):
        config.initializer_range = spread
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _word_tokenizer(limit: int, sentinels: int = 0) -> PreTrainedTokenizerFast:
    """Words are tokens, in [CLS] and [SEP]; with sentinels there is no mask."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    marks = [f"<extra_id_{number}>" for number in range(sentinels)]
    vocabulary = {word: index for index, word in enumerate([*special, *WORDS, *marks])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token=None if marks else "[MASK]",
        extra_special_tokens=marks,
        model_max_length=limit,
    )


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level tokenizer without padding."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS)], trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, eos_token="<|endoftext|>", model_max_length=64
    )
