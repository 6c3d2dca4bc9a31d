"""Several statistics in one pass, words of texts, and statistics across layers, through the cache."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from probing.io.locks import held, lock_file
from probing.representations import forward, passes
from probing.representations.extract import Overwrite
from probing.representations.forward import ModelReader
from probing.representations.passes import read
from probing.representations.reader import Representations
from probing.representations.reductions.entropy import Entropy
from probing.representations.reductions.statistic import AcrossLayers, AttentionBatch
from probing.representations.reductions.surface import Surface
from probing.representations.request import unit_id
from probing.representations.settings import ExtractConfig
from probing.representations.together import Wanted, extract_together
from probing.tasks.task import Unit
from tests.representations.test_attention import TEXTS, extractor, request_of, rows_of

WORDS = ((0, 3), (4, 7), (8, 11), (12, 16), (17, 18), (19, 22))
"""Words of the first text, without its last."""


@dataclass(frozen=True)
class WordOfEachToken:
    """The number of tokens of each word, as a statistic sees them: eight columns."""

    @property
    def name(self) -> str:
        return "word_of_each_token"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(f"word_{at}" for at in range(8))

    def reduce(self, attention: AttentionBatch) -> Tensor:
        inputs = attention.read()
        counts = inputs.members.sum(1)[:, :8].double()
        counts = torch.nn.functional.pad(counts, (0, 8 - counts.shape[1]))
        return attention.per_unit(counts.unsqueeze(1).expand(-1, attention.weights.shape[1], -1))


@dataclass(frozen=True)
class SharedMass(WordOfEachToken):
    """Overlap Σ min(A, B) of each head with all heads of its own and earlier layers."""

    @property
    def name(self) -> str:
        return "shared_mass"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("overlap",)

    def keep(self, attention: AttentionBatch) -> Tensor:
        real = attention.real[:, None, :, None] & attention.real[:, None, None, :]
        return attention.weights.double() * real

    def reduce(self, attention: AttentionBatch) -> Tensor:
        others = torch.cat([attention.earlier[layer] for layer in sorted(attention.earlier)], 1)
        own = attention.earlier[attention.layer]
        pairs = torch.minimum(own.unsqueeze(2), others.unsqueeze(1)).sum((3, 4))
        return attention.per_unit(pairs)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of texts of each batch that a model reads."""
    found: list[int] = []
    plain = passes.vectors

    def vectors(readers: Any, parts: Any, wanted: Any) -> Any:  # noqa: ANN401
        found.append(len(parts[0].inputs["input_ids"]))
        return plain(readers, parts, wanted)

    monkeypatch.setattr(passes, "vectors", vectors)
    monkeypatch.setattr(passes, "estimate", lambda readers, units: 0.0)
    return found


def same(first: Representations, second: Representations) -> None:
    assert first.layers == second.layers
    for layer in first.layers:
        np.testing.assert_allclose(rows_of(first, layer), rows_of(second, layer), rtol=1e-5, atol=1e-6)


def test_one_pass_gives_what_each_statistic_gives_alone(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tuple(map(Unit, TEXTS))
    words = tuple(Unit(TEXTS[0], span, words=WORDS) for span in WORDS)
    alone = [
        extractor(tmp_path / "alone", tiny_bert, statistic).extract(units)
        for statistic, units in ((Entropy(), texts), (Surface(), texts), (WordOfEachToken(), words))
    ]
    read_now = counted(monkeypatch)
    loads: list[Path] = []

    def wanted(statistic: Any, units: tuple[Unit, ...]) -> Wanted:  # noqa: ANN401
        return Wanted(extractor(tmp_path / "both", tiny_bert, statistic, loads=loads), units)

    asked = [wanted(Entropy(), texts), wanted(Surface(), texts), wanted(WordOfEachToken(), words)]
    found = extract_together(asked, None)
    assert sum(read_now) == len(TEXTS)  # words and texts share the row of their text
    assert len(loads) == 1
    for one, other in zip(alone, found, strict=True):
        same(one, other)
    again = extract_together(asked, None)
    assert len(loads) == 1
    same(again[2], found[2])


def test_only_what_is_lacking_is_read(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tuple(map(Unit, TEXTS))
    extractor(tmp_path, tiny_bert, Surface()).extract(texts[:2])
    read_now = counted(monkeypatch)
    both = [Wanted(extractor(tmp_path, tiny_bert, each), texts) for each in (Surface(), Entropy())]
    found = extract_together([replace(both[0]), replace(both[1], units=texts[2:])], None)
    assert sum(read_now) == 1
    assert [each.size for each in found] == [3, 1]


def test_always_extracts_once_again(tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = tuple(map(Unit, TEXTS))
    read_now = counted(monkeypatch)
    for overwrite in ("missing", "always"):
        both = [
            Wanted(extractor(tmp_path, tiny_bert, each, overwrite=overwrite), texts)
            for each in (Surface(), Entropy())
        ]
        extract_together(both, None)
    assert sum(read_now) == 2 * len(TEXTS)


def test_what_is_cached_waits_for_no_other_process(tmp_path: Path, tiny_bert: Path) -> None:
    texts = tuple(map(Unit, TEXTS))
    both = [Wanted(extractor(tmp_path / "out", tiny_bert, each), texts) for each in (Surface(), Entropy())]
    first = extract_together(both, None)
    busy = both[0].extractor.store
    with held(lock_file(busy.root, busy.key)), ThreadPoolExecutor(1) as other:
        again = other.submit(extract_together, both, None).result(timeout=60)
        single = extract_together([both[0], replace(both[1], units=(Unit("new words"), *texts))], None)
    same(again[0], first[0])
    same(single[0], first[0])  # only the lock of the request that lacks a text is taken
    assert single[1].complete


def test_a_cached_answer_needs_no_folder_of_locks(tmp_path: Path, tiny_bert: Path) -> None:
    texts = tuple(map(Unit, TEXTS))
    both = [Wanted(extractor(tmp_path / "out", tiny_bert, each), texts) for each in (Surface(), Entropy())]
    first = extract_together(both, None)
    shutil.rmtree(tmp_path / "locks")
    same(extract_together(both, None)[1], first[1])
    assert not (tmp_path / "locks").exists()


@pytest.mark.parametrize("overwrite", ["missing", "always"])
def test_one_request_may_be_wanted_twice(tmp_path: Path, tiny_bert: Path, overwrite: Overwrite) -> None:
    texts = tuple(map(Unit, TEXTS))
    alone = extractor(tmp_path / "alone", tiny_bert, Surface()).extract(texts)
    twice = [
        Wanted(extractor(tmp_path / "out", tiny_bert, Surface(), overwrite=overwrite), units)
        for units in (texts, texts[1:])
    ]
    with ThreadPoolExecutor(1) as other:
        found = other.submit(extract_together, twice, None).result(timeout=60)
    same(found[0], alone)
    assert [each.size for each in found] == [3, 2]
    assert len(twice[0].extractor.store.shards()) == 1


def test_a_pass_is_noted_once(tmp_path: Path, tiny_bert: Path) -> None:
    texts, noted = tuple(map(Unit, TEXTS)), list[int]()

    def note(characters: int, seconds: float) -> None:
        assert seconds > 0
        noted.append(characters)

    wanted = [
        Wanted(replace(extractor(tmp_path, tiny_bert, each), done=note), units)
        for each, units in ((Surface(), texts), (Entropy(), texts[:1]))
    ]
    extract_together(wanted, None)
    assert noted == [sum(map(len, TEXTS))]


def test_the_estimate_reads_batches_that_every_reader_has_memory_for(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [Unit(" ".join(["dog"] * 40) + f" {at}") for at in range(12)]
    loaded, settings = extractor(tmp_path, tiny_bert).load(), ExtractConfig(threads=1, batch_tokens=1000)
    monkeypatch.setattr(forward, "PAIRS", 8)  # memory for four of the texts, or for one across three layers
    wide, narrow = (
        ModelReader.of(loaded, request_of(tiny_bert, each), settings) for each in (Surface(), SharedMass())
    )
    plain, read_now = passes.vectors, list[int]()

    def vectors(readers: Any, parts: Any, wanted: Any) -> Any:  # noqa: ANN401
        read_now.append(len(parts[0].inputs["input_ids"]))
        return plain(readers, parts, wanted)

    monkeypatch.setattr(passes, "vectors", vectors)
    passes.estimate([wide], texts)
    assert max(read_now) > 1
    read_now.clear()
    passes.estimate([wide, narrow], texts)
    assert set(read_now) == {1}


def test_a_killed_pass_keeps_what_it_wrote(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = tuple(map(Unit, TEXTS))
    plain, calls = passes.vectors, [0]

    def dying(*args: Any) -> Any:  # noqa: ANN401
        calls[0] += 1
        if calls[0] == 3:
            raise KeyboardInterrupt
        return plain(*args)

    monkeypatch.setattr(passes, "estimate", lambda readers, units: 0.0)
    monkeypatch.setattr(passes, "vectors", dying)
    options: dict[str, Any] = {"batch_tokens": 1, "commit_seconds": 1e-9}
    both = [Wanted(extractor(tmp_path, tiny_bert, each, **options), texts) for each in (Surface(), Entropy())]
    with pytest.raises(KeyboardInterrupt):
        extract_together(both, None)
    monkeypatch.setattr(passes, "vectors", plain)
    read_now = counted(monkeypatch)
    found = extract_together(both, None)
    assert sum(read_now) < len(TEXTS)
    fresh = extractor(tmp_path / "fresh", tiny_bert, Surface()).extract(texts)
    same(found[0], fresh)


def test_words_are_those_of_the_unit(tmp_path: Path, tiny_bert: Path) -> None:
    unit = Unit(TEXTS[0], words=WORDS)
    found = extractor(tmp_path, tiny_bert, WordOfEachToken()).extract([unit, Unit(TEXTS[0])])
    with_words, without = rows_of(found, 0)[:, 0]
    np.testing.assert_array_equal(with_words, [1, 1, 1, 1, 1, 1, 0, 0])
    assert unit_id(unit) != unit_id(Unit(TEXTS[0]))
    # a unit that names no words may share the row of one that does
    assert without.shape == (8,)


def test_a_statistic_across_layers_sees_all_earlier_ones(tmp_path: Path, tiny_bert: Path) -> None:
    units = list(map(Unit, TEXTS))
    found = extractor(tmp_path / "whole", tiny_bert, SharedMass()).extract(units)
    assert isinstance(SharedMass(), AcrossLayers)
    assert found.layout == {0: (4, 4), 1: (4, 8), 2: (4, 12)}
    own = rows_of(found, 0)[0]
    np.testing.assert_allclose(own, own.T, rtol=1e-6)
    lengths = np.array([len(text.split()) + 2 for text in TEXTS])
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(np.diag(rows_of(found, 1)[row][:, 4:]), length, rtol=1e-5)
    # a run on the last layer alone gives the same numbers, also text by text
    last = extractor(tmp_path / "last", tiny_bert, SharedMass(), batch_tokens=1).extract(units, [2])
    assert last.layout == {2: (4, 12)}
    np.testing.assert_allclose(rows_of(last, 2), rows_of(found, 2), rtol=1e-5)


def test_long_texts_make_small_batches(tmp_path: Path, tiny_bert: Path) -> None:
    texts = [Unit(" ".join(["dog"] * 40) + f" {at}") for at in range(12)]
    made = extractor(tmp_path, tiny_bert, Surface())

    def sizes(statistic: Any, batch_tokens: int) -> list[int]:  # noqa: ANN401
        given = ExtractConfig(threads=1, batch_tokens=batch_tokens)
        reader = ModelReader.of(made.load(), request_of(tiny_bert, statistic), given)
        return [len(batch.inputs["input_ids"]) for batch in reader.encoder().batches(texts)]

    assert max(sizes(Surface(), batch_tokens=40 * 12)) > 1
    # pairs are 128 for each token of the budget: 43 tokens have 1849 pairs
    assert set(sizes(Surface(), batch_tokens=16)) == {1}
    assert max(sizes(SharedMass(), batch_tokens=40 * 12)) <= max(sizes(Surface(), batch_tokens=40 * 12))


def test_readers_share_rows_in_any_order(tmp_path: Path, tiny_bert: Path) -> None:
    made = extractor(tmp_path, tiny_bert, Surface())
    loaded = made.load()
    readers = [
        ModelReader.of(loaded, request_of(tiny_bert, each), ExtractConfig(threads=1))
        for each in (Surface(), Entropy())
    ]
    units = list(map(Unit, TEXTS))
    got: list[set[int]] = [set(), set()]
    for rows in read(readers, [units, units[::-1][:2]]):
        for places, each in zip(got, rows, strict=True):
            places.update(each.places)
    assert got == [{0, 1, 2}, {0, 1}]
