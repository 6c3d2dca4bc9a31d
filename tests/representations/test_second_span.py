"""Units with two spans: both spans pooled as by hand, concatenated, from one reading of each text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import probing
from probing.analyses.reading import Reading
from probing.representations import passes
from probing.representations.decoder import units_after_start
from probing.representations.encode import EncodedBatch, Encoder
from probing.representations.reductions.pooling import Pooling
from probing.representations.reductions.span_pair import COLUMNS, SpanPair
from probing.representations.request import unit_id
from probing.representations.settings import ExtractConfig
from probing.tasks.target import Classes
from probing.tasks.task import Features, Task, Unit
from tests.representations.test_attention import extractor as attention_extractor
from tests.representations.test_attention import rows_of
from tests.representations.test_extract import extractor

TEXTS = ("the old farmer sees a green house", "a tall dog walks slowly by the river .", "the cats saw horses")


def spans(text: str, first: int, second: int, words: int = 2) -> tuple[tuple[int, int], tuple[int, int]]:
    """Offsets of two stretches of words, by the numbers of their first words."""
    own = text.split()
    starts = [len(" ".join(own[:place])) + (place > 0) for place in (first, second)]
    ends = [len(" ".join(own[: place + words])) for place in (first, second)]
    return (starts[0], ends[0]), (starts[1], ends[1])


PLACES = [(text, first, second) for text in TEXTS for first, second in ((0, 2), (2, 0), (1, 2), (1, 1))]


def two_spans(features: Features = "concat") -> Task:
    units = []
    for text, first, second in PLACES:
        one, other = spans(text, first, second)
        units.append(Unit(text, one, second_span=other))
    split = np.array(["train"] * 8 + ["dev", "dev", "test", "test"])
    target = Classes(np.arange(len(units)) % 2, ("a", "b"))
    return Task("test/spans", tuple(units), target, split, features=features)


@pytest.mark.parametrize("pooling", ["mean", "max", "first", "last"])
def test_the_vector_is_both_spans_pooled_and_concatenated(
    tmp_path: Path, tiny_bert: Path, pooling: Pooling
) -> None:
    task = two_spans()
    found = extractor(tmp_path, tiny_bert, site="hidden", pooling=pooling).extract(task.all_units)
    vectors = Reading(task, torch.device("cpu"), lambda: found).vectors(1)[0]
    assert vectors.shape == (len(task), 64)
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    model = AutoModel.from_pretrained(tiny_bert).eval()
    for row, (text, *places) in enumerate(PLACES):
        with torch.no_grad():
            inputs = tokenizer(text, return_tensors="pt")
            states = model(**inputs, output_hidden_states=True).hidden_states[2][0]
        # every word is one token, after [CLS]
        own = [states[1 + place : 3 + place] for place in places]
        pooled = [
            {"mean": span.mean(0), "max": span.amax(0), "first": span[0], "last": span[-1]}[pooling]
            for span in own
        ]
        np.testing.assert_allclose(vectors[row], torch.cat(pooled), rtol=2e-3, atol=1e-3)


@pytest.fixture
def read_now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of texts of each batch that a model reads, apart from those that estimate the time."""
    read: list[int] = []
    vectors, estimate = passes.vectors, passes.estimate

    def counted(readers: Any, parts: Sequence[EncodedBatch], wanted: Any) -> Any:  # noqa: ANN401
        read.append(len(parts[0].inputs["input_ids"]))
        return vectors(readers, parts, wanted)

    def not_of_reading(readers: Any, units: Any) -> float:  # noqa: ANN401
        before = len(read)
        found = estimate(readers, units)
        del read[before:]
        return found

    monkeypatch.setattr(passes, "vectors", counted)
    monkeypatch.setattr(passes, "estimate", not_of_reading)
    return read


def test_every_text_is_read_once_and_every_span_kept_once(
    tmp_path: Path, tiny_bert: Path, read_now: list[int]
) -> None:
    extractor(tmp_path, tiny_bert).extract(two_spans().all_units)
    assert sum(read_now) == len(TEXTS)


@pytest.mark.parametrize("weighted", [False, True])
def test_one_pass_over_each_text_serves_the_attention_of_all_its_pairs(
    tmp_path: Path, tiny_bert: Path, read_now: list[int], weighted: bool
) -> None:
    statistic = SpanPair(weighted)
    pairs = []
    for text, first, second in PLACES * 2:  # each pair in both orders, some pairs twice
        one, other = spans(text, first, second, words=1)
        pairs += [Unit(text, one, second_span=other), Unit(text, other, second_span=one)]
    distinct = list(dict.fromkeys(pairs))
    # one text a batch, so that the model computes the same for one pair and for many
    found = attention_extractor(tmp_path / "all", tiny_bert, statistic, batch_tokens=1).extract(pairs)
    assert sum(read_now) == len(TEXTS)
    for row, pair in enumerate(distinct):
        lone = attention_extractor(tmp_path / f"{row}", tiny_bert, statistic, batch_tokens=1).extract([pair])
        own = [at for at, each in enumerate(pairs) if each == pair]
        for layer in found.layers:
            expected = np.broadcast_to(rows_of(lone, layer), (len(own), *rows_of(lone, layer).shape[1:]))
            np.testing.assert_allclose(rows_of(found, layer)[own], expected, rtol=0, atol=1e-12)
    assert sum(read_now) == len(TEXTS) + len(distinct)
    assert len({unit_id(pair) for pair in distinct}) == len(distinct)
    attention_extractor(tmp_path / "all", tiny_bert, statistic).extract(distinct[3:5])
    assert sum(read_now) == len(TEXTS) + len(distinct)  # each pair has its own row in the cache


def test_a_pair_with_a_span_that_was_cut_off_has_no_attention(tmp_path: Path, tiny_bert: Path) -> None:
    """Six tokens, two of them special."""
    text = TEXTS[0]
    near, far = spans(text, 0, 2, words=1), spans(text, 0, 5, words=1)
    units = [Unit(text, one, second_span=two) for one, two in (near, far, far[::-1])]
    settings = ExtractConfig(threads=1, max_length=6)
    folder = attention_extractor(tmp_path, tiny_bert, SpanPair())
    cut = replace(folder, request=replace(folder.request, max_length=6), settings=settings)
    found = cut.extract(units)
    assert found.missing.tolist() == [1, 2]
    assert np.isnan(rows_of(found, 0)[1:]).all()
    assert rows_of(found, 0)[0, :, COLUMNS.index("both")].tolist() == [1] * 4


def test_a_decoder_reads_both_spans_one_position_later(tiny_bert: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    texts = ("the cats saw horses", "a tall dog walks slowly")
    units = [Unit(texts[0], *_pair(texts[0], 0, 2)), Unit(texts[1], *_pair(texts[1], 3, 1)), Unit(texts[0])]
    (batch,) = Encoder(tokenizer, frozenset(), None, 100).batches(units)
    later = units_after_start(batch)
    assert batch.second is not None
    assert later.second is not None
    assert later.units == batch.units
    spanned = [row for row, unit in enumerate(later.units) if units[unit].span]
    assert torch.equal(later.tokens[spanned, 1:], batch.tokens[spanned, :-1])
    assert torch.equal(later.second[:, 1:], batch.second[:, :-1])
    (whole,) = set(range(3)) - set(spanned)
    assert not later.second[whole].any()


def _pair(text: str, first: int, second: int) -> tuple[tuple[int, int], None, tuple[int, int]]:
    """The fields `span`, `second` and `second_span` of two words."""
    one, other = spans(text, first, second, words=1)
    return one, None, other


def test_it_is_the_same_task_as_a_pair_of_spans_given_as_units_and_partners() -> None:
    """So digests, cached vectors and lists of examples are those of such pairs."""
    made = two_spans()
    pairs = Task(
        name="test/spans",
        units=tuple(Unit(text, spans(text, first, second)[0]) for text, first, second in PLACES),
        partners=tuple(Unit(text, spans(text, first, second)[1]) for text, first, second in PLACES),
        target=made.target,
        split=made.split,
        features="concat",
    )
    assert made.digest == pairs.digest
    assert made.all_units == pairs.all_units
    assert [unit_id(unit) for unit in made.all_units] == [unit_id(unit) for unit in pairs.all_units]
    assert made.take([0, 1, 2, 3, 8, 9, 10, 11]).partners == tuple(
        pairs.all_units[12 + row] for row in (0, 1, 2, 3, 8, 9, 10, 11)
    )


def test_a_table_gives_both_spans_from_the_command_line(tmp_path: Path, tiny_bert: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(60):
        text = TEXTS[number % 3] + f" {'and ' * (number // 3)}".rstrip()
        first, second = rng.permutation(3)[:2].tolist()
        (start, end), (second_start, second_end) = spans(text, first, second, words=1)
        label = "right" if start < second_start else "left"
        rows.append((text, start, end, second_start, second_end, label))
    columns = ["text", "from", "to", "from2", "to2", "label"]
    pd.DataFrame(rows, columns=columns).to_csv(tmp_path / "spans.csv", index=False)
    ran = [
        f"paths.root={tmp_path}",
        "model=hf",
        f"model.name={tiny_bert}",
        "extract.threads=1",
        "pooling=mean",
    ]
    ran += ["task=table", f"task.path={tmp_path / 'spans.csv'}", "task.features=concat", "granularity=layer"]
    frame = probing.run(
        [*ran, "task.start=from", "task.end=to", "task.second_start=from2", "task.second_end=to2"]
    )
    assert frame["test"].notna().all()
    one, two = (probing.load_representations(tmp_path, layer=0, partner=partner) for partner in (False, True))
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    model = AutoModel.from_pretrained(tiny_bert).eval()
    text, *offsets = rows[7][:5]
    words = [len(text[:start].split()) for start in (offsets[0], offsets[2])]
    with torch.no_grad():
        inputs = tokenizer(text, return_tensors="pt")
        states = model(**inputs, output_hidden_states=True).hidden_states[1][0]
    for found, word in zip((one, two), words, strict=True):
        np.testing.assert_allclose(found[7, 0, 0], states[1 + word], rtol=2e-3, atol=1e-3)
