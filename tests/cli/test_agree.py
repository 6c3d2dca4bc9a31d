"""`probing agree`: rows of all analyses chosen by column, set beside each other, drawn and written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

import probing
from probing.cli import main as cli
from probing.cli.agree import comparable
from probing.comparisons.measures import head_grids, measure_names, measures
from probing.errors import ProbingError
from probing.figures import pairs_of_measures as drawn
from probing.figures.style import drawing
from probing.results.grid_key import key_of
from tests.figures import found
from tests.figures.frames import frame, texts
from tests.page.results import write

pytestmark = pytest.mark.slow

USUAL = {
    "probe", "importance per_example", "ablation leave_one_out accuracy", "ablation leave_one_out loss",
    "entropy", "gates lambda 0.001", "gates lambda 0.01", "gates lambda 0.1",
}  # fmt: skip


def probes(**columns: str) -> pd.DataFrame:
    settings = {"task": "grammar/tense", "analysis": "probe", **columns}
    return frame(3, 4).assign(**settings)


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    analyses = (
        found.importance(), found.ablation(), found.gates(), found.entropy(), found.masking(), found.prune(),
    )  # fmt: skip
    untrained = probes(baseline="untrained")
    return pd.concat([*analyses, probes(), untrained, frame(granularity="layer")], ignore_index=True)


def names(rows: pd.DataFrame) -> set[str]:
    return set(measure_names(head_grids(rows)))


def test_each_analysis_is_taken_by_the_variant_that_is_a_measure_of_its_own(results: pd.DataFrame) -> None:
    assert names(comparable(results, {})) == USUAL


@pytest.mark.parametrize(
    ("where", "gone", "new"),
    [
        ({"variant": ("per_token",)}, {"importance per_example"}, {"importance per_token"}),
        ({"probe": ("logistic",)}, set(), set()),
        ({"objective": ("readout",)}, set(), set()),
        ({"variant": ("kept",)}, set(), {"prune"}),
    ],
)
def test_a_column_constrains_the_rows_that_have_it(
    results: pd.DataFrame, where: dict[str, tuple[str, ...]], gone: set[str], new: set[str]
) -> None:
    assert names(comparable(results, where)) == USUAL - gone | new


def test_a_run_made_by_another_on_some_layers_does_not_stand_in_the_way() -> None:
    rows = pd.concat([found.importance(key="inner", inner=True), found.ablation()], ignore_index=True)
    some = (rows["key"] != "inner") | (rows["layer"] > 0)
    assert {name.split()[0] for name in names(comparable(rows[some], {}))} == {"ablation"}
    assert {name.split()[0] for name in names(comparable(rows, {}))} == {"ablation", "importance"}
    alone = rows[some & (rows["key"] == "inner")]
    assert names(comparable(alone, {})) == {"importance per_example"}


def test_measures_stand_in_the_order_that_is_asked(results: pd.DataFrame) -> None:
    asked = comparable(results, {"analysis": ("entropy", "importance", "probe")})
    assert list(measures(asked)) == ["entropy", "importance per_example", "probe"]
    assert measures(comparable(results, {})).columns[0] == "probe"


def _with_model(name: str) -> str:
    """The name of a measure among those of several models; the model comes before metric and lambda."""
    first, *rest = name.split(" ")
    kinds = [word for word in rest if word in {"per_example", "leave_one_out"}]
    rest = [word for word in rest if word not in kinds]
    numbers = rest[:2] if rest[:1] == ["lambda"] else []
    return " ".join([first, *kinds, *numbers, *(w for w in rest if w not in numbers), "org/model"])


def test_heads_of_several_models_are_refused_until_they_are_asked_for(results: pd.DataFrame) -> None:
    both = pd.concat([results, probes(model="other")])
    with pytest.raises(
        ProbingError, match="heads of 2 different models cannot be compared; choose one, model="
    ):
        comparable(both, {})
    assert names(comparable(both, {"model": ("org/model", "other")})) == {
        _with_model(name) for name in USUAL
    } | {"probe other"}


def test_the_command_prints_writes_and_answers(
    results: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _, rows in results[results["granularity"] == "head"].groupby("analysis"):
        write(tmp_path, rows[[name for name in rows if name != "majority"]].assign(majority=0.5))
    root, out = f"root={tmp_path}", tmp_path / "out" / "agree"
    assert cli.main(["agree", root, f"out={out}", "analysis=probe,ablation"]) == cli.DONE
    said = capsys.readouterr().out
    table = pd.read_csv(f"{out}.csv")
    expected = probing.agreement(comparable(results, {"analysis": ("probe", "ablation")}))
    pd.testing.assert_frame_equal(table, expected)
    assert f"{expected['rho'][0]:+.2f}" in said.splitlines()[1]
    assert "over 2 pairs of a probe and a measure of use" in said
    for line in said.splitlines()[-9:]:
        assert Path(line).stat().st_size > 0
    assert cli.main(["agree", root, "analysis=masking"]) == cli.MISTAKE
    assert "no results of single heads" in capsys.readouterr().err
    assert cli.main(["agree", root, "variant=per_tok"]) == cli.MISTAKE
    assert "did you mean per_token?" in capsys.readouterr().err


def test_main_measures_are_compared_unless_all_are_requested(
    results: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    every = names(comparable(results, {}, every=True))
    assert every > USUAL
    assert {name.split()[0] for name in every} == {name.split()[0] for name in USUAL}
    for _, rows in results[results["granularity"] == "head"].groupby("analysis"):
        write(tmp_path, rows[[name for name in rows if name != "majority"]].assign(majority=0.5))
    words = ["agree", f"root={tmp_path}", "model=org/model", "baseline=none"]
    assert cli.main([*words, f"out={tmp_path / 'main'}"]) == cli.DONE
    said = capsys.readouterr().out.splitlines()
    count = len(measures(comparable(results, {"baseline": ("none",)})).columns)
    assert f"{count} measures, the main ones of " in said[count * (count - 1) // 2 + 1]
    assert cli.main([*words, f"out={tmp_path / 'all'}", "measures=all"]) == cli.DONE
    said = capsys.readouterr().out.splitlines()
    pairs = len(every) * (len(every) - 1) // 2
    assert said[31] == f"30 of {pairs} pairs, first those of different kinds; the written table has all"
    assert said[32] == f"{len(every)} measures"
    assert len(pd.read_csv(tmp_path / "all.csv")) == pairs
    assert all({"probe", "importance"} <= {*line.split()} for line in said[1:2])
    assert cli.main([*words, "measures=some"]) == cli.MISTAKE
    assert "measures=some: give measures=main or measures=all" in capsys.readouterr().err


def test_the_matrix_has_all_heads_below_its_diagonal_and_layers_above(
    results: pd.DataFrame, tmp_path: Path
) -> None:
    rows = comparable(results, {})
    files = probing.draw_agreement(rows, tmp_path / "a.png").files
    assert files is not None
    pairs = {frozenset((pair["first"], pair["second"])): pair for _, pair in pd.read_csv(files[0]).iterrows()}
    assert {path.name for path in files} == {"a.csv"} | {
        f"a-{kind}.{ending}" for kind in ("matrix", "scatter") for ending in ("png", "svg", "pdf", "csv")
    }
    matrix = pd.read_csv(tmp_path / "a-matrix.csv", index_col="measure")
    assert set(matrix) == set(matrix.index) == USUAL
    for row, one in enumerate(matrix):
        for column, other in enumerate(list(matrix)[:row]):
            pair = pairs[frozenset((one, other))]
            assert matrix.iloc[row, column] == pytest.approx(pair["rho"])
            assert matrix.iloc[column, row] == pytest.approx(pair["rho_within_layers"])
    assert any("above it within layers" in text for text in texts(tmp_path / "a-matrix.svg"))


def scatters(rows: pd.DataFrame) -> Figure:
    pairs, table = probing.agreement(rows, draws=9), measures(rows)
    grids = head_grids(rows)
    kinds = [drawn._measure(name, grid) for name, grid in zip(map(str, table), grids, strict=True)]
    with drawing():
        return drawn.agreement_figure(table, kinds, pairs, [key_of(grid) for grid in grids], len(pairs))


def dots(axes: Axes) -> list[PathCollection]:
    return [mark for mark in axes.collections if isinstance(mark, PathCollection)]


def test_a_dot_stands_for_a_head_and_more_needed_is_further_out(results: pd.DataFrame) -> None:
    rows = comparable(results, {"analysis": ("probe", "ablation"), "metric": ("accuracy",)})
    figure = scatters(rows)
    (mark,) = dots(figure.axes[0])
    table = measures(rows)
    np.testing.assert_allclose(np.asarray(mark.get_offsets()), table.to_numpy())
    needs = np.asarray(mark.get_offsets())[:, 1]
    assert needs.argmax() == found.strengths(3, 4).argmax()
    colours = np.asarray(mark.get_array())
    np.testing.assert_array_equal(colours, table.index.get_level_values("layer").to_numpy(dtype=float))
    said = [text.get_text() for text in figure.texts]
    assert any(text.startswith("ρ ") for text in said)  # noqa: RUF001
    assert "ablation leave_one_out (−Δ points)" in figure.axes[0].get_ylabel()  # noqa: RUF001


def test_of_many_pairs_those_of_the_first_measure_are_drawn(results: pd.DataFrame, tmp_path: Path) -> None:
    probing.draw_agreement(comparable(results, {}), tmp_path / "many")
    table = pd.read_csv(tmp_path / "many-scatter.csv")
    assert set(table["first"]) == {"probe"}
    assert set(table["second"]) == USUAL - {"probe"}
    assert "7 of 28 pairs" in " ".join(texts(tmp_path / "many-scatter.svg"))


def test_stacks_of_a_model_have_their_own_marks(results: pd.DataFrame) -> None:
    rows = comparable(results, {"analysis": ("importance", "ablation"), "metric": ("loss",)})
    both = pd.concat([rows.assign(stack="encoder"), rows.assign(stack="decoder")])
    figure = scatters(both)
    assert [mark.get_label() for mark in dots(figure.axes[0])] == ["encoder", "decoder"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["encoder", "decoder"]
