"""Words, spans and joint pairs through the extractor: right vectors, and none for what was cut off."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from probing.representations.reductions.pooling import Pooling
from probing.representations.settings import ExtractConfig
from probing.representations.shard import open_shard
from probing.tasks.task import Unit
from tests.representations.test_extract import extractor

TEXT = "the tall café near the river sold 中文 and horses ."


def words_of(text: str) -> list[Unit]:
    return [Unit(text, word.span()) for word in re.finditer(r"\S+", text)]


@pytest.mark.parametrize("pooling", ["first", "last", "mean", "max"])
def test_a_words_vector_is_that_of_its_pieces(tmp_path: Path, tiny_gpt2: Path, pooling: Pooling) -> None:
    """The reference counts the tokens of what comes before the word, and knows of no offsets."""
    units = words_of(TEXT)
    found = extractor(tmp_path, tiny_gpt2, site="hidden", pooling=pooling).extract(units)
    tokenizer = AutoTokenizer.from_pretrained(tiny_gpt2)
    with torch.no_grad():
        model = AutoModel.from_pretrained(tiny_gpt2).eval()
        inputs = tokenizer(TEXT, return_tensors="pt")
        states = model(**inputs, output_hidden_states=True).hidden_states[1][0]
    pieces = tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    sizes = set()
    for row, unit in enumerate(units):
        start, end = unit.span or (0, 0)
        first, last = (len(tokenizer(text)["input_ids"]) for text in (TEXT[:start].rstrip(), TEXT[:end]))
        own = states[first + (pieces[first] == "Ġ") : last]
        sizes.add(len(own))
        expected = {"first": own[0], "last": own[-1], "mean": own.mean(0), "max": own.amax(0)}[pooling]
        np.testing.assert_allclose(found.layer(0)[0, row], expected, rtol=2e-3, atol=1e-3)
    assert len(sizes) > 3


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_joint_pairs_are_read_as_the_model_reads_them(
    tmp_path: Path, joint_bert: Path, pooling: Pooling
) -> None:
    """Single texts, pairs and words of pairs in one call; token types tell the two texts apart."""
    one, two = "the old dog sees a cat", "a cat walks slowly"
    units = [Unit(one), Unit(one, second=two), Unit(two, second=one), Unit(one, (8, 11), two)]
    found = extractor(tmp_path, joint_bert, site="hidden", pooling=pooling).extract(units)
    tokenizer = AutoTokenizer.from_pretrained(joint_bert)
    model = AutoModel.from_pretrained(joint_bert).eval()
    for row, unit in enumerate(units):
        inputs = tokenizer(unit.text, unit.second, return_tensors="pt")
        assert (inputs["token_type_ids"].max() == 1) == (unit.second is not None)
        with torch.no_grad():
            states = model(**inputs).last_hidden_state[0]
        own = states[3:4] if unit.span else states
        expected = own[0] if pooling == "first" else own.mean(0)
        np.testing.assert_allclose(found.layer(1)[0, row], expected, rtol=2e-3, atol=1e-3)
    assert len({values.tobytes() for values in found.layer(1)[0]}) == len(units)


def test_units_that_come_again_are_computed_once_and_each_gets_its_row(
    tmp_path: Path, joint_bert: Path
) -> None:
    """As the first and second texts of all pairs do."""
    units = [*words_of("the old dog"), Unit("a cat"), Unit("a cat", second="the dog"), Unit("the dog")]
    again = [units[place] for place in np.random.default_rng(0).integers(0, len(units), 40)]
    found = extractor(tmp_path, joint_bert).extract([*again, *units])
    (folder,) = tmp_path.glob("*/shard-*")
    assert sorted(open_shard(folder).ids()) == sorted(set(open_shard(folder).ids()))
    assert len(open_shard(folder).ids()) == len(units)
    own = dict(zip(units, found.layer(1)[:, 40:].transpose(1, 0, 2), strict=True))
    np.testing.assert_array_equal(found.layer(1)[:, :40].transpose(1, 0, 2), [own[unit] for unit in again])


LONG = "the old dog sees a tall farmer near the green house"


def test_words_that_were_cut_off_are_rows_without_a_vector(
    tmp_path: Path, joint_bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loads: list[str] = []
    # the last of these texts has lost all that is asked of it
    units = [*words_of(LONG), Unit("a cat"), Unit(LONG), Unit(LONG.replace("old", "red"), (41, 45))]
    units = [*units[::-1], units[0], units[9]]
    settings = ExtractConfig(threads=1, batch_tokens=8)
    with caplog.at_level("WARNING", logger="probing"):
        found = extractor(tmp_path, joint_bert, settings=settings, max_length=8, loads=loads).extract(units)
    assert "2 texts were truncated to 8 tokens" in caplog.text
    assert "6 words or spans were cut off by that" in caplog.text
    gone = [
        place
        for place, unit in enumerate(units)
        if unit.span and unit.text != "a cat" and unit.span[0] >= len("the old dog sees a tall ")
    ]
    assert found.missing.tolist() == gone
    assert found.missing.dtype == np.int64
    assert len(gone) == 7
    assert found.complete
    for layer in found.layers:
        nan = np.isnan(found.layer(layer))
        assert nan[:, gone].all()
        assert np.isfinite(np.delete(found.layer(layer), gone, axis=1)).all()
    assert found.truncated == len(units) - 1
    again = extractor(tmp_path, joint_bert, settings=settings, max_length=8, loads=loads).extract(units)
    assert len(loads) == 1
    assert again.missing.tolist() == gone


def test_a_longer_limit_is_another_cache_and_misses_nothing(tmp_path: Path, joint_bert: Path) -> None:
    units = words_of(LONG)
    short = extractor(tmp_path, joint_bert, max_length=8).extract(units)
    whole = extractor(tmp_path, joint_bert, max_length=20).extract(units)
    assert len(short.missing) == 5
    assert len(whole.missing) == 0


def test_missing_rows_in_several_shards_keep_their_places(tmp_path: Path, joint_bert: Path) -> None:
    """Extracted in three calls, asked for in another order."""
    units = [unit for number in range(30) for unit in words_of(f"{'the ' * (number % 10)}dog sees {number}")]
    for start in (0, 50, 100):
        extractor(tmp_path, joint_bert, max_length=8).extract(units[start : start + 60])
    order = np.random.default_rng(0).permutation(len(units))
    found = extractor(tmp_path, joint_bert, max_length=8).extract([units[place] for place in order])
    assert len(list(tmp_path.glob("*/shard-*"))) > 2
    expected = np.isnan(found.layer(0)[0, :, 0])
    assert found.missing.tolist() == np.flatnonzero(expected).tolist()
    position = [len(units[place].text[: (units[place].span or (0, 0))[0]].split()) for place in order]
    assert (np.array(position) >= 6).tolist() == expected.tolist()


def test_shards_of_older_versions_still_answer(tmp_path: Path, joint_bert: Path) -> None:
    """They have no list of missing units, and no column for a second text."""
    loads: list[str] = []
    units = words_of(LONG)
    before = extractor(tmp_path, joint_bert, loads=loads).extract(units).layer(0)
    (folder,) = tmp_path.glob("*/shard-*")
    pq.write_table(pq.read_table(folder / "rows.parquet").drop(["second"]), folder / "rows.parquet")
    meta = json.loads((folder / "shard.json").read_text())["meta"]
    del meta["missing"]
    content = (folder / "rows.parquet").read_bytes()
    meta["files"]["rows.parquet"] = {"bytes": len(content), "crc32": zlib.crc32(content)}
    mark = {"meta": meta, "crc32": zlib.crc32(json.dumps(meta).encode())}
    (folder / "shard.json").write_text(json.dumps(mark))
    found = extractor(tmp_path, joint_bert, loads=loads).extract([*units, Unit("a", second="b")])
    assert len(loads) == 2  # the second time for the pair alone
    assert found.missing.tolist() == []
    np.testing.assert_array_equal(found.layer(0)[:, : len(units)], before)


def test_words_without_a_token_are_rows_without_a_vector_and_counted(
    tmp_path: Path, joint_bert: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A zero-width space is a word to whoever wrote the file; the tokenizer leaves it out."""
    long = "the dog \u200b sold " + "the " * 30 + "dog \u200b"
    units = [*words_of("the \u200b sold"), *words_of("\u200b"), *words_of(long), Unit("the \u200b")]
    silent = [at for at, unit in enumerate(units[:-1]) if unit.text[slice(*unit.span or ())] == "\u200b"]
    with caplog.at_level("WARNING", logger="probing"):
        found = extractor(tmp_path, joint_bert).extract(units)
    assert found.missing.tolist() == found.silent.tolist() == silent
    assert "4 words or spans have no token" in caplog.text
    for layer in found.layers:
        nan = np.isnan(found.layer(layer)).any((0, 2))
        assert np.flatnonzero(nan).tolist() == silent
    short = extractor(tmp_path, joint_bert, max_length=12).extract(units)
    assert short.silent.tolist() == [1, 3]
    assert set(silent) < set(short.missing.tolist())
