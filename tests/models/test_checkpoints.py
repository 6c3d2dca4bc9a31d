"""Folders and revisions that were saved during training: named by run and step, read in order."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep

import probing
from probing.cli import main as cli
from probing.config.compose import compose_config
from probing.config.sweep import expand
from probing.errors import ProbingError
from probing.models.checkpoints import matching_models, step_of
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from tests.tiny import make_bert

pytestmark = pytest.mark.slow

SMALL = ["task.n_train=60", "task.n_dev=30", "task.n_test=30", "extract.threads=1", "probe.l2=[1e-2]"]


def make_run(folder: Path, steps: tuple[int, ...] = (20, 100, 3)) -> Path:
    """A run folder with checkpoints of different weights and, beside them, what is no checkpoint."""
    for step in steps:
        make_bert(folder / f"checkpoint-{step}", seed=step)
    (folder / "checkpoint-notes").mkdir()
    return folder


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("checkpoint-200", 200),
        ("step_200", 200),
        ("step1000", 1000),
        ("step1000-tokens2B", 1000),
        ("stage1-step4000-tokens17B", 4000),
        ("global_step95000", 95_000),
        ("iter_0001000", 1000),
        ("multiberts-seed_0-step_1000k", 1_000_000),
        ("step-50K-105b", 50_000),
        ("main", None),
        ("misstep3", None),
        ("bert-base-uncased", None),
        ("step1000abc", None),
    ],
)
def test_a_name_tells_its_step(name: str, step: int | None) -> None:
    assert step_of(name) == step


def test_a_checkpoint_is_called_by_its_run_and_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "sst2-run" / "checkpoint-200"
    folder.mkdir(parents=True)
    model = ModelConfig(str(folder))
    assert (model.title, model.step) == ("sst2-run@checkpoint-200", 200)
    assert ModelConfig(str(folder), label="mine").title == "mine@checkpoint-200"
    untrained = ModelConfig(str(folder), pretrained=False)
    assert (untrained.title, untrained.step) == ("sst2-run@checkpoint-200-untrained-0", None)
    monkeypatch.chdir(folder.parent)
    assert ModelConfig("checkpoint-200").title == "sst2-run@checkpoint-200"
    monkeypatch.chdir(folder)
    assert ModelConfig(".").title == "sst2-run@checkpoint-200"


def test_a_revision_is_a_step_and_other_names_are_left_alone() -> None:
    model = ModelConfig("org/pythia", revision="step1000")
    assert (model.title, model.step) == ("pythia@step1000", 1000)
    assert (ModelConfig("org/bert").title, ModelConfig("org/bert").step) == ("bert", None)
    assert ModelConfig("org/checkpoint-5").title == "checkpoint-5"  # on the hub, so no run is above it


def test_a_glob_gives_model_folders_in_the_order_of_their_steps(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a run's, odd")
    names = [Path(path).name for path in matching_models([f"{run}/checkpoint-*"])]
    assert names == ["checkpoint-3", "checkpoint-20", "checkpoint-100"]
    later = matching_models([f"{run}/checkpoint-*"], [f"{run}/checkpoint-3"])
    assert [Path(path).name for path in later] == ["checkpoint-20", "checkpoint-100"]


def test_runs_side_by_side_come_one_after_the_other(tmp_path: Path) -> None:
    for run in ("b", "a"):
        make_run(tmp_path / run, (20, 3))
    found = [Path(path).relative_to(tmp_path) for path in matching_models([f"{tmp_path}/*/checkpoint-*"])]
    assert list(map(str, found)) == ["a/checkpoint-3", "a/checkpoint-20", "b/checkpoint-3", "b/checkpoint-20"]


def test_the_sweeps_argument_is_read_back_by_hydra_whatever_the_path(tmp_path: Path) -> None:
    run = make_run(tmp_path / "it's [odd] = 1", (2, 1))
    pattern = str(run).replace("\\", "\\\\").replace("'", "\\'").replace("[", "[[]")
    value = expand("model.name", f"glob('{pattern}/checkpoint-*')")
    parsed = OverridesParser.create().parse_override(f"model.name={value}").value()
    assert isinstance(parsed, ChoiceSweep)
    assert [getattr(choice, "text", None) for choice in parsed.list] == [
        f"{run}/checkpoint-1",
        f"{run}/checkpoint-2",
    ]


@pytest.mark.parametrize("pattern", ["no-run/checkpoint-*", "checkpoint-notes"])
def test_a_glob_that_finds_no_model_says_so_in_one_line(
    tmp_path: Path, pattern: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run", (1,))
    capsys.readouterr()
    arguments = ["-m", "model=hf", f"model.name=glob({run}/{pattern})", f"paths.root={tmp_path / 'out'}"]
    assert cli.main(arguments) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "matches no folder with a config.json" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", ["glob(runs/checkpoint-*)", "a,b"])
def test_several_models_without_m_are_refused_in_one_line(value: str) -> None:
    with pytest.raises(ProbingError, match=r"is a sweep.*; add -m, as in probing -m") as caught:
        compose_config(["model=hf", f"model.name={value}"])
    assert "\n" not in str(caught.value)


def test_a_sweep_over_a_glob_gives_rows_with_steps_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("draw_run", "draw_sweep"):
        monkeypatch.setattr(f"probing.figures.pictures.{name}", lambda *_: ())
    run = make_run(tmp_path / "my run")
    root = tmp_path / "out"
    command = ["-m", "model=hf", f"model.name=glob({run}/checkpoint-*)", f"paths.root={root}", *SMALL]
    assert cli.main(command) == 0
    printed = capsys.readouterr().out
    assert "3 of 3 jobs done" in printed
    assert printed.rindex("checkpoint-3") < printed.rindex("checkpoint-20") < printed.rindex("checkpoint-100")
    frame = probing.load_results(root)
    named = frame[["model", "step"]].drop_duplicates().sort_values("step")
    assert named["step"].tolist() == [3, 20, 100]
    assert named["model"].tolist() == [f"my run@checkpoint-{step}" for step in (3, 20, 100)]
    grids = [probing.grid(frame, model=model).to_numpy() for model in named["model"]]
    assert (grids[0] != grids[1]).any()


def test_a_tokenizer_above_its_checkpoints_is_theirs(tmp_path: Path, tiny_bert: Path) -> None:
    own = tmp_path / "own" / "checkpoint-7"
    shutil.copytree(tiny_bert, own)
    shared = tmp_path / "shared" / "checkpoint-7"
    shutil.copytree(tiny_bert, shared)
    for path in shared.glob("tokenizer*"):
        path.rename(shared.parent / path.name)
    files = find_files(ModelConfig(str(shared)))
    assert files.tokenizer_folder == shared.parent
    assert files.identity == find_files(ModelConfig(str(own))).identity
    text = "the old farmer sees a dog ."
    tokens = load_model(files, device=torch.device("cpu")).tokenizer(text)["input_ids"]
    expected = load_model(find_files(ModelConfig(str(own))), device=torch.device("cpu")).tokenizer(text)
    assert tokens == expected["input_ids"]
    (shared.parent / "tokenizer.json").write_text("{}")
    assert find_files(ModelConfig(str(shared))).identity != files.identity


def test_only_a_folder_named_by_its_step_borrows_a_tokenizer(tmp_path: Path, tiny_bert: Path) -> None:
    model = tmp_path / "models" / "other"
    shutil.copytree(tiny_bert, model)
    for path in model.glob("tokenizer*"):
        path.rename(model.parent / path.name)
    with pytest.raises(ProbingError, match="has no tokenizer"):
        find_files(ModelConfig(str(model)))


def test_an_own_tokenizer_goes_before_the_one_above(tmp_path: Path, tiny_bert: Path) -> None:
    folder = tmp_path / "run" / "checkpoint-1"
    shutil.copytree(tiny_bert, folder)
    (folder.parent / "tokenizer.json").write_text("{}")
    assert find_files(ModelConfig(str(folder))).tokenizer_folder == folder
