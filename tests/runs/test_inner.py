"""Runs that another run makes on its way, and quick looks: marked, found again, and in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import probing
from probing.cli import main as cli
from probing.cli.agree import comparable
from probing.cli.selection import choose
from probing.page.collect import collect
from probing.results.store import read_result
from tests.figures.frames import written
from tests.runs.test_run import overrides

pytestmark = pytest.mark.slow


def inner(root: Path) -> dict[tuple[str, str, str], bool]:
    """Say for each analysis, granularity and baseline whether another run made it."""
    frame = probing.load_results(root)
    names = ["analysis", "granularity", "baseline"]
    marks = frame.groupby(names)["inner"].agg(["min", "max"])
    assert (marks["min"] == marks["max"]).all()
    rows = marks["max"].reset_index().itertuples(index=False)
    return {(str(row[0]), str(row[1]), str(row[2])): bool(row[3]) for row in rows}


def drawn_grid(root: Path, capsys: pytest.CaptureFixture[str]) -> pd.DataFrame:
    """The table behind what `probing draw grid` draws."""
    assert cli.main(["draw", "grid", f"root={root}", f"out={root / 'drawn'}"]) == 0, capsys.readouterr().err
    return pd.read_csv(root / "drawn.csv")


def test_the_grid_inside_top_heads_is_marked_until_it_is_asked_for(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["granularity.permutations=1", "granularity.draws=1"]
    probing.run(overrides(tmp_path, tiny_bert, "granularity=top_heads", *more))
    assert inner(tmp_path) == {
        ("probe", "head", "none"): True,
        ("probe", "head", "permuted"): True,
        ("probe", "layer", "none"): True,
        ("probe", "top_heads", "none"): False,
    }
    there = probing.grid(probing.load_results(tmp_path), granularity="head", baseline="none")
    grids = collect(tmp_path).grids
    assert {grid.names["origin"] for grid in grids} == {"made by another run"}
    before = {
        path.name: read_result(path, predicted=True) for path in (tmp_path / "results").glob("*.parquet")
    }
    capsys.readouterr()
    frame = probing.run(overrides(tmp_path, tiny_bert))
    assert "nothing to extract or train" in capsys.readouterr().err
    assert not frame["inner"].any()
    assert inner(tmp_path)["probe", "head", "none"] is False
    assert inner(tmp_path)["probe", "layer", "none"] is True
    after = {
        path.name: read_result(path, predicted=True) for path in (tmp_path / "results").glob("*.parquet")
    }
    assert after.keys() == before.keys()
    for name, (rows, note) in after.items():
        pd.testing.assert_frame_equal(rows.drop(columns="inner"), before[name][0].drop(columns="inner"))
        assert note == before[name][1]
    pd.testing.assert_frame_equal(
        there, probing.grid(probing.load_results(tmp_path), granularity="head", baseline="none")
    )
    # what was asked for once stays so, whoever needs it next
    probing.run(overrides(tmp_path, tiny_bert, "granularity=top_heads", *more, "granularity.n=[1]"))
    assert inner(tmp_path)["probe", "head", "none"] is False


def test_the_restricted_grid_beside_a_baseline_does_not_hide_the_whole_one(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = overrides(tmp_path, tiny_bert)
    whole = probing.run(asked)
    assert cli.main([*asked, "baseline=control", "granularity.layers=[0]"]) == 0
    frame = probing.load_results(tmp_path)
    assert len(frame) == 12 + 4 + 4  # all rows are there, the smaller grid marked
    assert frame.groupby("key")["inner"].first().tolist().count(True) == 1
    assert probing.grid(frame, baseline="none").shape == (3, 4)
    assert drawn_grid(tmp_path, capsys)["layer"].nunique() == 3
    assert set(comparable(frame, {})["key"]) == set(whole["key"])
    assert set(choose(frame, {})["key"]) == set(whole["key"])
    assert len(probing.load_predictions(tmp_path, baseline="none").rows) == 12


def test_the_curve_inside_prune_gives_way_to_the_one_that_was_asked_for(
    tmp_path: Path, tiny_bert: Path
) -> None:
    asked = overrides(tmp_path, tiny_bert)
    ranking = ["analysis.ranking=importance", "analysis.share=0.5", "analysis.rounds=1"]
    probing.run([*asked, "analysis=prune", *ranking])
    made = inner(tmp_path)
    assert made["masking", "head", "none"] is made["importance", "head", "none"] is True
    assert made["prune", "head", "none"] is False
    alone = choose(probing.load_results(tmp_path), {"analysis": ["masking"]})
    assert len(alone)
    own = probing.run(
        [*asked, "analysis=masking", "analysis.rankings=[importance,random]", "analysis.step=0.25"]
    )
    frame = probing.load_results(tmp_path)
    assert frame[frame["analysis"] == "masking"]["key"].nunique() == 2
    assert set(choose(frame, {"analysis": ["masking"]})["key"]) == set(own["key"])
    probing.draw_masking(frame, tmp_path / "masking")


def test_a_quick_look_says_its_limit_and_a_limit_that_leaves_nothing_out_is_none(
    tmp_path: Path, tiny_bert: Path
) -> None:
    full = probing.run(overrides(tmp_path, tiny_bert))
    quick = probing.run(overrides(tmp_path, tiny_bert, "task.limit=30"))
    assert full["limit"].isna().all()
    assert quick["limit"].tolist() == [30] * 12
    same = probing.run(overrides(tmp_path, tiny_bert, "task.limit=500"))
    assert set(same["key"]) == set(full["key"])
    frame = probing.load_results(tmp_path)
    assert probing.grid(frame, limit=30).shape == probing.grid(frame, limit="none").shape == (3, 4)
    with pytest.raises(probing.ProbingError, match=r"limit is any of .*; name one, limit="):
        probing.grid(frame)
    grids = {grid.names["limit"]: grid for grid in collect(tmp_path).grids}
    assert set(grids) == {"30", "none"}
    assert "limit 30" in grids["30"].detail
    assert grids["30"].counted == "n 30 train, 30 dev, 30 test; limit 30"
    pictures = written(probing.draw_sheet(frame, tmp_path / "sheet"))
    said = pictures.svg.read_text(encoding="utf-8")
    assert "limit 30" in said
    assert "n 30 train, 30 dev, 30 test" in said
