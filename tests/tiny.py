"""Tiny random models with real tokenizers, saved as a user would have them."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    GPT2Config,
    GPT2Model,
    MambaConfig,
    MambaModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

# fmt: off
WORDS = (
    "the", "a", "old", "tall", "farmer", "farmers", "dog", "dogs", "cat",
    "river", "horse", "horses", "sees", "see", "saw", "sold", "near", "by",
    "with", "and", "or", "but", "slowly", "quickly", "under", "over", "green",
    "red", "house", "houses", "walks", "walk", "walked", ".",
)
# fmt: on


def make_bert(folder: Path, *, seed: int = 0, positions: int = 64) -> Path:
    """BERT with 3 layers of 4 heads of size 8."""
    config = BertConfig(
        vocab_size=len(WORDS) + 5,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=positions,
    )
    return _save(folder, BertModel, config, _word_tokenizer(positions), seed)


def make_gpt2(folder: Path, *, seed: int = 0) -> Path:
    """GPT-2 with 2 layers of 4 heads of size 8 and a byte-level tokenizer without padding."""
    tokenizer = _byte_tokenizer()
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64)
    return _save(folder, GPT2Model, config, tokenizer, seed)


def make_mamba(folder: Path) -> Path:
    """A model without attention heads."""
    config = MambaConfig(vocab_size=len(WORDS) + 5, hidden_size=16, num_hidden_layers=2, state_size=4)
    return _save(folder, MambaModel, config, _word_tokenizer(64), 0)


def _save(
    folder: Path,
    kind: type[PreTrainedModel],
    config: BertConfig | GPT2Config | MambaConfig,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _word_tokenizer(limit: int) -> PreTrainedTokenizerFast:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {word: index for index, word in enumerate([*special, *WORDS])}
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
        mask_token="[MASK]",
        model_max_length=limit,
    )


def _byte_tokenizer() -> PreTrainedTokenizerFast:
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
