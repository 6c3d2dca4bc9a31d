"""Entropy as a run: in parts that resume, from a cache that other runs share, equal to plain transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import probing
from probing.cli import main as cli
from probing.representations import passes as passes_module
from probing.results.store import ResultStore
from tests import tiny

WORDS = tiny.WORDS * 2


def _data() -> pd.DataFrame:
    """Sixty texts, of which those of dev are five to eleven words long."""
    texts = [" ".join(WORDS[row % 30 : row % 30 + 5 + row % 7]) for row in range(60)]
    labels = [str(row // 3 % 2) for row in range(60)]
    return pd.DataFrame({"text": texts, "label": labels, "split": ["train", "dev", "test"] * 20})


def _run(root: Path, model: Path, *more: str, data: pd.DataFrame | None = None) -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.split=split",
                 "extract.threads=1", "analysis=entropy", *more]  # fmt: skip
    return probing.run(arguments, data=_data() if data is None else data)


class Passes:
    """Counts the batches that a model reads, and the runs' parts that are written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches = 0
        self.parts: list[int] = []
        self.die_after: int | None = None
        read, write = passes_module.vectors, ResultStore.write_part

        def vectors(*args: Any) -> Any:  # noqa: ANN401
            self.batches += 1
            return read(*args)

        def write_part(store: ResultStore, part: int, frame: pd.DataFrame) -> None:
            write(store, part, frame)
            self.parts.append(part)
            if part == self.die_after:
                raise KeyboardInterrupt

        monkeypatch.setattr(passes_module, "vectors", vectors)
        monkeypatch.setattr(ResultStore, "write_part", write_part)

    def taken(self) -> tuple[int, list[int]]:
        """The counts since the last call."""
        found = self.batches, self.parts
        self.batches, self.parts = 0, []
        return found


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    return Passes(monkeypatch)


def test_values_are_those_of_plain_transformers(tmp_path: Path, tiny_gpt2: Path) -> None:
    frame = _run(tmp_path, tiny_gpt2)
    model = AutoModel.from_pretrained(tiny_gpt2, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_gpt2)
    data = _data()
    sums, tokens = np.zeros((2, 4)), 0
    for text in set(data["text"][data["split"] == "dev"]):
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            attentions = model(ids, output_attentions=True).attentions
        weights = torch.cat(attentions).double().numpy()  # layers, heads, queries, keys
        sums += -(weights * np.log(np.where(weights > 0, weights, 1))).sum((2, 3))
        tokens += ids.shape[1]
    values = frame.pivot(index="layer", columns="head", values="value").to_numpy(dtype=float)
    np.testing.assert_allclose(values, sums / tokens, rtol=1e-5)
    assert set(frame["n_dev"]) == {20}
    assert frame["pooling"].isna().all()
    assert frame["stack"].isna().all()


def test_an_interrupted_run_keeps_its_layers_and_reads_the_model_once(
    tmp_path: Path, tiny_bert: Path, passes: Passes
) -> None:
    passes.die_after = 1
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "killed", tiny_bert)
    batches, parts = passes.taken()
    assert batches
    assert parts == [0, 1]
    passes.die_after = None
    resumed = _run(tmp_path / "killed", tiny_bert)
    assert passes.taken() == (0, [2])
    whole = _run(tmp_path / "whole", tiny_bert)
    assert passes.taken() == (batches, [0, 1, 2])
    pd.testing.assert_frame_equal(resumed, whole)


def test_another_run_on_the_same_texts_needs_no_model(
    tmp_path: Path, tiny_bert: Path, passes: Passes
) -> None:
    first = _run(tmp_path, tiny_bert)
    assert passes.taken()[0]
    relabelled = _data()
    relabelled["label"] = relabelled["label"].iloc[::-1].to_numpy()
    for more, data in ((["granularity.layers=[1]"], None), ([], relabelled)):
        again = _run(tmp_path, tiny_bert, *more, data=data)
        assert passes.taken()[0] == 0
        both = again.merge(first, on=["layer", "head"])
        assert len(both) == len(again)
        assert (both["value_x"] == both["value_y"]).all()
        assert set(again["key"]) != set(first["key"])
    _run(tmp_path, tiny_bert, "analysis.split=test")
    assert passes.taken()[0]  # of other texts


def test_pooling_plays_no_part(tmp_path: Path, tiny_bert: Path, passes: Passes) -> None:
    keys = {how: set(_run(tmp_path, tiny_bert, f"pooling={how}")["key"]) for how in ("mean", "last")}
    assert keys["mean"] == keys["last"]
    storage = _run(tmp_path, tiny_bert, "extract.storage=float16")  # sums are kept in float64 anyway
    assert set(storage["key"]) == keys["mean"]
    assert passes.taken()[1] == [0, 1, 2]
    (path,) = (tmp_path / "results").glob("*.parquet")
    assert path.name.startswith(f"{tiny_bert.name}.table.head.entropy.")


@pytest.mark.parametrize("name", ["layer-01.parquet", "rows.parquet", "shard.json"])
def test_a_damaged_shard_is_read_again(tmp_path: Path, tiny_bert: Path, passes: Passes, name: str) -> None:
    passes.die_after = 0
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path, tiny_bert)
    passes.taken()
    passes.die_after = None
    (path,) = tmp_path.glob(f"representations/*/shard-*/{name}")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    frame = _run(tmp_path, tiny_bert)
    batches, parts = passes.taken()
    assert batches
    assert parts == [1, 2]
    pd.testing.assert_frame_equal(frame, _run(tmp_path / "whole", tiny_bert))


def test_words_of_one_text_count_for_each_example_and_read_it_once(
    tmp_path: Path, tiny_bert: Path, passes: Passes
) -> None:
    texts = _data()
    words = pd.concat([texts.assign(start=0), texts[texts["text"].str.startswith("the")].assign(start=4)])
    words["end"] = words["start"] + 1
    frame = _run(tmp_path, tiny_bert, "task.start=start", "task.end=end", data=words)
    assert passes.taken()[0]
    assert set(frame["n_dev"]) == {int((words["split"] == "dev").sum())}
    _run(tmp_path, tiny_bert)
    assert passes.taken()[0] == 0  # whole texts, of which all are there


def test_a_layer_that_the_model_lacks_is_one_line(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(
        [f"paths.root={tmp_path}", "model=hf", f"model.name={tiny_bert}", "task=grammar/tense",
         "task.n_train=20", "task.n_dev=10", "task.n_test=10", "analysis=entropy", "granularity.layers=[9]"]
    )  # fmt: skip
    last = capsys.readouterr().err.splitlines()[-1]
    assert code == cli.MISTAKE
    assert last.startswith("probing: granularity.layers: the model has no layer 9; it has 0 to 2")
