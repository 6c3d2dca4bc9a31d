"""Text files are UTF-8 whatever the locale, and a run survives without a terminal."""

from __future__ import annotations

import ast
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import probing
from probing.cli import main as cli
from probing.errors import ProbingError, explained
from tests.runs.test_run import SMALL, overrides

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]
CJK = "漢" * 90


def without_encoding(path: Path) -> Iterator[str]:
    """Calls that open a text file and leave its encoding to the locale."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        owner = getattr(getattr(function, "value", None), "id", "")
        texts = [item.value for item in [*node.args, *(word.value for word in node.keywords)]
                 if isinstance(item, ast.Constant) and isinstance(item.value, str)]  # fmt: skip
        opens = name in {"open", "fdopen"} and owner not in {"os", "webbrowser"} and (
            not node.args or isinstance(function, ast.Name) or bool(texts)
        )  # fmt: skip
        binary = any("b" in text for text in texts if set(text) <= set("rwaxbt+"))
        method = isinstance(function, ast.Attribute)  # probing.datasets.lines has a read_text of its own
        if (
            (method and name in {"read_text", "write_text"})
            or name == "FileHandler"
            or (opens and not binary)
        ):
            yield f"{path.relative_to(HERE)}:{node.lineno}"


def test_every_text_file_names_its_encoding() -> None:
    paths = [path for folder in ("probing", "experiments") for path in (HERE / folder).rglob("*.py")]
    assert len(paths) > 200
    assert [place for path in paths for place in without_encoding(path)] == []


def test_the_search_for_encodings_finds_what_it_looks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.io.test_streams.HERE", tmp_path)
    calls = [
        "p.read_text()", "p.write_text(x)", "p.open()", "p.open('w')", "open(x)", "open(x, 'rt')",
        "logging.FileHandler(p)", "p.open('rb')", "os.open(p, 1)", "archive.open(member)",
        "open(x, 'wb')", "p.read_text(encoding='utf-8')",
    ]  # fmt: skip
    path = tmp_path / "a.py"
    path.write_text("\n".join(calls), encoding="utf-8")
    assert list(without_encoding(path)) == [f"a.py:{line}" for line in range(1, 8)]


PROGRAM = f"""
import sys
from probing.cli import main as cli
root, model = sys.argv[1:]
words = [f"paths.root={{root}}", "model=hf", f"model.name={{model}}", "granularity.layers=[0]", *{SMALL!r}]
label = "model.label='" + "\\u6f22" * 90 + "'"
assert cli.main([*words, label]) == 0
sys.stdout = sys.stderr = None
assert cli.main([*words, label, "seed=2"]) == 0
assert cli.main([*words, "model=nope"]) == 2
assert cli.main(["--help"]) == 0
assert cli.main(["report", root]) == 0
"""


def test_names_of_ninety_characters_in_an_ascii_locale_and_without_a_terminal(
    tmp_path: Path, tiny_bert: Path
) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    environment = {**os.environ, **ascii_only, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "out"), str(tiny_bert)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    frame = probing.load_results(tmp_path / "out")
    assert set(frame["model"]) == {CJK}
    assert set(frame["seed"]) == {1111, 2}
    assert probing.load_representations(tmp_path / "out", model=CJK).shape == (160, 1, 4, 8)
    for path in (tmp_path / "out" / "runs").glob("*/config.yaml"):
        assert CJK in path.read_text(encoding="utf-8")
    assert CJK in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_a_reader_that_has_gone_ends_a_command_quietly() -> None:
    command = [sys.executable, "-m", "probing", "--help"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait() == cli.CLOSED
    assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free some space there, or choose another paths.root"),
        (errno.EROFS, "choose another paths.root, on a disk that can be written to"),
        (errno.EACCES, "get permission to write there"),
        (errno.ENAMETOOLONG, "give a shorter name or path"),
    ],
)
def test_what_the_disk_refuses_is_said_with_path_and_remedy(
    tmp_path: Path,
    tiny_bert: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    remedy: str,
) -> None:
    """The error comes from the disk, without a name, while the first shard is written."""
    real = os.fsync

    def refusing(handle: int) -> None:
        if "representations" in str(Path(f"/proc/self/fd/{handle}").readlink()):
            raise OSError(number, os.strerror(number))
        real(handle)

    arguments = overrides(tmp_path / "out", tiny_bert, "granularity.layers=[0]")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refusing)
        assert cli.main(arguments) == 2
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert last.startswith(f"probing: {tmp_path / 'out' / 'representations'}")
        assert f"{os.strerror(number)}; {remedy}" in last
        with pytest.raises(ProbingError, match=remedy):
            probing.run(arguments)
    assert list((tmp_path / "out" / "runs").iterdir()) == []
    assert len(probing.run(arguments)) == 4


def test_errors_without_a_number_are_said_as_they_are() -> None:
    assert explained(OSError("odd")).startswith("writing: odd; fix that")


@pytest.mark.parametrize("mode", [[], ["-m", "seed=1,2"]])
@pytest.mark.parametrize("address", ["s3://bucket/runs", "gs://bucket", "file:///tmp/x", "hf://datasets/a"])
def test_addresses_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    mode: list[str], address: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cli.main([*mode, f"paths.root={address}"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    scheme = address.partition(":")[0]
    assert f"paths.root={scheme}://" in line
    assert "only local folders can be written to so far" in line
    assert list(tmp_path.iterdir()) == []
