"""Every shipped experiment runs, on a tiny model and small tasks; so do the studies that read them back."""

from __future__ import annotations

from pathlib import Path

import pytest

import probing
from experiments.untrained import compare
from probing import cli
from probing.compose import choices

TREC = {
    "ABBR": "What does it stand for", "DESC": "Why is it so", "ENTY": "Which dog was it",
    "HUM": "Who walks near the house", "LOC": "Where is the river", "NUM": "How many horses",
}  # fmt: skip


def write_trec(root: Path) -> Path:
    """Files of TREC's form: six classes, twelve questions each to train on."""
    folder = root / "downstream" / "TREC"
    folder.mkdir(parents=True)
    for name, count in (("train_5500.label", 12), ("TREC_10.label", 4)):
        lines = [
            f"{label}:x {question} {' near' * number}?"
            for number in range(count)
            for label, question in TREC.items()
        ]
        (folder / name).write_text("\n".join(lines))
    return root


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_an_experiment_runs(tmp_path: Path, tiny_bert: Path, experiment: str) -> None:
    root = tmp_path / "out"
    arguments = [f"paths.root={root}", f"experiment={experiment}", "model=hf", f"model.name={tiny_bert}"]
    arguments += ["extract.threads=1", "probe.l2=[1e-3,1e-2]"]
    if "senteval" in experiment:
        arguments += [f"task.root={write_trec(tmp_path / 'data')}"]
    else:
        arguments += ["-m", "task.n_train=120", "task.n_dev=60", "task.n_test=60"]
    assert cli.main(arguments) == 0
    frame = probing.load_results(root)
    grids = frame.groupby(["model", "task", "pooling"]).ngroups
    assert (
        grids == {"anatomy": 10, "layers": 10, "untrained": 6, "poolings": 4, "senteval_trec": 1}[experiment]
    )
    assert list(root.glob("runs/*/*.png"))
    if experiment == "untrained":
        table = compare(frame)
        assert len(table) == 3
        assert (table["heads"] == 12).all()
