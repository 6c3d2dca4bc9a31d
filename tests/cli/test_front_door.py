"""The front door: flags, commands, suggestions and configurations, a command in each line of the tables."""

from __future__ import annotations

import logging
import os
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from probing import __version__
from probing.cli import main as cli
from probing.cli.commands import COMMANDS
from probing.cli.flags import FLAGS
from probing.cli.overview import overview, summary
from probing.config.choices import choices, groups
from probing.io.log import quiet, showing

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "transformers", "matplotlib", "sklearn"}
MINE = """\
# probing task=mine
# The tense of few sentences.
defaults: [_grammar]
name: mine
kind: tense
n_train: 300 # number of sentences that were collected
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of choices with the task `mine`; its name has characters that Hydra's grammar reserves."""
    folder = tmp_path / "my own, choices"
    (folder / "task" / "few").mkdir(parents=True)
    (folder / "task" / "mine.yaml").write_text(MINE, encoding="utf-8")
    (folder / "task" / "few" / "tense.yaml").write_text(MINE.replace("mine", "few/tense"), encoding="utf-8")
    return folder


def tiny(model: Path, root: Path) -> list[str]:
    """The overrides of a small run."""
    return ["model=hf", f"model.name={model}", "task.limit=20", "extract.threads=1", f"paths.root={root}"]


# a command, and what it prints
PRINTED = [
    ("--version", f"probing {__version__}\n"),
    ("draw --version", f"probing {__version__}\n"),
    ("--help", "what does every attention head"),
    ("-h", "what does every attention head"),
    ("help", "what does every attention head"),
    ("task=grammar/depth --help", "what does every attention head"),
    ("draw --help", "probing draw KIND"),
    ("-h draw", "probing draw KIND"),
    ("draw", "top_heads "),
    ("agree --help", "probing agree [column=value ...]"),
    ("report -h", "probing report [DIR"),
    ("help --help", "probing help [GROUP"),
    ("help draw", "probing draw KIND"),
    ("help pooling", "mean   The mean over all real tokens."),
    ("help paths", "paths.root=outputs"),
    ("help analysis=ablation", "analysis.reference=1000\n    whole number from 1\n    number of train"),
    ("help probe=logistic", "0.01,0.1]\n    list of up to 100 different numbers above 0"),
    ("help task=grammar/depth", "task.n_train=2000"),
    ("help task=grammar/depth", "task.limit=null\n    whole number from 1, or null"),
    ("help task=treebank/tense", "task.path=(must be given)"),
    ("help model=minilm", "model.pretrained=true\n    true or false"),
    ("help experiment=anatomy", "All ten grammar tasks"),
    ("help extract.device", "default auto"),
    ("help task.seed", "with task=grammar/*"),
    ("help model.label", "default gpt2\n      with model=gpt2"),
    ("help seed", "default 1111"),
    ("help figure.order overwrite", "never: redo nothing"),
    ("--cfg", "task:\n  limit: null"),
    ("-c task=grammar/depth", "name: grammar/depth"),
    ("task=grammar/depth --cfg job", "name: grammar/depth"),
    ("--cfg hydra", "dir: ${paths.root}/runs/"),
    ("--cfg=hydra --package hydra.run", "# @package hydra.run\ndir: ${paths.root}"),
    ("--cfg hydra -p hydra.run --resolve", "dir: outputs/runs/"),
    ("-c all -p paths", "# @package paths\nroot: outputs\n"),
    ("--cfg --package task.n_train", "2000\n"),
    ("-sc install=bash", "hydra_bash_completion probing"),
    ("-sc install=fish", "complete -c probing"),
    ("--shell-completion uninstall=bash", "unset hydra_bash_completion"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "printed"), PRINTED, ids=[line for line, _ in PRINTED])
def test_a_command_prints(line: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(shlex.split(line)) == cli.DONE
    assert printed in capsys.readouterr().out


# a command with a mistake, and what the message says
SUGGESTED = [
    ("drw", "unknown command drw; did you mean draw?"),
    ("drw sheet", "unknown command drw; did you mean draw?"),
    ("ablation", "did you mean analysis=ablation?"),
    ("seed", "seed: an option without a value"),
    ("taks=x", "unknown option taks; did you mean task?"),
    ("anlysis=ablation", "did you mean analysis?"),
    ("extract.devic=cpu", "unknown option extract.devic; did you mean extract.device?"),
    ("extrac.device=cpu", "did you mean extract.device?"),
    ("task=table task.pth=", "unknown option task.pth; did you mean task.path?"),
    ("task.pth=", "unknown option task.pth; did you mean task."),
    ("task.path=x.csv", "unknown option task.path; it is a key of task=code and"),
    ("granularity.n=[1]", "it is a key of granularity=top_heads, and the chosen granularity has no such key"),
    ("hydra.run.dri=x", "did you mean hydra.run.dir?"),
    ("-m taks=x,y", "unknown option taks; did you mean task?"),
    ("--multirn", "unknown flag --multirn; did you mean --multirun?"),
    ("draw grid --quite", "unknown flag --quite; did you mean --quiet?"),
    ("--config-dri x", "did you mean --config-dir?"),
    ("--cfg=jobs", "--cfg=jobs is unknown; did you mean job?"),
    ("--quiet=yes", "--quiet takes no value"),
    ("--config-dir", "--config-dir needs a value; give --config-dir DIR"),
    ("--config-dir nowhere", "--config-dir nowhere: no such folder"),
    ("--config-dir . hydra.searchpath=[x]", "--config-dir and hydra.searchpath= name folders of choices"),
    ("--resolve", "--resolve needs --cfg"),
    ("--cfg -p tsk", "--package tsk: there is no such key; did you mean task?"),
    ("draw grid --multirun", "--multirun does not apply to probing draw; see probing draw --help"),
    ("draw grids", "did you mean grid?"),
    ("agree task", "see probing agree --help"),
    ("help anlysis", "there is no anlysis; did you mean analysis?"),
    ("help anlysis=ablation", "unknown group anlysis; did you mean analysis?"),
    ("help analysis=ablations", "there is no analysis=ablations; did you mean ablation?"),
    ("help extract.devic", "did you mean extract.device?"),
    ("help ablation", "did you mean analysis=ablation?"),
    ("-sc", "--shell-completion: give install=bash"),
    ("task=tense", "did you mean grammar/tense or senteval/tense or treebank/tense?"),
    ("tense", "did you mean task=grammar/tense or task=senteval/tense or task=treebank/tense?"),
    ("senteval/mr", "an option without a name; did you mean task=senteval/mr?"),
    ("tasks", "see probing help task"),
    ("run task=grammar/tense", "a run needs no command, only options: probing task="),
    ("list", "did you mean ls?"),
    ("--model minilm", "unknown flag --model; options have no dashes, write model="),
    ("--task.limit=3", "options have no dashes, write task.limit=3"),
    ("draw grid --out mine", "options have no dashes, write out="),
    ("pooling=cls", "did you mean first?"),
    ("limit=50", "unknown option limit; did you mean task.limit?"),
    ("kind=tense", "unknown option kind; did you mean baseline.kind or task.kind?"),
    ("model=/models/mine", "a folder or a model of the hub is model=hf model.name=/models/mine"),
    ("task=reviews.csv", "your own file is task=table task.path=reviews.csv"),
    ("task.limt=5", "did you mean task.limit? expected one of limit, balance, name"),
    ("task=grammar/tense,grammar/depth", "add -m, as in probing -m task=grammar/tense,grammar/depth"),
    ("granularity.layers=0", "give a list, granularity.layers=[0]"),
    ("-sc install=tcsh", "no such shell; expected one of bash, fish, zsh"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "said"), SUGGESTED, ids=[line for line, _ in SUGGESTED])
def test_a_mistake_suggests_the_nearest(
    line: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(line)) == cli.MISTAKE
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_overview_names_every_flag_command_group_and_choice() -> None:
    text = overview()
    for flag in FLAGS:
        assert f"\n  {flag}  " in text
    for command, module in COMMANDS.items():
        assert re.search(rf"\n  {command} +{re.escape(summary(module)[:40])}", text)
    for group in groups():
        (line,) = re.findall(rf"\n  {group}= +(.*(?:\n   .*)*)", text)
        assert {name.partition("/")[0] for name in choices(group)} <= set(re.split(r"[\s,/]+", line))
    assert "other keys    task.limit, task.balance, figure.order, seed, overwrite" in text
    assert max(map(len, text.splitlines())) <= 110
    assert len(text.splitlines()) < 90


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_short_and_has_examples(name: str) -> None:
    usage: str = import_module(COMMANDS[name]).USAGE
    assert usage.startswith(f"probing {name}")
    assert len(re.findall(rf"\n  probing {name}", usage)) >= 2
    assert max(map(len, usage.splitlines())) <= 110
    assert len(usage.splitlines()) <= 40


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "--help", "--version", "help", "help analysis=ablation", "help task.metric", "help extract",
        "draw --help", "agree --help", "-sc install=bash", "--cfg",
    ],
)  # fmt: skip
def test_help_imports_nothing_heavy(line: str) -> None:
    code = (
        "import sys; from probing.cli.main import main; code = main(sys.argv[1:]); "
        f"print(sorted({HEAVY} & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *shlex.split(line)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[] 0", done.stdout[-200:]


@pytest.mark.slow
def test_the_package_is_the_same_command(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "probing", *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    assert run("--version").stdout == f"probing {__version__}\n"
    wrong = run("drw")
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (cli.MISTAKE, "", 1)


def test_a_folder_of_your_own_choices(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flag in (["--config-dir", str(own)], [f"--config-dir={own}"], ["-cd", str(own)]):
        assert cli.main(["--cfg", "task=mine", *flag]) == cli.DONE
        assert "n_train: 300\n  n_dev: 500\n" in capsys.readouterr().out
        assert cli.main([*flag, "help", "task=mine"]) == cli.DONE
        assert "number of sentences that were collected" in capsys.readouterr().out
        assert cli.main([*flag, "help", "task"]) == cli.DONE
        assert "  few/tense " in capsys.readouterr().out
    assert cli.main(["--cfg", "task=mine"]) == cli.MISTAKE
    assert "mine" not in choices("task")


@pytest.mark.slow
def test_a_sweep_over_your_own_choices_is_quiet(
    own: Path, tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swept = ["-m", "task=glob(few/*)", *tiny(tiny_bert, tmp_path / "out"), "seed=1,2"]
    assert cli.main([*swept, "-cd", str(own), "-q"]) == cli.DONE
    said = capsys.readouterr()
    assert said.err == ""
    assert "2 of 2 jobs done" in said.out


@pytest.mark.slow
def test_flags_set_how_much_is_shown(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tiny(tiny_bert, tmp_path / "out")
    shown = {}
    for flag in ("-q", "--quiet", "", "-v", "--verbose", "--debug"):
        assert cli.main([*words, *([flag] if flag else [])]) == cli.DONE
        said = capsys.readouterr()
        assert "best: layer" in said.out
        shown[flag] = said.err
    assert shown["-q"] == shown["--quiet"] == ""
    assert "nothing to extract or train" in shown[""]
    assert "configuration:\n" not in shown[""]
    for flag in ("-v", "--verbose", "--debug"):
        assert "configuration:\n" in shown[flag]
    logs = sorted((tmp_path / "out" / "runs").glob("*/run.log"))
    assert all("nothing to extract or train" in log.read_text(encoding="utf-8") for log in logs[1:])


def test_errors_stay_when_all_else_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-q", "model=hf", "model.name=./nowhere"]) == cli.MISTAKE
    assert capsys.readouterr().err.startswith("probing: ")


def test_quiet_ends_with_the_command() -> None:
    assert cli.main(["--quiet", "--version"]) == cli.DONE
    assert not quiet()
    with showing(logging.ERROR):
        assert quiet()


@pytest.mark.parametrize(
    "words", [["taks=x", "--debug"], ["--debug", "draw", "grids"], ["--debug", "-m", "taks=x,y"]]
)
def test_debug_shows_the_chain_of_an_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == cli.MISTAKE
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert said.splitlines()[-1].startswith("probing: ")
    assert ("ConfigCompositionException" in said) is ("draw" not in words)
    assert cli.main([word for word in words if word != "--debug"]) == cli.MISTAKE
    assert capsys.readouterr().err.count("\n") == 1
