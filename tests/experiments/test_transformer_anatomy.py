"""Every part of the study is made, of a tiny model or of the released accuracies, and says what it should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import probing
from experiments.transformer_anatomy import __main__ as study
from experiments.transformer_anatomy.parts import PARTS
from experiments.transformer_anatomy.presets import PRESETS
from probing.config.choices import choices
from probing.errors import ProbingError
from tests.runs.test_run import SMALL

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny_preset(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = ("grammar/tense", "grammar/length", "grammar/subj_number")
    tiny = replace(
        PRESETS["small"],
        models=("hf",),
        probing=tasks,
        downstream=("grammar/depth", "grammar/obj_number"),
        overrides=(f"model.name={tiny_bert}", *SMALL),
    )
    monkeypatch.setitem(PRESETS, "small", tiny)


@pytest.mark.usefixtures("tiny_preset")
def test_every_part_is_made_by_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert study.main(["all", "--root", str(tmp_path)]) == 0
    folder = tmp_path / "transformer_anatomy" / "small"
    tables = {name: pd.read_csv(folder / f"{name}-table.csv") for name in PARTS}
    assert (len(tables["heatmaps"]), len(tables["layers"]), len(tables["downstream"])) == (5, 3, 2)
    drawn = {path.stem for path in folder.glob("*.png")}
    assert drawn == {"heatmaps", "layers", "localised", "correlations", "clusters", "n_heads"}
    frame = probing.load_results(tmp_path)
    tense = frame[(frame["task"] == "grammar/tense") & (frame["variant"] == "top")]
    row = tables["reconstruction"].set_index("task").loc["grammar/tense"]
    assert row["n"] in tense[tense["dev"] == tense["dev"].max()]["n_heads"].tolist()
    assert row["gain_over_best"] == pytest.approx(row["top_heads"] / row["best_layer"] - 1)
    assert PARTS["localised"].what in capsys.readouterr().out


@pytest.mark.usefixtures("tiny_preset")
def test_a_run_that_fails_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert study.main(["layers", "--root", str(tmp_path), "granularity.layers=[9]"]) == 2
    assert (
        "3 of 3 runs failed, the first: granularity.layers: the model has no layer 9"
        in capsys.readouterr().err
    )


def test_presets_name_choices_that_there_are() -> None:
    for preset in PRESETS.values():
        assert set(preset.tasks("both")) <= set(choices("task"))
        assert set(preset.models) <= set(choices("model"))
        assert len(preset.probing) == 10


@pytest.mark.parametrize("name", list(PARTS))
def test_the_released_accuracies_make_every_part(tmp_path: Path, shared: Path, name: str) -> None:
    path = shared / "reference" / "transformer_anatomy_published.parquet"
    rows = study.published(PARTS[name], path)
    bert = rows[rows["model"] == "bert-base-uncased"]
    table = PARTS[name].make(bert, tmp_path / name)
    tasks = set(bert["task"])
    # of some downstream tasks no whole layers were released
    assert set(table["task"]) == tasks or (name == "downstream" and len(set(table["task"]) & tasks) >= 3)
    if name == "reconstruction":  # the paper's claim: top heads beat every layer
        assert (table["gain_over_best"] > 0).all()


def test_what_was_not_released_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="no such file or folder"):
        study.published(PARTS["layers"], tmp_path / "nowhere")
