"""Extraction end to end on tiny models: right vectors, whatever the batches, and never a wrong row."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from probing.errors import CorruptFileError, ProbingError
from probing.models.loading import LoadedModel, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.representations.extract import Extractor, Overwrite
from probing.representations.reductions.pooling import Pooling, pool
from probing.representations.request import Request, SiteKind
from probing.representations.settings import ExtractConfig
from probing.tasks.task import Task, Unit
from tests.tiny import make_bert, make_mamba

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


def extractor(
    root: Path,
    folder: Path,
    *,
    site: SiteKind = "head",
    pooling: Pooling = "mean",
    settings: ExtractConfig | None = None,
    overwrite: Overwrite = "missing",
    loads: list[str] | None = None,
    max_length: int | None = None,
) -> Extractor:
    files = find_files(ModelConfig(str(folder)))

    def load() -> LoadedModel:
        if loads is not None:
            loads.append(str(folder))
        return load_model(files, device=CPU)

    settings = settings or ExtractConfig(threads=1)
    request = Request(files.identity, site, pooling, max_length, "float32", 5, settings.storage)
    return Extractor(root, request, settings, load, overwrite)


def reference(folder: Path, texts: list[str], pooling: Pooling) -> list[NDArray[np.float32]]:
    """Head outputs one text at a time, by a hook written for BERT alone."""
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = []
    for text in texts:
        seen: list[torch.Tensor] = []
        hooks = [
            layer.attention.output.dense.register_forward_pre_hook(
                lambda _, args, seen=seen: seen.append(args[0])
            )
            for layer in model.encoder.layer
        ]
        with torch.no_grad():
            inputs = tokenizer(text, return_tensors="pt")
            model(**inputs)
        for hook in hooks:
            hook.remove()
        heads = torch.stack(seen, 2).reshape(1, -1, len(seen), 4, 8)
        rows.append(pool(heads, inputs["attention_mask"].bool(), pooling)[0].numpy())
    return rows


@pytest.mark.parametrize("pooling", ["first", "last", "mean", "max"])
def test_vectors_are_the_models_own(
    tmp_path: Path, tiny_bert: Path, small_task: Task, pooling: Pooling
) -> None:
    found = extractor(tmp_path, tiny_bert, pooling=pooling).extract(small_task.units)
    assert found.layout == {0: (4, 8), 1: (4, 8), 2: (4, 8)}
    expected = np.stack(reference(tiny_bert, [unit.text for unit in small_task.units], pooling))
    for layer in range(3):
        got = found.layer(layer).transpose(1, 0, 2)
        np.testing.assert_allclose(got, expected[:, layer], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", ["tiny_bert", "tiny_gpt2"])
@pytest.mark.parametrize("site", ["head", "hidden"])
def test_batches_leave_no_trace(
    tmp_path: Path, small_task: Task, model: str, site: SiteKind, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(model)
    alone = extractor(
        tmp_path / "1", folder, site=site, pooling="last", settings=ExtractConfig(threads=1, batch_tokens=1)
    ).extract(small_task.units)
    together = extractor(
        tmp_path / "2",
        folder,
        site=site,
        pooling="last",
        settings=ExtractConfig(threads=1, batch_tokens=4000),
    ).extract(small_task.units)
    assert alone.key == together.key
    for layer in alone.layers:
        np.testing.assert_allclose(alone.layer(layer), together.layer(layer), rtol=1e-4, atol=1e-6)


def test_hidden_states_are_the_librarys(tmp_path: Path, tiny_bert: Path) -> None:
    units = [Unit("the old dog sees the river ."), Unit("a cat")]
    found = extractor(tmp_path, tiny_bert, site="hidden", pooling="first").extract(units)
    assert found.layers == (-1, 0, 1, 2)
    model = AutoModel.from_pretrained(tiny_bert).eval()
    inputs = AutoTokenizer.from_pretrained(tiny_bert)(units[0].text, return_tensors="pt")
    with torch.no_grad():
        states = model(**inputs, output_hidden_states=True).hidden_states
    for layer, state in zip(found.layers, states, strict=True):
        np.testing.assert_allclose(found.layer(layer)[0, 0], state[0, 0], rtol=1e-5, atol=1e-6)


def test_a_second_call_runs_no_model(tmp_path: Path, tiny_bert: Path, small_task: Task) -> None:
    loads: list[str] = []
    first = extractor(tmp_path, tiny_bert, loads=loads).extract(small_task.units)
    again = extractor(tmp_path, tiny_bert, loads=loads).extract(small_task.units[::-1])
    assert len(loads) == 1
    np.testing.assert_array_equal(first.layer(1)[:, ::-1], again.layer(1))


def test_only_missing_texts_are_extracted(
    tmp_path: Path, tiny_bert: Path, small_task: Task, caplog: pytest.LogCaptureFixture
) -> None:
    extractor(tmp_path, tiny_bert).extract(small_task.units[:20])
    with caplog.at_level("INFO", logger="probing"):
        found = extractor(tmp_path, tiny_bert).extract(small_task.units)
    missing = {unit.text for unit in small_task.units} - {unit.text for unit in small_task.units[:20]}
    assert f"extracting {len(missing)} texts" in caplog.text
    assert found.complete


def test_words_are_pooled_by_the_same_extractor(tmp_path: Path, tiny_bert: Path) -> None:
    """A word's vector is the mean over its own tokens; the whole text's that over all of them."""
    text = "the old dog"
    units = [Unit(text), Unit(text, (4, 7)), Unit(text, (4, 11))]
    found = extractor(tmp_path, tiny_bert, site="hidden").extract(units)
    model = AutoModel.from_pretrained(tiny_bert).eval()
    with torch.no_grad():
        state = model(
            **AutoTokenizer.from_pretrained(tiny_bert)(text, return_tensors="pt")
        ).last_hidden_state[0]
    expected = torch.stack([state.mean(0), state[2], state[2:4].mean(0)])
    np.testing.assert_allclose(found.layer(2)[0], expected, rtol=1e-5, atol=1e-6)


def test_layers_can_be_chosen_and_completed_later(tmp_path: Path, tiny_bert: Path, small_task: Task) -> None:
    some = extractor(tmp_path, tiny_bert).extract(small_task.units, layers=[1])
    assert some.layers == (1,)
    everything = extractor(tmp_path, tiny_bert).extract(small_task.units)
    assert everything.layers == (0, 1, 2)
    np.testing.assert_array_equal(some.layer(1), everything.layer(1))
    with pytest.raises(ProbingError, match=r"no layer 7; it has 0 to 2"):
        extractor(tmp_path, tiny_bert).extract(small_task.units, layers=[7])


@pytest.mark.parametrize("name", ["layer-01.parquet", "rows.parquet", "shard.json"])
def test_a_damaged_file_is_named_and_made_again(
    tmp_path: Path, tiny_bert: Path, small_task: Task, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = extractor(tmp_path, tiny_bert).extract(small_task.units).layer(1)
    (path,) = tmp_path.glob(f"*/shard-*/{name}")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ProbingError, match=f"{name}: damaged .* overwrite=missing"):
        extractor(tmp_path, tiny_bert, overwrite="never").extract(small_task.units)
    with caplog.at_level("WARNING", logger="probing"):
        after = extractor(tmp_path, tiny_bert).extract(small_task.units).layer(1)
    assert name in caplog.text
    np.testing.assert_array_equal(before, after)


def test_damage_inside_a_file_is_noticed_when_it_is_read(
    tmp_path: Path, tiny_bert: Path, small_task: Task
) -> None:
    mine = extractor(tmp_path, tiny_bert)
    found = mine.extract(small_task.units)
    (path,) = tmp_path.glob("*/shard-*/layer-02.parquet")
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptFileError) as caught:
        found.layer(2)
    mine.refill(caught.value)
    assert mine.extract(small_task.units).layer(2).shape == (4, 60, 8)


def test_always_makes_its_own_rows_again_and_no_others(
    tmp_path: Path, tiny_bert: Path, small_task: Task
) -> None:
    loads: list[str] = []
    others = [Unit("the green house")]
    extractor(tmp_path, tiny_bert, loads=loads).extract(others)
    extractor(tmp_path, tiny_bert, loads=loads).extract(small_task.units)
    extractor(tmp_path, tiny_bert, loads=loads, overwrite="always").extract(small_task.units[:40])
    assert len(loads) == 3
    extractor(tmp_path, tiny_bert, loads=loads).extract(small_task.units)
    extractor(tmp_path, tiny_bert, loads=loads).extract(others)
    assert len(loads) == 3


def test_other_weights_are_another_key(tmp_path: Path, tiny_bert: Path) -> None:
    other = make_bert(tmp_path / "other", seed=1)
    renamed = make_bert(tmp_path / "renamed")
    key = extractor(tmp_path, tiny_bert).request.key
    assert extractor(tmp_path, other).request.key != key
    assert extractor(tmp_path, renamed).request.key == key


def test_nan_is_an_error_and_leaves_no_cache(tmp_path: Path, small_task: Task) -> None:
    folder = make_bert(tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.attention.self.value.bias"][9] = torch.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ProbingError, match=r"layer 1 head 1: .* not finite"):
        extractor(tmp_path / "out", folder).extract(small_task.units)
    assert not list((tmp_path / "out").glob("*/shard-*"))


def test_a_model_without_heads_says_so(tmp_path: Path, small_task: Task) -> None:
    with pytest.raises(ProbingError, match="mamba"):
        extractor(tmp_path / "out", make_mamba(tmp_path / "mamba")).extract(small_task.units)
    assert not list((tmp_path / "out").glob("*/*"))


def test_overflowing_layers_fall_back_on_single_precision(
    tmp_path: Path, small_task: Task, caplog: pytest.LogCaptureFixture
) -> None:
    folder = make_bert(tmp_path / "loud")
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.attention.self.value.bias"][:] = 1e6
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    half = ExtractConfig(threads=1, storage="float16")
    with caplog.at_level("WARNING", logger="probing"):
        found = extractor(tmp_path / "out", folder, settings=half).extract(small_task.units)
    texts = len({unit.text for unit in small_task.units})
    assert f"float16: {4 * texts} vectors exceed its range and stay float32 (layers 1)" in caplog.text
    assert np.isfinite(found.layer(1)).all()
    np.testing.assert_allclose(found.layer(1), 1e6, rtol=1e-3)
    dtypes = {layer: found.parts[0].shard.vectors(layer, [0])[0].dtype for layer in found.layers}
    assert dtypes == {0: np.float16, 1: np.float32, 2: np.float16}


WORKER = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.representations.test_extract import ExtractConfig, Unit, WORDS_OF, extractor
units = [Unit(text) for text in WORDS_OF(400)]
settings = ExtractConfig(threads=1, batch_tokens=40, commit_seconds=0.02)
loads = []
found = extractor(Path({out!r}), Path({model!r}), settings=settings, loads=loads).extract(units)
print(len(loads), found.layer(1).sum())
"""


def WORDS_OF(count: int) -> list[str]:  # noqa: N802
    return [f"the old dog sees {number} horses ." + " the" * (number % 9) for number in range(count)]


def _start(root: Path, model: Path) -> subprocess.Popen[str]:
    code = WORKER.format(root=str(Path(__file__).parents[2]), out=str(root), model=str(model))
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_killed_and_started_again_it_goes_on_and_gets_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    root = tmp_path / "killed"
    process = _start(root, tiny_bert)
    deadline = time.monotonic() + 60
    while len(list(root.glob("*/shard-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -9, "it was done before it could be killed"
    kept = {path.name for path in root.glob("*/shard-*")}
    assert len(kept) >= 2
    units = [Unit(text) for text in WORDS_OF(400)]
    resumed = extractor(root, tiny_bert).extract(units)
    whole = extractor(tmp_path / "whole", tiny_bert).extract(units)
    assert kept < {path.name for path in root.glob("*/shard-*")}
    assert not list(root.glob("*/tmp-*"))
    for layer in range(3):
        np.testing.assert_allclose(resumed.layer(layer), whole.layer(layer), rtol=1e-4, atol=1e-6)


def test_two_processes_that_want_the_same_extract_it_once(tmp_path: Path, tiny_bert: Path) -> None:
    processes = [_start(tmp_path / "both", tiny_bert) for _ in range(2)]
    answers = [process.communicate()[0].split() for process in processes]
    assert sorted(loads for loads, _ in answers) == ["0", "1"]
    assert answers[0][1] == answers[1][1]
    ids = [name for path in (tmp_path / "both").glob("*/shard-*") for name in _ids(path)]
    assert len(ids) == len(set(ids)) == 400


def _ids(folder: Path) -> list[str]:
    from probing.representations.shard import open_shard

    return open_shard(folder).ids()
