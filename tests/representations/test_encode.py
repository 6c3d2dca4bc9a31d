"""Batches hold every unit once, within the budget, and mark each unit's own tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from probing.errors import ProbingError
from probing.representations.encode import Encoder
from probing.tasks.task import Task, Unit

ARGUMENTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


def encoder(folder: Path, *, max_length: int | None = 64, budget: int = 64) -> Encoder:
    return Encoder(AutoTokenizer.from_pretrained(folder), ARGUMENTS, max_length, budget)


def test_every_unit_comes_once_and_batches_keep_to_the_budget(tiny_bert: Path, small_task: Task) -> None:
    seen: list[int] = []
    widths = []
    for batch in encoder(tiny_bert).batches(small_task.units):
        ids = batch.inputs["input_ids"]
        assert ids.numel() <= 64 or len(ids) == 1
        assert set(batch.inputs) == {"input_ids", "attention_mask"}
        seen += batch.units
        widths.append(ids.shape[1])
    assert sorted(seen) == list(range(60))
    assert widths == sorted(widths, reverse=True)


def test_equal_texts_are_encoded_once(tiny_bert: Path, small_task: Task) -> None:
    texts = sum(len(batch.inputs["input_ids"]) for batch in encoder(tiny_bert).batches(small_task.units))
    assert texts == len({unit.text for unit in small_task.units}) < 58


@pytest.mark.parametrize("model", ["tiny_bert", "tiny_gpt2"])
def test_a_span_marks_exactly_the_tokens_of_its_word(model: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(model)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "the tall farmers near the river sold horses ."
    starts = [index for index in range(len(text)) if index == 0 or text[index - 1] == " "]
    units = [Unit(text, (start, (text + " ").index(" ", start))) for start in starts]
    (batch,) = encoder(folder).batches(units)
    assert len(batch.inputs["input_ids"]) == 1
    assert batch.texts is not None
    words = [
        str(tokenizer.decode(batch.inputs["input_ids"][0][marks])).strip()
        for marks in batch.tokens[torch.tensor(batch.units).argsort()]
    ]
    assert words == text.split()
    assert (batch.tokens.sum(0) <= 1).all()


def test_long_texts_are_cut_and_counted(tiny_bert: Path) -> None:
    units = [Unit("dog " * 30), Unit("dog"), Unit("cat " * 6)]
    batches = list(encoder(tiny_bert, max_length=8).batches(units))
    assert max(batch.inputs["input_ids"].shape[1] for batch in batches) == 8
    assert [place for batch in batches for place in batch.truncated] == [0]


def test_a_word_that_was_cut_off_has_no_tokens(tiny_bert: Path) -> None:
    with pytest.raises(ProbingError, match=r"no tokens in its span \(116, 119\)"):
        list(encoder(tiny_bert, max_length=8).batches([Unit("dog " * 30, (116, 119))]))


def test_inputs_are_what_the_forward_pass_accepts(tiny_bert: Path) -> None:
    plain = Encoder(AutoTokenizer.from_pretrained(tiny_bert), frozenset({"input_ids"}), None, 64)
    (batch,) = plain.batches([Unit("the dog")])
    assert set(batch.inputs) == {"input_ids"}
