"""Rows for pairs of heads: kept and told apart by the frame, and never taken for cells of a grid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import probing
from probing.cli import main as cli
from probing.errors import ProbingError
from probing.figures.pictures import draw_run, draw_sweep
from probing.io.parquet import read_marked, write_table
from probing.page.collect import collect
from probing.results.schema import COLUMNS, PAIR, SCHEMA, places
from probing.results.store import ResultStore
from probing.results.table import grid_text, part_text, summary
from tests.results.test_load import rows

SAID = (
    r"the rows are for pairs of heads \(columns layer_2 and head_2\), which .* does not show; select rows of"
)


def pairs(**columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Distances of every two of six heads, as an analysis of pairs would return them."""
    single = rows().assign(analysis="distance", probe=None, metric="nats", test=None, dev=None, value=0.5)
    second = single[["layer", "head"]].set_axis(list(PAIR), axis=1)
    both = single.drop(columns=list(PAIR)).merge(second, how="cross")
    one, two = (3 * both[f"layer{end}"] + both[f"head{end}"] for end in ("", "_2"))
    return both[one < two].assign(**columns).reset_index(drop=True)[list(COLUMNS)].astype(COLUMNS)


def keep(root: Path, frame: pd.DataFrame, key: str) -> Path:
    return ResultStore(root / "results", key, "m.t").write(frame.assign(key=key), {})


def test_a_result_is_a_table_of_pairs(tmp_path: Path) -> None:
    keep(tmp_path, pairs(), "a")
    frame = probing.load_results(tmp_path)
    assert len(frame) == 15
    assert frame[list(PAIR)].notna().all(axis=None)
    assert not places(frame).has_duplicates
    assert places(frame.drop(columns=list(PAIR))).has_duplicates
    pd.testing.assert_frame_equal(frame[list(COLUMNS)], pairs(key="a"))


def test_files_of_an_earlier_schema_lack_the_columns_and_are_read(tmp_path: Path) -> None:
    path = keep(tmp_path, rows(), "k")
    table, note, mark = read_marked(path)
    write_table(path, table.drop_columns(list(PAIR)), note, {**mark, "schema": SCHEMA - 1})
    frame = probing.load_results(tmp_path)
    pd.testing.assert_frame_equal(frame[list(COLUMNS)], rows())
    older: Any = frame.drop(columns=list(PAIR))  # of a frame that somebody has kept
    assert probing.grid(older).equals(probing.grid(frame))


@pytest.mark.parametrize(
    "call",
    [
        probing.grid,
        probing.correlations,
        probing.stability,
        probing.concentration,
        probing.layer_profile,
        probing.centre_of_mass,
        probing.measures,
        probing.agreement,
        lambda frame: probing.compare(frame, frame),
        lambda frame: probing.draw_grid(frame, "grid"),
        lambda frame: probing.draw_sheet(frame, "sheet"),
        lambda frame: probing.draw_profiles(frame, "profiles"),
        lambda frame: probing.draw_correlations(frame, "correlations"),
        lambda frame: probing.draw_trajectories(frame.assign(step=1), "trajectories"),
    ],
)
def test_no_picture_or_number_of_single_heads_takes_pairs(call: Callable[[pd.DataFrame], object]) -> None:
    with pytest.raises(ProbingError, match=SAID):
        call(pairs())


def test_pairs_next_to_single_heads_are_left_out() -> None:
    single = rows().assign(analysis="other")
    more = pairs(analysis="other", probe="logistic", metric="accuracy", test=0.9, value=None)
    both: Any = pd.concat([single, more])
    assert probing.grid(both).equals(probing.grid(single))
    assert probing.layer_profile(both).equals(probing.layer_profile(single))
    assert probing.measures(both).equals(probing.measures(single))
    assert grid_text(both).splitlines()[:3] == grid_text(single).splitlines()[:3]
    assert summary(both) == summary(single)
    assert probing.compare(both, single).n == 6


def test_a_run_of_pairs_is_counted_and_not_drawn(tmp_path: Path) -> None:
    for text in (grid_text, summary, part_text):
        assert text(pairs()).splitlines()[-1] == "15 rows for pairs of heads"
    assert draw_run(pairs(), tmp_path) == ()
    assert draw_sweep(pairs(), tmp_path) == ()
    assert not list(tmp_path.iterdir())


def test_the_page_leaves_pairs_out(tmp_path: Path) -> None:
    keep(tmp_path, pairs(), "a")
    assert collect(tmp_path).grids == ()
    keep(tmp_path, rows(), "k")
    (grid,) = collect(tmp_path).grids
    assert len(grid.columns["layer"]) == 6


@pytest.mark.parametrize("command", [["draw", "grid"], ["draw", "sheet"], ["draw", "profiles"], ["agree"]])
def test_commands_say_it_in_one_line(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, pairs(), "a")
    code = cli.main([*command, f"paths.root={tmp_path}", f"out={tmp_path / 'out'}"])
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert code == cli.MISTAKE
    assert line.startswith("probing: the rows are for pairs of heads")
