"""What the page is made of: result files as JSON that says what they say, and nothing that can break it."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import probing
from probing.cli.main import main
from probing.errors import ProbingError
from probing.page.collect import collect
from probing.page.document import document
from probing.page.inline import as_json
from probing.page.support import support
from probing.results.baselines import with_baselines
from tests.figures import found
from tests.page.results import rows, top_rows, write

NAN = float("nan")


def embedded(text: str) -> dict[str, Any]:
    """The data of a page, as a browser reads it."""
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    data: dict[str, Any] = json.loads(found)
    return data


def test_a_grid_comes_out_as_it_was_written(tmp_path: Path) -> None:
    frame = rows().sample(frac=1, random_state=0)
    path = write(tmp_path, frame)
    (grid,) = collect(tmp_path).grids
    wanted = frame.sort_values(["layer", "head"])
    assert grid.columns["layer"] == wanted["layer"].tolist()
    assert grid.columns["head"] == wanted["head"].tolist()
    assert grid.columns["test"] == pytest.approx(wanted["test"].tolist(), abs=1e-5)
    assert grid.columns["test_low"] == pytest.approx(wanted["test_low"].tolist(), abs=1e-5)
    assert "selectivity" not in grid.columns
    assert (grid.title, grid.metric, grid.coefficient) == ("test/small", "accuracy", False)
    assert grid.names["model"] == "tiny"
    assert collect(tmp_path).runs[grid.run].file == path.name


def test_what_the_numbers_support_is_counted_as_it_is_defined() -> None:
    frame = with_baselines(rows(layers=1, heads=4)).assign(
        test=[0.9, 0.6, 0.52, NAN], test_low=[0.8, 0.5, NAN, NAN], p_adjusted=[0.01, 0.05, 0.4, NAN]
    )
    found = support(frame.assign(selectivity=[0.2, 0.1, 0.0, NAN], untrained=[0.5, 0.5, NAN, NAN]))
    assert found.best == 0
    assert found.guess == 0.5
    assert found.near_guess == 1  # 0.6's interval reaches 0.5; 0.52 has none and is above
    assert found.significant == 2
    assert found.mean == pytest.approx((0.9 + 0.6 + 0.52) / 3, abs=1e-5)
    assert found.selectivity == pytest.approx(0.1)
    assert found.above_untrained == pytest.approx(0.25)
    correlation = support(frame.assign(metric="pearson", majority=None))
    assert (correlation.guess, correlation.near_guess) == (0.0, 0)
    unscored = support(frame.assign(test=np.nan, test_low=np.nan, p_adjusted=np.nan))
    assert (unscored.best, unscored.mean, unscored.significant) == (None, None, None)


def test_cells_below_guessing_are_no_cells_whose_interval_holds_it(tmp_path: Path) -> None:
    frame = rows(layers=1, heads=4).assign(
        test=[0.9, 0.5, 0.3, 0.2], test_low=[0.8, 0.4, 0.2, NAN], test_high=[0.95, 0.6, 0.4, NAN]
    )
    write(tmp_path, frame)
    (grid,) = collect(tmp_path).grids
    assert grid.sides == [1, 0, -1, None]
    assert (grid.support.bounded, grid.support.near_guess, grid.support.below) == (3, 1, 1)


def test_grids_of_another_metric_are_of_another_scale_and_quick_looks_say_so(tmp_path: Path) -> None:
    write(tmp_path, rows("test/a"))
    write(tmp_path, rows("test/b", shift=2))
    write(tmp_path, rows("test/c", metric="pearson"))
    write(tmp_path, rows("test/a", limit=20, n_train=20, shift=3))
    write(tmp_path, rows("test/a", inner=True, shift=4))
    content = collect(tmp_path)
    scales = {(grid.title, grid.names["limit"], grid.names["origin"]): grid.scale for grid in content.grids}
    assert scales["test/a", "none", "requested"] == scales["test/b", "none", "requested"]
    assert scales["test/a", "none", "requested"] != scales["test/c", "none", "requested"]
    assert {grid.names["origin"] for grid in content.grids} == {"requested", "made by another run"}
    quick = next(grid for grid in content.grids if grid.names["limit"] == "20")
    assert "limit 20" in quick.detail
    assert quick.counted == "n 20 train, 50 dev, 50 test; limit 20"


def test_scores_on_control_labels_stand_beside_the_cell(tmp_path: Path) -> None:
    write(tmp_path, rows())
    write(tmp_path, rows(baseline="control", shift=3))
    plain, control = sorted(collect(tmp_path).grids, key=lambda grid: grid.names["baseline"], reverse=True)
    assert plain.columns["control"] == control.columns["test"]
    gaps = np.subtract(plain.columns["test"], control.columns["test"])  # type: ignore[arg-type]
    assert plain.columns["selectivity"] == pytest.approx(gaps.tolist(), abs=2e-5)
    assert plain.support.selectivity == pytest.approx(gaps.mean(), abs=2e-5)
    assert "control labels" in control.detail


def test_runs_that_agree_in_every_field_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, rows())
    write(tmp_path, rows(n_train=40))
    names = {(grid.names["run"], grid.detail) for grid in collect(tmp_path).grids}
    assert names == {(f"{n} training examples", f"tiny · heads · {n} training examples") for n in (100, 40)}
    write(tmp_path, rows(shift=1))
    assert len({grid.detail for grid in collect(tmp_path).grids}) == 3


def test_several_draws_are_a_mean_between_the_lowest_and_the_highest(tmp_path: Path) -> None:
    write(tmp_path, top_rows())
    content = collect(tmp_path)
    assert not content.grids
    (curve,) = content.curves
    lines = {line.variant: line for line in curve.lines}
    assert lines["top"].n_heads == [1, 2, 4]
    assert lines["top"].test == pytest.approx([0.62, 0.64, 0.68])
    assert lines["top"].heads[1] == "2.1 2.1"
    random = lines["random"]
    assert (random.draws, random.test[0], random.low[0], random.high[0]) == (3, 0.6, 0.5, 0.7)
    assert (lines["last_layer"].layer, lines["best_layer"].test) == (2, [0.8])


def test_steps_are_sorted_as_numbers(tmp_path: Path) -> None:
    for step in (1000, 200, 30):
        write(tmp_path, rows(step=pd.array([step] * 12, dtype="Int64")))
    assert [grid.names["step"] for grid in collect(tmp_path).grids] == ["30", "200", "1000"]


def test_a_damaged_file_is_named_and_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, rows("good"))
    damaged = write(tmp_path, rows("bad"))
    damaged.write_bytes(damaged.read_bytes()[:-30])
    text = probing.report(tmp_path).read_text(encoding="utf-8")
    data = embedded(text)
    assert [grid["title"] for grid in data["grids"]] == ["good"]
    assert [file["file"] for file in data["damaged"]] == [damaged.name]
    assert damaged.name in capsys.readouterr().err


def test_names_cannot_break_out_of_the_page_and_missing_numbers_are_null(tmp_path: Path) -> None:
    nasty = "</script><script>alert(1)</script><!--&amp;\u2028"
    write(tmp_path, rows(nasty).assign(test_low=None, p=float("nan")), {"config": {"task": nasty}})
    text = document(collect(tmp_path))
    assert nasty not in text
    (grid,) = embedded(text)["grids"]
    assert grid["title"] == nasty
    assert "test_low" not in grid["columns"]
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(float("nan"))


def test_the_page_names_nothing_to_fetch(tmp_path: Path) -> None:
    text = document(collect(tmp_path))
    own = re.sub(r'<script type="text/plain" id="plotly">.*?</script>', "", text, flags=re.DOTALL)
    assert len(own) < len(text) / 2
    assert "http://" not in own
    assert "https://" not in own
    assert set(re.findall(r'(?:src|href)="([^"]*)"', own)) == {"data:,", "#grids"}
    assert "default-src 'none'" in own


def test_report_is_a_function_even_after_its_package_is_imported(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    for module in ("probing.page", "probing.page.collect", "probing.page.document"):
        import_module(module)
    assert probing.report(str(tmp_path)) == tmp_path / "report.html"


def test_the_command_prints_where_the_page_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, rows())
    out = tmp_path / "deep" / "page.html"
    assert main(["report", str(tmp_path), f"out={out}"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert len(embedded(out.read_text(encoding="utf-8"))["grids"]) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nowhere"], "nowhere: no such folder"),
        ([".", "ouT=x"], "cannot use 'ouT'"),
        ([".", "second"], "cannot use 'second'"),
        ([".", "out=."], "out=. is a folder"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["report", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_no_folder_is_an_error_and_an_empty_one_a_page(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="no such folder"):
        probing.report(tmp_path / "nowhere")
    data = embedded(probing.report(tmp_path).read_text(encoding="utf-8"))
    assert (data["grids"], data["runs"], data["damaged"]) == ([], [], [])


def test_what_an_analysis_found_comes_out_with_its_unit_interval_and_rank(tmp_path: Path) -> None:
    ablation = found.ablation()
    write(tmp_path, ablation)
    grids = {(grid.names["variant"], grid.metric): grid for grid in collect(tmp_path).grids}
    assert set(grids) == set(zip(ablation["variant"], ablation["metric"], strict=True))
    grid = grids["leave_one_out", "accuracy"]
    wanted = found.of(ablation, "leave_one_out", metric="accuracy").sort_values(["layer", "head"])
    for name in ("value", "value_low", "value_high", "rank", "full"):
        assert grid.columns[name] == pytest.approx(wanted[name].tolist(), rel=1e-5)
    assert grid.found is not None
    assert (grid.found.what, grid.found.label, grid.found.turned) == ("Δ accuracy", "points", True)
    assert grid.found.unit.signed
    assert grid.support.best == int(found.strengths(3, 4).argmax())
    assert grid.support.near_guess == int(((wanted["value_low"] <= 0) & (wanted["value_high"] >= 0)).sum())
    loss = grids["leave_one_out", "loss"]
    assert loss.found is not None
    assert (loss.found.turned, loss.loss, loss.scale == grid.scale) == (False, True, False)


def test_numbers_of_any_size_keep_their_digits(tmp_path: Path) -> None:
    tiny = found.importance().assign(value=lambda frame: frame["value"] * 1e-7)
    write(tmp_path, tiny)
    grid = next(
        grid
        for grid in collect(tmp_path).grids
        if grid.names["variant"] == "per_example" and "normalisation" not in grid.names
    )
    wanted = found.of(tiny, "per_example", normalisation=None)["value"].tolist()
    assert grid.columns["value"] == pytest.approx(wanted, rel=1e-5)


def test_rows_of_no_layer_are_tables(tmp_path: Path) -> None:
    for rows_ in (found.masking(12), found.prune(), found.gates(), rows()):
        write(tmp_path, rows_)
    content = collect(tmp_path)
    tables = {table.names["analysis"]: table for table in content.tables}
    assert {grid.names["analysis"] for grid in content.grids} == {"probe", "prune", "gates"}
    masking = tables["masking"]
    assert masking.headings == ("heads remaining", "iterative", "importance", "ablation", "probe", "random")
    assert masking.lines[0][:2] == ("12", "83.2 %")
    assert masking.lines[-1][0] == "0"
    frame = found.masking(12)
    drawn = frame[(frame["variant"] == "random") & (frame["n_heads"] == 6)]["test"].astype(float) * 100
    ends = f"{drawn.mean():.1f} % [{drawn.min():.1f}, {drawn.max():.1f}]"
    assert next(line[-1] for line in masking.lines if line[0] == "6") == ends
    assert [line[0] for line in tables["prune"].lines] == ["full", "masked", "pruned"]
    assert tables["prune"].lines[0] == ("full", "12", "84.2 %", "83.2 %", "22,000,000", "88.0", "1.5")
    assert [line[0] for line in tables["gates"].lines] == ["0.001", "0.01", "0.1"]
    assert "full model 83.2 %" in tables["gates"].what


def test_probes_stand_before_other_analyses(tmp_path: Path) -> None:
    write(tmp_path, found.ablation(model="tiny"))
    write(tmp_path, rows())
    assert [grid.names["analysis"] for grid in collect(tmp_path).grids][:2] == ["probe", "ablation"]


def test_each_stack_of_a_model_is_a_grid(tmp_path: Path) -> None:
    both = [found.entropy().assign(stack=stack) for stack in ("encoder", "cross")]
    write(tmp_path, pd.concat(both))
    grids = collect(tmp_path).grids
    assert sorted(grid.names["stack"] for grid in grids) == ["cross", "encoder"]
    assert [len(grid.columns["value"]) for grid in grids] == [12, 12]
