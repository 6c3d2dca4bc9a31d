"""Classifiers answer for a text in a batch as the library does for that text alone, whatever pads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BartForConditionalGeneration,
    PreTrainedTokenizerFast,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

import probing
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.padding import padding_as_saved
from probing.objectives.classifier import Classifier
from probing.objectives.language import Language
from tests import tiny
from tests.models.families import HALF
from tests.objectives.made import CLASSES, of_texts, ready_of, texts

pytestmark = pytest.mark.slow

PAD, EOS, WORD = 0, 3, 8  # the word is "tall"
END = f"the farmer sees the {tiny.WORDS[WORD - 5]}"
SIZES = tiny.SIZES | {
    "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "word_embed_proj_dim": 32, "ffn_dim": 48,
    "num_key_value_heads": 2, "initializer_range": 0.3, "init_std": 0.3, "bos_token_id": 2,
    "eos_token_id": EOS,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """The padding that tokenizer and configuration declare.

    Attributes:
        token: The tokenizer's padding token.
        config: The configuration's.
        side: The side on which the tokenizer would pad.
        generation: The token of generation_config.json, if the file is there.
    """

    token: str | None
    config: int | None
    side: str = "right"
    generation: int | None = None


CASES = {
    "agree": Case("[PAD]", PAD),
    "the tokenizer has none": Case(None, PAD),
    "the configuration has none": Case("[PAD]", None),
    "neither has one": Case(None, None),
    "both, but different": Case("[PAD]", EOS),
    "the other way round": Case("[SEP]", PAD),
    "the end of a text pads": Case("[SEP]", EOS),
    "the end of a text pads, says the tokenizer alone": Case("[SEP]", None),
    "a word pads, says the configuration": Case("[PAD]", WORD),
    "a word pads, says the tokenizer": Case(tiny.WORDS[WORD - 5], PAD),
    "a word pads, say both": Case(tiny.WORDS[WORD - 5], WORD),
    "a word pads, says the tokenizer alone": Case(tiny.WORDS[WORD - 5], None),
    "on the left": Case("[PAD]", EOS, side="left"),
    "no token at all": Case("[PAD]", -1),
    "generation has another": Case("[PAD]", None, generation=WORD),
}


def save(folder: Path, family: str, case: Case, **more: object) -> Path:
    settings: dict[str, Any] = {**SIZES, **more, "pad_token_id": case.config}
    if family == "xlnet":  # it has no limit, and says so by raising
        del settings["max_position_embeddings"]
    settings |= {
        "id2label": dict(enumerate(CLASSES)),
        "label2id": {name: i for i, name in enumerate(CLASSES)},
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kind: Any = AutoModelForSequenceClassification
        model = kind.from_config(CONFIG_MAPPING[family](**settings))
    model.save_pretrained(folder)
    tokenizer: PreTrainedTokenizerFast = tiny._word_tokenizer(64)
    tokenizer.pad_token, tokenizer.padding_side = case.token, case.side
    tokenizer.save_pretrained(folder)
    if case.generation is not None:
        (folder / "generation_config.json").write_text(json.dumps({"pad_token_id": case.generation}))
    return folder


def check(folder: Path, chosen: list[str]) -> None:
    """The logits of every text, in batches and alone."""
    ready = ready_of(folder, Classifier(), of_texts(chosen, np.arange(len(chosen)) % 2), tokens=160)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    arguments = ("input_ids", "attention_mask")
    several = 0
    with torch.no_grad():
        for split in ("train", "dev", "test"):
            for batch in ready.batches(split):
                found = ready.forward(batch).logits
                several += len(batch.rows) > 1
                for row, logits in zip(batch.rows, found, strict=True):
                    alone = tokenizer(chosen[row], return_tensors="pt")
                    expected = model(**{name: alone[name] for name in arguments}).logits[0]
                    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)
    assert several


def cases() -> Iterator[tuple[str, str]]:
    """All cases for two families, which look for the end in code of their own; some for others."""
    for family in ("gpt2", "llama"):
        yield from ((family, name) for name in CASES)
    for family in ("opt", "qwen2", "gpt_neox", "mistral"):
        yield from (
            (family, name) for name in ("neither has one", "both, but different", "a word pads, say both")
        )


@pytest.mark.parametrize(("family", "name"), list(cases()))
def test_a_decoder_finds_the_end_of_every_text(family: str, name: str, tmp_path: Path) -> None:
    case = CASES[name]
    folder = save(tmp_path, family, case)
    if case.config in (None, -1):  # one of them is not written as it is asked for
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"pad_token_id": case.config}))
    check(folder, [*texts(30), END, f"{END} [PAD]", f"{END} [SEP]"])


@pytest.mark.parametrize("family", ["gpt2", "gpt_neox"])
def test_a_padding_token_beyond_the_vocabulary_is_not_used(family: str, tmp_path: Path) -> None:
    folder = save(tmp_path, family, CASES["agree"])
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"pad_token_id": 5000}))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"pad_token": "<added>"})
    assert tokenizer.pad_token_id >= config["vocab_size"]
    tokenizer.save_pretrained(folder)
    check(folder, [*texts(30), END])


@pytest.mark.parametrize("family", ["bert", "bart", "t5", "xlnet"])
@pytest.mark.parametrize(
    "name",
    ["agree", "the tokenizer has none", "both, but different", "the end of a text pads",
     "a word pads, says the configuration", "on the left"],
)  # fmt: skip
def test_other_families_answer_as_for_each_text_alone(family: str, name: str, tmp_path: Path) -> None:
    more = {"bart": tiny.BART, "t5": tiny.T5, "xlnet": {"d_model": 32, "d_inner": 48}}
    folder = save(tmp_path, family, CASES[name], **more.get(family, {}))
    check(folder, [*texts(30), END])


@pytest.mark.parametrize("family", ["bart", "t5"])
def test_texts_that_hold_the_end_of_text_token_are_classified_too(family: str, tmp_path: Path) -> None:
    folder = save(tmp_path, family, CASES["agree"], **{"bart": tiny.BART, "t5": tiny.T5}[family])
    check(folder, [*texts(30), f"{END} [SEP] the dog", f"{END} [SEP] the dog [SEP] sees"])


@pytest.mark.parametrize("pad", [None, EOS, WORD])
def test_the_text_part_of_a_configuration_says_what_pads(pad: int | None, tmp_path: Path) -> None:
    text = tiny.SIZES | {
        "head_dim": 8,
        "num_key_value_heads": 2,
        "pad_token_id": pad,
        "initializer_range": 0.3,
    }
    more = {"text_config": text, "vision_config": HALF | {"image_size": 16, "patch_size": 4}}
    folder = save(tmp_path, "gemma3", CASES["agree"], **more)
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["pad_token_id"] = pad
    (folder / "config.json").write_text(json.dumps(config))
    check(folder, [*texts(30), END])


def test_where_one_padding_token_serves_texts_of_all_lengths_share_batches(tmp_path: Path) -> None:
    device = torch.device("cpu")
    for name in ("both, but different", "the tokenizer has none", "a word pads, say both"):
        folder = save(tmp_path / name, "gpt2", CASES[name])
        padding = load_model(find_files(ModelConfig(str(folder))), device=device, purpose="classify").padding
        assert (padding.token, padding.even) == (CASES[name].config, False)


def test_a_pruned_model_is_saved_without_the_stand_in(tmp_path: Path) -> None:
    folder = save(tmp_path / "model", "gpt2", CASES["neither has one"])
    loaded = load_model(find_files(ModelConfig(str(folder))), device=torch.device("cpu"), purpose="classify")
    before = loaded.model.config.pad_token_id
    with padding_as_saved(loaded.model):
        probing.save_pruned(loaded.model, tmp_path / "saved")
    assert loaded.model.config.pad_token_id == before == -1
    assert json.loads((tmp_path / "saved" / "config.json").read_text()).get("pad_token_id") is None


def test_last_pooling_and_language_losses_keep_an_end_that_also_pads(tmp_path: Path) -> None:
    folder = tiny.make_llama(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = "[SEP]"
    tokenizer.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"pad_token_id": EOS}))
    chosen = texts(30)
    ready = ready_of(folder, Language(), of_texts(chosen, np.arange(30) % 2), tokens=160)
    for batch in ready.batches("train"):
        lengths = [len(tokenizer(chosen[row])["input_ids"]) for row in batch.rows]
        assert batch.counts.tolist() == [length - 1 for length in lengths]
        assert batch.tokens.sum(1).tolist() == lengths


def test_a_decoder_of_a_pair_is_fed_where_the_configuration_names_no_padding(tmp_path: Path) -> None:
    folder = tiny.make_bart(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"pad_token_id": None}))
    chosen = texts(30)
    ready = ready_of(folder, Language(), of_texts(chosen, np.arange(30) % 2), tokens=160)
    model: Any = BartForConditionalGeneration.from_pretrained(folder, pad_token_id=PAD)
    with torch.no_grad():
        for batch in ready.batches("dev"):
            expected = model(**batch.inputs, labels=batch.extra["labels"]).loss
            loss = ready.run(batch).loss.sum() / batch.counts.sum()
            assert float(loss) == pytest.approx(float(expected), rel=1e-4)
