"""An analysis, a task, a probe and a figure from outside the package, as CONTRIBUTING.md has them."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import probing
from probing.analyses.entropy import EntropyAnalysis
from probing.cli import main as cli
from probing.errors import ProbingError
from probing.figures.kept import drawn_once
from probing.figures.pictures import function_of
from probing.page.collect import collect
from probing.results.finding import Finding, finding_of
from probing.results.table import grid_text
from probing.runs.spec import _plugin
from tests.documents import ROOT, blocks

pytestmark = pytest.mark.slow

PACKAGE = "my_heads"
SENTENCE = re.compile(r"^a head varies in \d\.\d dimensions on average, from \d\.\d to \d\.\d$", re.MULTILINE)
ANALYSIS = ("analysis=dimensions",)
DRAW = ("draw", f"{PACKAGE}.histogram:draw_histogram")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the Python and YAML files of CONTRIBUTING.md."""
    folder = tmp_path_factory.mktemp("desk")
    for language in ("python", "yaml"):
        for block in blocks(ROOT / "CONTRIBUTING.md", language):
            path = folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    return folder


def run(desk: Path, *words: str, plugin: bool = True, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, in the folder `desk`, with the plugin on PYTHONPATH or not."""
    found = [str(ROOT), str(desk)] if plugin else [str(ROOT)]
    return subprocess.run(
        [sys.executable, "-P", "-m", "probing", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(found), "OMP_NUM_THREADS": "1"},
        cwd=desk, capture_output=True, text=True, check=check,
    )  # fmt: skip


@pytest.fixture(scope="module")
def runs(desk: Path, tiny_bert: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """A run of the probe and one of the analysis, on the task, all three from outside."""
    same = [f"hydra.searchpath=[file://{desk / 'conf'}]", "task=parity", "model=hf",
            f"model.name={tiny_bert}", "extract.threads=1"]  # fmt: skip
    return {
        "probe": run(desk, *same, "probe=centroid"),
        "analysis": run(desk, *same, *ANALYSIS),
        "again": run(desk, *same, *ANALYSIS),
    }


@pytest.fixture
def results(
    desk: Path, runs: dict[str, subprocess.CompletedProcess[str]], monkeypatch: pytest.MonkeyPatch
) -> pd.DataFrame:
    """The rows of both runs, in this process, which can import the plugin."""
    assert runs
    monkeypatch.syspath_prepend(desk)
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        monkeypatch.delitem(sys.modules, name)
    finding_of.cache_clear()
    return probing.load_results(desk / "outputs")


def test_a_run_of_the_analysis_prints_its_sentence_and_its_grid(
    runs: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    printed = runs["analysis"].stdout
    assert SENTENCE.search(printed.splitlines()[-1])
    assert re.search(r"^ {4}2( +\d\.\d\*? ?){4}$", printed, re.MULTILINE)
    assert "found as" in runs["again"].stderr
    assert runs["again"].stdout == printed


def test_a_run_of_the_probe_on_the_task_prints_its_score(
    runs: dict[str, subprocess.CompletedProcess[str]],
) -> None:
    assert "best: layer" in runs["probe"].stdout


def test_both_runs_draw_the_pictures_of_their_findings(results: pd.DataFrame, desk: Path) -> None:
    folders = list((desk / "outputs" / "runs").iterdir())
    drawn = [{path.stem for path in folder.glob("*.svg")} for folder in folders]
    assert sorted(map(sorted, drawn)) == [["grid"], ["grid", "histogram"], ["grid", "histogram"]]
    grids = [path.read_text() for path in (desk / "outputs" / "runs").glob("*/grid.svg")]
    assert sum("effective dimensions" in grid for grid in grids) == 2


def test_the_rows_name_the_module_of_the_analysis(results: pd.DataFrame) -> None:
    found, probed = (results[results["analysis"] == name] for name in ("dimensions", "probe"))
    assert set(found["plugin"]) == {f"{PACKAGE}.dimensions"}
    assert probed["plugin"].isna().all()
    assert set(probed["probe"]) == {"centroid"}
    assert set(results["task"]) == {"parity"}
    assert found["value"].between(1, 8).all()
    assert sorted(found["rank"]) == list(range(1, 13))


def test_the_page_has_its_quantity_and_the_command_that_runs_it_again(
    results: pd.DataFrame, desk: Path
) -> None:
    content = collect(desk / "outputs")
    (grid,) = (grid for grid in content.grids if grid.found)
    assert grid.found is not None
    assert (grid.found.what, grid.found.unit.name) == ("effective dimensions", "dimensions")
    command = content.runs[grid.run].command
    assert f"hydra.searchpath=[file://{desk / 'conf'}]" in command
    assert "analysis=dimensions" in command
    assert run(desk, "report").stdout.strip() == "outputs/report.html"
    assert "effective dimensions" in (desk / "outputs" / "report.html").read_text(encoding="utf-8")


def test_agree_takes_the_analysis_as_a_measure_of_what_heads_encode(
    results: pd.DataFrame, desk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = probing.agreement(results, draws=99)
    assert pairs[["first", "second"]].to_numpy().tolist() in (
        [["probe", "dimensions"]], [["dimensions", "probe"]],
    )  # fmt: skip
    assert pairs[["first_kind", "second_kind"]].to_numpy().tolist() == [["encoding", "encoding"]]
    assert cli.main(["agree", f"root={desk / 'outputs'}", f"out={tmp_path / 'pairs'}"]) == 0
    assert "probe and dimensions" in capsys.readouterr().out
    assert list(tmp_path.glob("pairs*.png"))


@pytest.mark.parametrize(("analysis", "column"), [("dimensions", "value"), ("probe", "test")])
def test_draw_takes_the_figure(
    results: pd.DataFrame, desk: Path, tmp_path: Path, analysis: str, column: str
) -> None:
    out = tmp_path / "drawn"
    words = [*DRAW, f"analysis={analysis}", f"root={desk / 'outputs'}", f"out={out}"]
    assert cli.main(words) == 0
    table = pd.read_csv(out.with_suffix(".csv"))
    shown = results[results["analysis"] == analysis][column].astype(float)
    assert sorted(table[column]) == pytest.approx(sorted(shown))
    assert out.with_suffix(".png").stat().st_size


@pytest.mark.parametrize(
    "words",
    [("report", "overwrite=true"), ("agree", "out=pairs"), ("draw", "grid", *ANALYSIS, "value=value")],
)
def test_without_the_module_results_are_shown_with_one_warning(
    results: pd.DataFrame, desk: Path, words: tuple[str, ...]
) -> None:
    done = run(desk, *words, plugin=False)
    (line,) = done.stderr.splitlines()
    assert line == (
        f"analysis dimensions: No module named '{PACKAGE}'; its values are shown without a unit; "
        f"put the folder of {PACKAGE} on PYTHONPATH"
    )


def test_without_the_module_a_grid_is_printed_with_a_plain_finding(
    results: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    finding_of.cache_clear()
    monkeypatch.setitem(sys.modules, f"{PACKAGE}.dimensions", None)
    rows = results[results["analysis"] == "dimensions"]
    with caplog.at_level(logging.WARNING):
        text = grid_text(rows)
    finding_of.cache_clear()
    assert len(caplog.records) == 1
    assert re.search(r"^largest: layer \d head \d, \d\.\d\d; mean \d\.\d\d", text.splitlines()[-1])
    assert "dimensions" not in text


def test_without_the_module_its_figure_is_refused_in_one_line(desk: Path, results: pd.DataFrame) -> None:
    done = run(desk, *DRAW, plugin=False, check=False)
    assert done.returncode == cli.MISTAKE
    assert len(done.stderr.splitlines()) == 1
    assert f"No module named '{PACKAGE}'" in done.stderr


def test_a_figure_that_returns_no_files_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "silent.py").write_text("def draw(rows, path):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ProbingError, match="'silent:draw': returned None; return the files"):
        function_of("silent:draw")(pd.DataFrame(), tmp_path / "picture", "head")


def test_pictures_drawn_by_code_from_outside_are_not_copied(results: pd.DataFrame, tmp_path: Path) -> None:
    calls = []

    def draw() -> tuple[Path, ...]:
        calls.append(0)
        (tmp_path / "grid.png").write_bytes(b"")
        return (tmp_path / "grid.png",)

    for analysis, count in (("dimensions", 2), ("probe", 3)):
        rows = results[results["analysis"] == analysis]
        for _ in range(2):
            assert drawn_once(rows, "head", tmp_path, tmp_path / "kept", draw) == (tmp_path / "grid.png",)
        assert len(calls) == count


def test_a_finding_that_is_something_else_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("FINDING = {}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ProbingError, match=r"wrong.FINDING is a dict; make it a probing.results.finding"):
        finding_of("mine", "wrong")


def test_a_subclass_has_the_finding_of_its_base() -> None:
    class Own(EntropyAnalysis):
        @property
        def name(self) -> str:
            return "own"

    assert _plugin(EntropyAnalysis()) == {}
    named = _plugin(Own())
    assert named == {"plugin": "probing.analyses.entropy"}
    assert finding_of("own", str(named["plugin"])).unit == "nats"
    assert finding_of("nowhere") == Finding()
