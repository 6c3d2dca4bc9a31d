"""Vectors are kept as the model computed them; half precision is a choice that says what it costs."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.errors import ProbingError
from probing.representations import request
from probing.representations.buffer import Buffer
from probing.representations.forward import PooledRows
from probing.representations.half import Half
from probing.representations.request import unit_id
from probing.representations.settings import ExtractConfig, Storage
from probing.representations.shard import ShardWriter
from probing.runs.prepare import prepare
from probing.runs.spec import RunSpec
from probing.tasks.task import Task, Unit
from tests.representations.test_extract import extractor
from tests.tiny import make_bert

pytestmark = pytest.mark.slow

LAYOUT = {0: (2, 4)}
STORAGES: tuple[Storage, ...] = ("float32", "float16")


def normal(count: int, scale: float = 1.0) -> NDArray[np.float32]:
    return (scale * np.random.default_rng(0).normal(size=(count, 2, 4))).astype(np.float32)


def steps_apart(vectors: NDArray[np.float32]) -> int:
    """Features (n, heads, dim) whose spread is below 64 steps of float16 at their mean."""
    mean, spread = vectors.astype(np.float64).mean(0), vectors.astype(np.float64).std(0)
    return int((spread < 64 * np.spacing(np.abs(mean).astype(np.float16)).astype(np.float64)).sum())


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_what_was_computed_in_bfloat16_takes_half_the_disk(tmp_path: Path, precision: str) -> None:
    """Split by byte, the two bytes that bfloat16 lacks are zeros."""
    values = torch.from_numpy(normal(20_000)).to(getattr(torch, precision)).float().numpy()
    units = [Unit(str(number)) for number in range(len(values))]
    shard = ShardWriter(tmp_path / "key").write([unit_id(unit) for unit in units], units, {0: values}, LAYOUT)
    share = shard.meta["files"]["layer-00.parquet"]["bytes"] / values.nbytes
    assert share < 0.45 if precision == "bfloat16" else 0.8 < share < 1
    np.testing.assert_array_equal(shard.vectors(0, [1])[0], values[:, 1])


def test_what_a_vector_becomes_depends_on_nothing_but_itself() -> None:
    """Next to a vector that is too large it is rounded just as it is alone."""
    values = normal(50)
    values[7, 1, 2] = 70_000
    alone = np.concatenate([Half(LAYOUT).narrow(0, row[None]).astype(np.float32) for row in values])
    together = Half(LAYOUT).narrow(0, values)
    assert together.dtype == np.float32
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(together[7, 1], values[7, 1])
    np.testing.assert_array_equal(together[7, 0], values[7, 0].astype(np.float16).astype(np.float32))
    assert Half(LAYOUT).narrow(0, values[:7]).dtype == np.float16


def test_a_buffer_widens_a_layer_and_changes_no_row_by_that() -> None:
    values = normal(12)
    values[9, 0, 0] = -1e5
    for storage, expected in zip(STORAGES, (values, Half(LAYOUT).narrow(0, values)), strict=True):
        buffer = Buffer(LAYOUT, 12, storage)
        for start in range(0, 12, 3):
            buffer.add(PooledRows(tuple(range(start, start + 3)), {0: values[start : start + 3]}, ()))
        np.testing.assert_array_equal(buffer.take().vectors[0], expected)


@pytest.mark.parametrize("size", [1, 7, 400])
def test_features_of_little_spread_are_counted(size: int) -> None:
    """Spreads of 6, 60, 70 and 600 steps of 2^-10 around means of 1; a constant loses nothing."""
    spread = np.array([[6, 60, 70, 600], [0, 60, 0, 70]]) / 1024
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(400, 2, 4))
    values = (1 + 1e-4 + (drawn - drawn.mean(0)) / drawn.std(0) * spread).astype(np.float32)
    values = np.concatenate([values, np.full((3, 2, 4), np.nan, dtype=np.float32)])  # units without a vector
    half = Half(LAYOUT)
    for start in range(0, len(values), size):
        half.narrow(0, values[start : start + size])
    assert half.blurred() == (3, 8)


def test_half_precision_warns_of_what_it_blurs(
    tmp_path: Path, small_task: Task, caplog: pytest.LogCaptureFixture
) -> None:
    """A layer with an offset of 100, as first tokens have them, and two without."""
    folder = make_bert(tmp_path / "offset")
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.attention.self.value.bias"][:] += 100
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    units = tuple(dict.fromkeys(small_task.units))
    found, logged = {}, {}
    for storage in STORAGES:
        settings = ExtractConfig(threads=1, storage=storage)
        caplog.clear()
        with caplog.at_level("INFO", logger="probing"):
            found[storage] = extractor(tmp_path / "out", folder, settings=settings).extract(units)
        logged[storage] = caplog.text
    exact = [found["float32"].layer(layer).transpose(1, 0, 2) for layer in range(3)]
    blurred = sum(map(steps_apart, exact))
    assert steps_apart(exact[1]) == 32
    assert f"extract.storage=float16: {blurred} of 96 features spread over fewer" in logged["float16"]
    assert "features spread" not in logged["float32"]
    for layer in range(3):
        half = found["float16"].layer(layer).transpose(1, 0, 2)
        np.testing.assert_array_equal(half, exact[layer].astype(np.float16).astype(np.float32))


def test_the_disk_must_hold_four_bytes_of_each_number_or_two(
    tmp_path: Path, tiny_bert: Path, small_task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = len(set(small_task.units)) * 96
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * numbers))
    half = ExtractConfig(threads=1, storage="float16")
    assert extractor(tmp_path, tiny_bert, settings=half).extract(small_task.units).complete
    with pytest.raises(ProbingError, match=r"GB of vectors, .* GB free"):
        extractor(tmp_path, tiny_bert).extract(small_task.units)


def test_results_depend_on_how_vectors_are_kept(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of older vectors, too, are computed again."""

    def spec(*more: str) -> RunSpec:
        asked = ["model=hf", f"model.name={tiny_bert}", "task.n_train=40", *more]
        return prepare(build_config(plain_values(compose_config(asked)))).spec

    plain, half = spec(), spec("extract.storage=float16")
    assert plain.request.storage == "float32"
    assert plain.key == spec("extract.storage=float32").key
    keys = {plain.key, half.key}
    assert plain.setup != half.setup  # neither is a baseline of the other
    monkeypatch.setattr(request, "SCHEMA", 1)
    assert len(keys | {spec().key}) == 3
    with pytest.raises(ProbingError, match=r"extract\.storage"):
        spec("extract.storage=float8")
