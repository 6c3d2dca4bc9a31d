"""Completion in a shell: the script of Hydra's plugin is sourced in bash, and completes lines there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from probing.cli.commands import COMMANDS
from probing.cli.completion import candidates
from probing.config.choices import choices, groups

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# what bash does when Tab is pressed at the end of a line
PRESS = """
eval "$(probing -sc install=bash)"
complete -p probing > /dev/null || exit 3
press() {
    local words=($1)
    COMP_LINE="$1" COMP_POINT=${#1} COMP_CWORD=$((${#words[@]} - 1)) COMPREPLY=()
    case "$1" in *" ") COMP_CWORD=$((COMP_CWORD + 1)) ;; esac
    hydra_bash_completion
    echo "${COMPREPLY[*]}"
}
"""


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return what bash offers at the end of a line."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "probing"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m probing "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def pressed(line: str) -> list[str]:
        done = subprocess.run(
            [bash, "--norc", "-c", f'{PRESS}\npress "$0"', line],
            cwd=folder, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.split()

    return pressed


LINES = [
    ("probing task=grammar/t", ["task=grammar/tense", "task=grammar/top_constituents"]),
    ("probing -m task=grammar/tense,tab", ["task=grammar/tense,table"]),
    ("probing extract.de", ["extract.device="]),
    ("probing probe=mlp probe.nh", ["probe.nhid="]),
    ("probing -q hydra/la", ["hydra/launcher="]),
    ("probing dr", ["draw"]),
    ("probing draw she", ["sheet"]),
    ("probing help analysis=ab", ["analysis=ablation"]),
    ("probing --mul", ["--multirun"]),
]


@pytest.mark.parametrize(("line", "offered"), LINES, ids=[line for line, _ in LINES])
def test_bash_completes(press: Callable[[str], list[str]], line: str, offered: list[str]) -> None:
    assert press(line) == offered


def test_an_empty_line_offers_commands_groups_and_keys(press: Callable[[str], list[str]]) -> None:
    offered = set(press("probing "))
    assert offered >= set(COMMANDS) | {f"{group}=" for group in groups()} | {
        "extract.",
        "seed=",
        "overwrite=",
    }


def test_all_choices_of_a_group_are_offered_and_no_file_that_they_share() -> None:
    assert candidates("task=", lambda _: []) == [f"task={choice}" for choice in choices("task")]


def test_your_own_choices_are_offered(tmp_path: Path) -> None:
    (tmp_path / "task").mkdir()
    (tmp_path / "task" / "mine.yaml").write_text("defaults: [_grammar]\nname: mine\nkind: tense\n")
    assert candidates(f"-cd {tmp_path} task=mi", lambda _: []) == ["task=mine"]


@pytest.mark.parametrize("line", ["--config-dir nowhere task=", "--cfg=x ta", "report ", "agree task="])
def test_nothing_is_offered_where_nothing_is_known(line: str) -> None:
    assert candidates(line, lambda _: ["task="]) == []
