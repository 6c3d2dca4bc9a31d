"""Every shipped experiment runs, on a tiny model and small tasks; so do the studies that read them back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import probing
from experiments.baselines import compare
from experiments.baselines import main as baselines
from experiments.protocol import __main__ as protocol
from experiments.protocol.__main__ import grids, pairs, seeds
from experiments.transformer_anatomy import __main__ as anatomy
from probing.cli import main as cli
from probing.config.choices import choices
from tests.datasets import test_glue as glue
from tests.datasets.test_senteval_pairs import write_sts
from tests.datasets.treebank import made as treebank

pytestmark = pytest.mark.slow

TREC = {
    "ABBR": "What does it stand for", "DESC": "Why is it so", "ENTY": "Which dog was it",
    "HUM": "Who walks near the house", "LOC": "Where is the river", "NUM": "How many horses",
}  # fmt: skip

# experiments over many tasks, cut to those of which there are small files here
SMALLER = {
    "senteval": ["hydra.sweeper.params.task='senteval/trec'", "task.root={data}", "probe.max_epochs=2"],
    "senteval_trec": ["task.root={data}"],
    "protocol": ["hydra.sweeper.params.task='senteval/trec'", "task.root={data}"],
    "similarity": ["hydra.sweeper.params.task='senteval/sts16'", "task.root={data}", "task.sets=[headlines]"],
    "glue": ["hydra.sweeper.params.task='glue/cola,glue/rte'", "task.path={data}"],
    "treebank": ["hydra.sweeper.params.task='treebank/tense,treebank/upos'", "task.path={data}/made.conllu"],
}
GRIDS = {
    "anatomy": 10, "layers": 10, "baselines": 3, "protocol": 1, "poolings": 4, "senteval_trec": 1,
    "uses": 1, "senteval": 1, "similarity": 1, "glue": 2, "treebank": 2,
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


def write_data(root: Path) -> None:
    """A little of everything that the experiments read."""
    write_trec(root)
    write_sts(root, "headlines", ["a dog\tthe dog", "a cat\tthe river", "a house\ta house"], ["4", "0", "5"])
    glue.write(root, "cola")
    glue.write(root, "rte")
    treebank.write(root / "made.conllu", [treebank.simple(clause) for clause in treebank.clauses(150)])


@pytest.mark.parametrize("experiment", choices("experiment"))
def test_an_experiment_runs(tmp_path: Path, tiny_bert: Path, experiment: str) -> None:
    root = tmp_path / "out"
    arguments = [f"paths.root={root}", f"experiment={experiment}", "model=hf", f"model.name={tiny_bert}"]
    arguments += ["extract.threads=1", *SMALLER.get(experiment, [])]
    if experiment not in {"senteval_trec", "similarity", "protocol"}:
        arguments += ["probe.l2=[1e-3,1e-2]"]
    if experiment != "senteval_trec":
        arguments += ["-m"]
    if experiment in {"anatomy", "layers", "baselines", "poolings", "uses"}:
        arguments += ["task.n_train=120", "task.n_dev=60", "task.n_test=60"]
    write_data(tmp_path / "data")
    arguments = [argument.format(data=tmp_path / "data") for argument in arguments]
    assert cli.main(arguments) == 0
    frame = probing.load_results(root)
    assert frame.groupby(["model", "task", "pooling"]).ngroups == GRIDS[experiment]
    assert list(root.glob("runs/*/*.png"))
    if experiment == "uses":
        assert set(frame["analysis"]) == {"probe", "importance", "ablation", "gates", "entropy"}
    if experiment == "baselines":
        assert set(frame["baseline"]) == {"none", "untrained", "control", "permuted"}
        table = compare(frame)
        assert len(table) == 3
        assert (table["heads"] == 12).all()
        assert (table["selectivity"] - (table["test"] - table["control"])).abs().max() < 1e-9
    if experiment == "protocol":
        assert len(pairs(grids(frame))) == 2 * 6
        assert len(seeds(grids(frame))) == 4
        assert protocol.main(["--root", str(root)]) == 0
        assert (root / "protocol" / "senteval-trec.png").is_file()


def test_baselines_that_were_not_run_are_asked_for_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert baselines(["--root", str(tmp_path / "nowhere")]) == 2
    assert baselines(["--root", str(tmp_path)]) == 2
    assert "probing -m experiment=baselines" in capsys.readouterr().err
    assert not (tmp_path / "baselines.csv").exists()


@pytest.mark.parametrize("study", [baselines, protocol.main, anatomy.main])
def test_a_mistake_on_a_studys_command_line_is_one_line(
    study: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert study(["--rood", "x"]) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "--help" in complaint
