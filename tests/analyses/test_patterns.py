"""Patterns of attention as a run, and the confusion of their rules on synthetic maps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from experiments.synthetic_maps import confusion
from probing.analyses.map_patterns import PATTERNS
from probing.errors import ProbingError
from probing.results.table import grid_text, summary
from tests import tiny
from tests.analyses.test_head_distance import data


def run(root: Path, model: Path, *more: str) -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.split=split",
                 "extract.threads=1", "analysis=patterns", *more]  # fmt: skip
    return probing.run(arguments, data=data())


def test_synthetic_maps_are_told_apart() -> None:
    found = confusion(40, seed=1)
    assert (found.sum(axis=1) == 40).all()
    right = np.diag(found)
    assert dict(zip(PATTERNS, right, strict=True))["heterogeneous"] == 40
    assert right.min() >= 25
    # a blurred map is taken for a heterogeneous one, never for another pattern
    wrong = found.drop(columns="heterogeneous").to_numpy() * ~np.eye(5, 4, dtype=bool)
    assert wrong.sum() <= 2


@pytest.mark.parametrize("make", [tiny.make_masked, tiny.make_causal, tiny.make_llama, tiny.make_t5])
def test_shares_of_all_patterns_sum_to_1(make: Callable[[Path], Path], tmp_path: Path) -> None:
    frame = run(tmp_path / "out", make(tmp_path / "model"))
    sums = frame.groupby(["layer", "head"])["value"].sum()
    np.testing.assert_allclose(sums, 1)
    assert "block" not in set(frame["variant"])  # of one segment
    most = frame.loc[frame.groupby(["layer", "head"])["value"].idxmax()]
    assert (most["roles"] == most["variant"]).all()
    assert (frame["value_low"] <= frame["value"]).all()


def test_blocks_need_two_segments(tmp_path: Path, tiny_bert: Path) -> None:
    frame = run(tmp_path, tiny_bert, "analysis.segments=2", "analysis.block=0.0", "analysis.line=1.0")
    assert set(frame["variant"]) == set(PATTERNS)
    text = grid_text(frame)
    assert "heads by their most frequent pattern: vertical 0" in text
    assert text.splitlines()[-1] == summary(frame)
    with pytest.raises(ProbingError, match="use granularity=head"):
        run(tmp_path, tiny_bert, "granularity=layer")


def test_uniform_attention_is_heterogeneous(tmp_path: Path, tiny_bert: Path) -> None:
    frame = run(tmp_path, tiny_bert)  # weights so small that its attention is nearly uniform
    assert (frame.loc[frame["variant"] == "heterogeneous", "value"] == 1).all()
