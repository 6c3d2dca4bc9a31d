"""Results come back as they were written, and a grid is one grid or an error that says what to name."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from probing.errors import CorruptFileError, ProbingError
from probing.page.collect import collect
from probing.representations import request
from probing.results.schema import COLUMNS, DERIVED, ORDER, SCHEMA, as_frame
from probing.results.store import ResultStore, read_result
from probing.results.table import grid_text
from tests.figures import found


def rows(task: str = "t", seed: int = 0, *, layers: int = 2, heads: int = 3, key: str = "k") -> pd.DataFrame:
    return as_frame(
        [
            {
                "analysis": "probe", "model": "m", "task": task, "granularity": "head", "pooling": "first",
                "probe": "logistic", "seed": seed, "baseline": "none", "layer": layer, "head": head,
                "metric": "accuracy", "dev": 0.5, "test": (layer * heads + head) / 10, "test_low": 0.1,
                "test_high": 0.9, "l2": 0.01, "n_train": 10, "n_dev": 5, "n_test": 5, "n_classes": 2,
                "majority": 0.5,
                "key": key,
            }
            for layer in range(layers)
            for head in range(heads)
        ]
    )  # fmt: skip


def store(root: Path, key: str, title: str = "m.a/b") -> ResultStore:
    return ResultStore(root / "results", key, title)


def test_frames_come_back_with_their_types(tmp_path: Path) -> None:
    path = store(tmp_path, "abc").write(rows(), {"created": "now"})
    assert path.name == "m.a-b.abc.parquet"
    pd.testing.assert_frame_equal(probing.load_results(tmp_path)[list(COLUMNS)], rows())
    assert read_result(path)[1] == {"created": "now"}
    assert dict(probing.load_results(tmp_path).dtypes.astype(str)) == COLUMNS | DERIVED


def test_results_of_several_runs_are_one_frame(tmp_path: Path) -> None:
    store(tmp_path, "a").write(rows("t"), {})
    store(tmp_path, "b").write(rows("u", key="b"), {})
    frame = probing.load_results(tmp_path)
    assert frame.groupby("task").size().to_dict() == {"t": 6, "u": 6}


def test_whole_layers_have_no_head(tmp_path: Path) -> None:
    whole = rows(heads=1).assign(granularity="layer")
    whole["head"] = pd.Series([None, None], dtype="Int64")
    store(tmp_path, "a").write(whole, {})
    frame = probing.load_results(tmp_path)
    assert frame["head"].isna().all()
    assert probing.grid(frame).shape == (2, 1)


def test_a_folder_without_results_is_an_empty_frame_and_no_folder_an_error(tmp_path: Path) -> None:
    assert list(probing.load_results(tmp_path).columns) == list(ORDER)
    assert sorted(ORDER) == sorted([*COLUMNS, *DERIVED])
    with pytest.raises(ProbingError, match="no such folder"):
        probing.load_results(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "frame",
    [
        rows("grammar/tense"),
        rows("senteval/coordination_inversion").assign(model="bert-base-uncased", test=1 / 3),
        found.ablation(6, 12),
        found.importance(6, 12),
    ],
    ids=["probe", "long names", "ablation", "importance"],
)
def test_a_printed_frame_shows_task_layer_head_and_score(frame: pd.DataFrame, tmp_path: Path) -> None:
    store(tmp_path, "k").write(frame.assign(key="k"), {})
    loaded = probing.load_results(tmp_path)
    with pd.option_context("display.max_columns", 0, "display.width", 80, "display.max_rows", 10):
        terminal = str(loaded).splitlines()
    assert max(map(len, terminal)) <= 81  # pandas 2 exceeds its own width by one
    assert {"task", "layer", "head", "value", "test"} <= set(terminal[0].split())
    with pd.option_context("display.max_columns", 20):
        notebook = re.findall(r"<th>(\w+)</th>", loaded._repr_html_())  # type: ignore[operator]
    assert {
        "task", "layer", "head", "model", "analysis", "granularity", "probe", "baseline", "test", "test_low",
        "test_high", "value", "value_low", "value_high", "rank",
    } <= set(notebook)  # fmt: skip


def test_files_with_another_order_of_columns_are_read(tmp_path: Path) -> None:
    turned = rows()[list(reversed(COLUMNS))]
    store(tmp_path, "k").write(turned, {})
    pd.testing.assert_frame_equal(probing.load_results(tmp_path)[list(COLUMNS)], rows())


def test_a_grid_has_layers_down_and_heads_across() -> None:
    grid = probing.grid(pd.concat([rows("t"), rows("u", key="l")]), model="m", task="u")
    assert grid.index.tolist() == [0, 1]
    assert list(map(int, grid.columns)) == [0, 1, 2]
    assert grid.loc[1, 2] == 0.5
    assert probing.grid(rows(), value="dev").loc[0, 0] == 0.5


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({}, r"more than one grid: task is any of t, u; name one, task=\.\.\."),
        ({"task": "v"}, "no result with task='v'; there is t, u"),
        ({"taks": "t"}, "no column 'taks'"),
        ({"value": "tset"}, "no column 'tset'"),
    ],
)
def test_a_grid_that_is_not_one_says_what_to_name(where: dict[str, str], message: str) -> None:
    frame = pd.concat([rows("t"), rows("u")])
    with pytest.raises(ProbingError, match=message):
        probing.grid(frame, **where)


def test_parts_outlive_a_killed_run_and_end_with_the_result(tmp_path: Path) -> None:
    mine = store(tmp_path, "abc")
    mine.write_part(3, rows())
    kept = store(tmp_path, "abc").read_part(3)
    assert kept is not None
    pd.testing.assert_frame_equal(kept, rows())
    assert store(tmp_path, "other").read_part(3) is None
    assert probing.load_results(tmp_path).empty
    mine.write(rows(), {})
    assert mine.read_part(3) is None


def test_damage_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mine = store(tmp_path, "abc")
    path = mine.write(rows(), {})
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(CorruptFileError, match=path.name):
        probing.load_results(tmp_path)
    mine.write_part(0, rows())
    (part,) = (tmp_path / "results").glob(".parts-*/*")
    part.write_bytes(b"PAR1")
    assert mine.read_part(0) is None
    assert "0.parquet: damaged" in caplog.text


def test_the_printed_grid_has_the_input_at_the_bottom_and_marks_the_best() -> None:
    lines = grid_text(rows()).splitlines()
    assert lines[0].split() == ["layer", "0", "1", "2"]
    assert lines[1].split() == ["1", "30.0", "40.0", "50.0*"]
    assert lines[2].split() == ["0", "0.0", "10.0", "20.0"]
    assert lines[3] == "n 10 train, 5 dev, 5 test"
    best = "best: layer 1 head 2, highest test accuracy 50.0% [10.0%, 90.0%]"
    assert lines[4] == f"{best}; mean 25.0%; majority 50.0%"


def test_files_from_before_there_were_baselines_are_results_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("probing.results.store.SCHEMA", SCHEMA - 1)
        store(tmp_path, "k").write(rows().drop(columns=["baseline", "variant", "draw", "p"]), {})
    frame = probing.load_results(tmp_path)
    assert set(frame["baseline"]) == {"none"}
    assert frame[["variant", "draw", "p"]].isna().all(axis=None)


def test_results_of_older_vectors_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The same question, answered from vectors in half precision and from those that a model computed."""
    older, newer = ({"request": {"schema": schema}} for schema in (request.SCHEMA - 1, request.SCHEMA))
    store(tmp_path, "a").write(rows(key="a"), older)
    store(tmp_path, "b").write(rows(key="b"), newer)
    assert set(probing.load_results(tmp_path)["key"]) == {"b"}
    assert "1 results of an older version are left out" in caplog.text
    content = collect(tmp_path)
    assert [run.key for run in content.runs] == ["b"]
    assert [grid.run for grid in content.grids] == [0]
    assert ["an older version" in file.problem for file in content.damaged] == [True]


def test_answers_that_differ_in_their_tenth_digit_stay_apart(tmp_path: Path) -> None:
    """Cosines of first tokens, which are 1 but for that digit."""
    gold = np.linspace(0, 5, 9)
    cosines = 1 - 1e-9 * np.random.default_rng(0).permutation(9)
    frame = rows(layers=1, heads=1).assign(metric="spearman")
    frame["n_classes"] = pd.Series([None], dtype="Int64")
    frame["predicted"] = pd.Series([cosines], dtype=object)
    store(tmp_path, "k").write(frame, {"gold": gold.tolist()})
    np.testing.assert_array_equal(probing.load_predictions(tmp_path).answers, [cosines])
