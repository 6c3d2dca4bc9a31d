"""Runs of an equal question: which one is meant, and what is said where several are."""

from __future__ import annotations

import pandas as pd
import pytest

import probing
from probing.cli.agree import comparable
from probing.cli.selection import choose
from probing.comparisons.measures import measures
from probing.errors import ProbingError
from probing.results.several import preferred, several
from probing.results.table import grid_text, summary
from tests.results.test_alike import grid


def layers(count: int, **columns: str) -> pd.DataFrame:
    return pd.concat(
        [grid(**columns).assign(layer=[2 * n, 2 * n, 2 * n + 1, 2 * n + 1]) for n in range(count)]
    )


FULL, PART = layers(2, key="full"), layers(1, key="part")


def kept(*frames: pd.DataFrame) -> list[str]:
    return list(preferred(pd.concat(frames))["key"].unique())


def test_of_an_equal_question_the_run_with_more_cells_is_meant() -> None:
    assert kept(PART, FULL) == ["full"]
    assert kept(PART.assign(inner=False), FULL.assign(inner=True)) == ["full"]
    assert kept(PART, FULL.assign(setup="other")) == ["part", "full"]
    assert kept(PART.assign(limit=200), FULL) == ["part", "full"]
    assert kept(PART.assign(layer=9), FULL) == ["part", "full"]
    assert kept(PART.assign(probe="ridge"), FULL) == ["part", "full"]


def test_a_run_that_another_made_on_its_way_gives_way_to_one_that_was_asked_for() -> None:
    same = FULL.assign(key="same", inner=True)
    assert kept(same, FULL) == ["full"]
    assert kept(same.assign(inner=False), FULL) == ["same", "full"]
    assert kept(same) == ["same"]  # it has no rival
    curve = [grid(analysis="masking", variant=name, key=name).assign(layer=None, head=None) for name in "ab"]
    assert kept(curve[0].assign(inner=True), curve[1].assign(inner=False)) == ["b"]


def test_grid_and_the_commands_take_the_run_that_is_meant_and_a_key_names_the_other() -> None:
    frame = pd.concat([PART.assign(inner=True), FULL.assign(inner=False)], ignore_index=True)
    assert probing.grid(frame).shape == (4, 2)
    assert probing.grid(frame, key="part").shape == (2, 2)
    # a layer that both have does not make them equal
    assert probing.grid(frame, layer=0).shape == (1, 2)
    assert set(choose(frame, {"layer": ["0"]})["key"]) == {"full"}
    assert set(choose(frame, {"key": ["part"]})["key"]) == {"part"}
    assert set(comparable(frame, {})["key"]) == {"full"}


def test_one_message_names_what_tells_runs_apart() -> None:
    quick = FULL.assign(key="quick", limit=200, setup="r", n_test=20)
    both = pd.concat([FULL, quick])
    message = r"more than one grid: limit is any of none, 200; name one, limit=\.\.\. \(n_test differs too\)"
    with pytest.raises(ProbingError, match=message):
        probing.grid(both)
    assert probing.grid(both, limit=200).shape == probing.grid(both, limit="none").shape == (4, 2)
    assert set(choose(both, {"limit": ["none"]})["key"]) == {"full"}
    assert set(choose(both, {"limit": ["200"]})["key"]) == {"quick"}
    assert set(comparable(both, {"limit": ["200"]})["key"]) == {"quick"}
    assert "key is any of full, twin; name one, key=" in str(
        several(pd.concat([FULL, FULL.assign(key="twin")]))
    )
    with pytest.raises(
        ProbingError, match="more than task varies: limit is any of none, 200; name one, limit="
    ):
        probing.correlations(pd.concat([FULL, quick.assign(task="u")]))


def test_two_rows_of_one_head_are_refused_among_measures_too() -> None:
    with pytest.raises(ProbingError, match="two rows for layer 0 head 0, of the same grid twice"):
        measures(pd.concat([FULL, FULL]))


def test_the_terminal_says_on_how_many_examples_a_grid_rests_and_what_best_is() -> None:
    rows = FULL.assign(n_train=100, n_dev=50, majority=0.5, limit=100, p_adjusted=0.01)
    *_, sizes, last = grid_text(rows).splitlines()
    assert sizes == "n 100 train, 50 dev, 50 test; limit 100"
    assert "highest test accuracy" in last
    assert "p 0.010, corrected for choosing the best of 8" in last
    assert summary(rows).endswith("; limit 100")
    assert "limit" not in summary(rows.assign(limit=None))
