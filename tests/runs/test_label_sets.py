"""A csv file with several labels for each example, from the command line to the grid and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import probing
from probing.cli import main as cli
from probing.errors import ProbingError
from probing.results import store
from probing.statistics.metrics import score
from tests.tiny import WORDS

KINDS = {
    "animal": {"dog", "dogs", "cat", "horse", "horses"},
    "person": {"farmer", "farmers"},
    "colour": {"red"},
}


@pytest.fixture
def arguments(tmp_path: Path, tiny_bert: Path) -> list[str]:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS[:-1], size=6)) for _ in range(200)]
    labels = ["|".join(name for name, words in KINDS.items() if words & set(text.split())) for text in texts]
    pd.DataFrame({"text": texts, "label": labels}).to_csv(tmp_path / "sets.csv", index=False)
    return [
        f"paths.root={tmp_path / 'out'}", "model=hf", f"model.name={tiny_bert}", "extract.threads=1",
        "task=table", f"task.path={tmp_path / 'sets.csv'}", "task.label_separator='|'", "pooling=mean",
    ]  # fmt: skip


def test_the_command_prints_a_grid_and_keeps_what_was_answered(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 0
    said = capsys.readouterr()
    assert "labels    3, in train animal (" in said.err
    assert "layer     0     1     2     3" in said.out
    assert "highest test micro_f1" in said.out
    frame = probing.load_results(tmp_path / "out")
    assert len(frame) == 12
    assert set(frame["metric"]) == {"micro_f1"}
    np.testing.assert_array_equal(frame["test"], frame["test_micro_f1"])
    assert (
        frame[["test_low", "test_high", "p", "majority", "test_macro_f1", "test_exact_match"]]
        .notna()
        .all(axis=None)
    )
    assert frame[["test_accuracy", "test_mse"]].isna().all(axis=None)
    kept = probing.load_predictions(tmp_path / "out")
    assert kept.answers.shape == (12, frame["n_test"].iloc[0], 3)
    again = score(torch.from_numpy(kept.answers), torch.from_numpy(kept.gold), "micro_f1")
    np.testing.assert_allclose(again, kept.rows["test"].to_numpy(dtype=float))
    with pytest.raises(ProbingError, match="several labels for each item"):
        probing.compare_heads(kept)


def test_the_same_labels_are_found_again_and_baselines_stand_next_to_them(
    tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, "baseline=control"]) == 0
    assert "above control: mean" in capsys.readouterr().out
    assert cli.main(arguments) == 0
    assert "nothing to extract or train" in capsys.readouterr().err
    frame = probing.load_results(tmp_path / "out")
    asked = frame[frame["baseline"] == "none"]
    assert asked["control"].notna().all()
    assert probing.load_predictions(tmp_path / "out", baseline="none").answers.dtype == bool


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["probe=mlp"], "probe=mlp gives one answer"),
        (["analysis=ablation", "objective=readout"], "objective=readout gives one answer"),
        (["analysis=importance", "objective=classifier"], "objective=classifier gives one answer"),
    ],
)
def test_what_gives_one_answer_refuses_in_one_line(
    arguments: list[str], more: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*arguments, *more]) == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in last
    assert "use probe=logistic" in last or "use objective=lm, or analysis=probe" in last


def test_files_of_an_earlier_schema_lack_these_scores(tmp_path: Path, arguments: list[str]) -> None:
    cli.main([*arguments, "granularity=layer", "granularity.layers=[0]"])
    (path,) = (tmp_path / "out" / "results").glob("*.parquet")
    frame, about = store.read_result(path, predicted=True)
    new = ["test_micro_f1", "test_exact_match"]
    old = store._mark("result", store.key_of(path)) | {"schema": 5}
    store._write(path, frame.drop(columns=new), about, old)
    again = probing.load_results(tmp_path / "out")
    assert again[new].isna().all(axis=None)
    assert again["test"].tolist() == frame["test"].tolist()
