"""Every part of the study of attention is made of a tiny model, and says what its rows say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import probing
from experiments.attention import __main__ as study
from experiments.attention.parts import PARTS, PUBLISHED, highest
from experiments.attention.presets import PRESETS
from experiments.study import place

pytestmark = [pytest.mark.slow, pytest.mark.real]


def test_every_part_is_made_by_one_command(
    tmp_path: Path,
    tiny_bert: Path,
    shared: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = ("model=hf", f"model.name={tiny_bert}", "extract.device=cpu", "extract.threads=1")
    monkeypatch.setitem(PRESETS, "small", replace(PRESETS["small"], model=model, sentences=(40, 40, 40)))
    treebank = shared / "data/treebanks/UD_English-EWT"
    arguments = ["all", "--treebank", str(treebank), "--root", str(tmp_path)]
    assert study.main(arguments) == 0, capsys.readouterr().err
    folder = tmp_path / "attention" / "small"
    tables = {name: pd.read_csv(folder / f"{name}-table.csv") for name in PARTS}
    frame = probing.load_results(tmp_path)

    of_surface = frame[frame["analysis"] == "surface"]
    shares = tables["surface"].set_index("measure")
    highest = of_surface.groupby("variant")["value"].max()
    assert shares["value"].to_dict() == pytest.approx(highest.to_dict())

    found = frame[(frame["analysis"] == "dependencies") & (frame["rank"] == 1)]
    by_relation = tables["dependencies"].set_index("relation")
    assert set(by_relation.index) == set(found["variant"])
    for relation, row in by_relation.iterrows():
        of_relation = found[found["variant"] == relation]
        assert row["accuracy"] in of_relation["value"].tolist()
        if relation in PUBLISHED:
            assert (row["paper"], row["paper_offset"]) == PUBLISHED[str(relation)]

    heads = tables["distance"]
    tagged = heads[heads["what"].str.startswith("heads tagged")]
    assert tagged["n"].sum() == 12
    assert heads.loc[:1, "n"].tolist() == [3 * 6, 3 * 16]
    probes = tables["probe"]
    trained, untrained = (
        set(probes.loc[probes["weights"] == name, "variant"]) for name in ("trained", "untrained")
    )
    assert trained == untrained | {"right_branching"}
    first = probes.iloc[0]
    assert (first["variant"], first["metric"], first["paper"]) == ("attention_only", "uas", 0.61)
    assert (tables["roles"]["value"] >= tables["roles"]["mean"]).all()
    for name in PARTS:
        assert list(folder.glob(f"{name}*.png")), name


def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert study.main(["surface", "--treebank", str(tmp_path / "none"), "--root", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert study.main(["something", "--treebank", "x"]) == 2


def test_a_missing_value_is_never_the_highest() -> None:
    rows = pd.DataFrame({"layer": [0, 0, 1], "head": [0, 1, 0], "value": [0.5, float("nan"), 0.7]})
    rows.insert(0, "variant", "entropy")
    assert place(highest(rows)) == "1.0"
    assert place(highest(rows.convert_dtypes())) == "1.0"
    assert place(highest(rows.iloc[1:2])) == "0.1"
