"""Tokenizers of every kind that there is, small enough to be built in a test."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from tests.tiny import WORDS

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PIECES = ("un", "##believ", "##able", "##s", "##d", "cafe", "naive", "strasse", "中", "文", "ß", "##m")


def byte_level(*, prefix: bool, trim: bool) -> PreTrainedTokenizerFast:
    """As GPT-2 (no prefix space) or RoBERTa: bytes; the space before a word may be within its offsets."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([" ".join(WORDS)], trainer)
    return wrap(tokenizer)


def unigram(scheme: Literal["always", "first", "never"]) -> PreTrainedTokenizerFast:
    """As T5 and XLM-R: the space before a word is a mark in front of its first piece, or a piece alone."""
    letters = sorted(set("abcdefghijklmnopqrstuvwxyzéï.中文😀"))
    scores = {"<unk>": 0.0, "▁": -4.0, "</s>": -9.0, **{f"▁{word}": -5.0 for word in WORDS[:20]}}
    scores |= dict.fromkeys(letters, -6.0)
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), 0, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme)
    tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 2)]
    )
    return wrap(tokenizer)


def byte_fallback() -> PreTrainedTokenizerFast:
    """As Llama: the mark is written by a normalizer, and what is not in the vocabulary becomes bytes."""
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", *"abcdefghijklmnopqrstuvwxyz.", "▁t"]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        models.BPE(vocabulary, [("▁", "t")], unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return wrap(tokenizer)


def wordpiece() -> PreTrainedTokenizerFast:
    """As BERT, uncased: lower case, no accents, special tokens around one text or two."""
    vocabulary = {piece: index for index, piece in enumerate([*SPECIAL, *WORDS, *PIECES])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return wrap(tokenizer, pad_token="[PAD]", model_input_names=["input_ids", "token_type_ids"])


def wrap(tokenizer: Tokenizer, **options: object) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **options)  # type: ignore[no-untyped-call]


def make_joint_bert(folder: Path) -> Path:
    """BERT of 2 layers of 4 heads of size 8 that tells the two texts of a pair apart."""
    config = BertConfig(
        vocab_size=len(SPECIAL) + len(WORDS) + len(PIECES),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        BertModel(config).save_pretrained(folder)
    wordpiece().save_pretrained(folder)
    return folder
