"""Every part of the study is made of a tiny model; the p of a removal agrees with its interval."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import probing
from experiments.sixteen_heads import __main__ as study
from experiments.sixteen_heads.parts import PARTS, p_values
from experiments.sixteen_heads.presets import PRESETS
from tests.runs.test_run import SMALL

pytestmark = pytest.mark.slow

TASKS = ("grammar/tense", "grammar/subj_number")


def test_every_part_is_made_by_one_command(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = replace(PRESETS["small"], tasks=TASKS, overrides=("model=hf", f"model.name={tiny_bert}", *SMALL))
    monkeypatch.setitem(PRESETS, "small", tiny)
    assert study.main(["all", "--root", str(tmp_path)]) == 0, capsys.readouterr().err
    tables = {name: pd.read_csv(tmp_path / "sixteen_heads" / "small" / f"{name}-table.csv") for name in PARTS}
    frame = probing.load_results(tmp_path)
    frame = frame[~frame["inner"].fillna(value=False).astype(bool)]

    ablated = frame[(frame["variant"] == "leave_one_out") & (frame["metric"] == "accuracy")]
    worst = ablated.groupby("task")["value"].min()
    assert (tables["remove"]["heads"] == 12).all()
    assert tables["remove"].set_index("task")["worst_delta"].to_dict() == pytest.approx(worst.to_dict())

    alone = tables["alone"].sort_values(["task", "layer"])
    best = frame[frame["variant"] == "only_best"].sort_values(["task", "layer"])
    assert alone[["task", "layer", "head"]].to_numpy().tolist() == (
        best[["task", "layer", "head"]].to_numpy().tolist()
    )
    assert alone["delta"].tolist() == pytest.approx(best["value"].tolist())

    by_loss = frame[(frame["variant"] == "leave_one_out") & (frame["metric"] == "loss")]
    sides = [by_loss[by_loss["task"] == task].set_index(["layer", "head"])["value"] for task in TASKS]
    (pair,) = (row for _, row in tables["transfer"].iterrows())
    assert pair["rho"] == pytest.approx(sides[0].astype(float).corr(sides[1].astype(float), "spearman"))

    assert set(tables["curve"]["ranking"]) == {"iterative", "importance", "ablation", "probe", "random"}
    pruned = tables["prune"].set_index("task")
    counted = frame[(frame["metric"] == "parameters") & (frame["task"] == TASKS[0])]
    sizes = counted.set_index("variant")["value"]
    assert pruned.loc[TASKS[0], "parameters_ratio"] == pytest.approx(sizes["pruned"] / sizes["full"])
    assert (pruned["masked_test"] - pruned["pruned_test"]).abs().max() < 0.05
    assert set(tables["agree"]["task"]) == set(TASKS)
    named = set(tables["agree"]["first"]) | set(tables["agree"]["second"])
    assert {name.split()[0] for name in named} == {"probe", "importance", "ablation", "entropy"}
    assert len(named) == 4


def test_p_is_small_exactly_where_the_interval_leaves_0_out() -> None:
    rng = np.random.default_rng(0)
    value = rng.normal(size=400)
    low, high = value - rng.exponential(size=400), value + 3 * rng.exponential(size=400)
    p = p_values(pd.DataFrame({"value": value, "value_low": low, "value_high": high}))
    np.testing.assert_array_equal(p < 0.05, (low > 0) | (high < 0))


def test_p_of_a_symmetric_interval_is_that_of_the_normal_distribution() -> None:
    frame = pd.DataFrame({"value": [-3.0, 2.0, 0.0]}).assign(
        value_low=lambda f: f["value"] - norm.ppf(0.975), value_high=lambda f: f["value"] + norm.ppf(0.975)
    )
    frame.loc[2, ["value_low", "value_high"]] = 0.0
    assert p_values(frame) == pytest.approx([2 * norm.sf(3), 2 * norm.sf(2), 1])
