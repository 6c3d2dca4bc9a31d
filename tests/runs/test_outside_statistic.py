"""A statistic and an analysis of pairs of heads from outside the package: one file and one YAML."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import probing
from probing.cli import main as cli
from probing.representations import passes
from tests.runs.test_run import SMALL

CODE = """
from dataclasses import asdict, dataclass
from itertools import combinations
import torch
from probing.results.schema import as_frame

@dataclass(frozen=True)
class Itself:
    scale: float = 1.0
    name = "itself"
    columns = ("share", "queries")

    def reduce(self, attention):
        real = attention.real.unsqueeze(1)
        shares = attention.weights.diagonal(0, 2, 3).double().masked_fill(~real, 0).sum(2)
        counts = real.sum(2).expand_as(shares)
        return attention.per_unit(torch.stack([self.scale * shares, counts], 2))

@dataclass(frozen=True)
class Distance:
    scale: float = 1.0
    name = "distance"
    uses = "attention"

    @property
    def statistic(self):
        return Itself(self.scale)

    def check(self, task, means):
        pass

    def depends_on(self, means):
        return {"analysis": asdict(self)}

    def units(self, task):
        return [task.units[row] for row in task.rows("dev")]

    def parts(self, context):
        return [0]

    def part_name(self, context, part):
        return "all pairs"

    def run_part(self, context, part):
        found, shares = context.reading.representations, {}
        for layer in found.layers:
            sums = sum(values.sum(0) for _, values in found.blocks(layer))
            shares |= {(layer, head): share / count for head, (share, count) in enumerate(sums)}
        return as_frame([
            {**context.labels, "metric": "share", "layer": one[0], "head": one[1], "layer_2": two[0],
             "head_2": two[1], "value": abs(shares[one] - shares[two]), "n_heads": 2}
            for one, two in combinations(shares, 2)
        ])

    def conclude(self, context, frame):
        return frame
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "outside_statistic.py"
    path.write_text(CODE, encoding="utf-8")
    sys.modules.pop(path.stem, None)
    (tmp_path / "choices" / "analysis").mkdir(parents=True)
    text = "_target_: outside_statistic.Distance\nscale: 1.0\n"
    (tmp_path / "choices" / "analysis" / "distance.yaml").write_text(text, encoding="utf-8")
    return path


def test_it_runs_is_cached_by_its_source_and_ends_in_a_table_of_pairs(
    tmp_path: Path,
    tiny_bert: Path,
    outside: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    batches: list[object] = []
    read = passes.vectors

    def vectors(*args: Any) -> Any:  # noqa: ANN401
        batches.append(args)
        return read(*args)

    monkeypatch.setattr(passes, "vectors", vectors)
    root = tmp_path / "out"
    words = [f"paths.root={root}", "model=hf", f"model.name={tiny_bert}", *SMALL, "analysis=distance",
             f"hydra.searchpath=[file://{tmp_path / 'choices'}]"]  # fmt: skip
    assert cli.main(words) == 0
    assert "66 rows for pairs of heads" in capsys.readouterr().out
    frame = probing.load_results(root)
    assert frame["layer_2"].notna().all()
    assert frame["pooling"].isna().all()
    _check(frame.set_index(["layer", "head", "layer_2", "head_2"])["value"].to_dict(), root, tiny_bert)
    seen = len(batches)
    assert cli.main([*words, "pooling=mean"]) == 0  # found
    assert len(batches) == seen
    outside.write_text(CODE.replace("abs(", "1 + abs("), encoding="utf-8")
    importlib.invalidate_caches()
    importlib.reload(sys.modules[outside.stem])
    assert cli.main(words) == 0  # what has changed may be the statistic
    assert len(batches) == 2 * seen
    assert probing.load_results(root)["value"].max() >= 1


def _check(values: dict[Any, float], root: Path, folder: Path) -> None:
    """The distances by plain transformers, of the texts that the cache holds."""
    (path,) = root.glob("representations/*/shard-*/rows.parquet")
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sums, tokens = np.zeros((3, 4)), 0
    for text in pd.read_parquet(path)["text"]:
        ids = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            attentions = torch.cat(model(ids, output_attentions=True).attentions)
        sums += attentions.diagonal(0, 2, 3).double().sum(2).numpy()
        tokens += ids.shape[1]
    for place, value in values.items():
        one, two = (sums[place[start : start + 2]] / tokens for start in (0, 2))
        assert value == pytest.approx(abs(one - two), abs=1e-7)
