"""Runs that are killed, and runs that get in each other's way; a program that `test_faults` starts.

Everything is imported once. Each run is a fork of this process, so that hundreds of them take a minute.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import probing
import probing.cli.run
import probing.figures.pictures
from probing.config.compose import compose_config
from probing.errors import ProbingError
from probing.figures.save import save_table
from tests.tiny import WORDS, make_bert

Work = Callable[[], object]
ROUNDS, WRITERS = 2, 7
_CHANGES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link"}
_LITTER = re.compile(r"\.?(tmp|trash|run)-[0-9a-f]{8}-.*|\.parts-.*")
_RANDOM = re.compile(r"[0-9a-f]{8}-\d+-[0-9a-f]{12}|shard-[0-9a-f]{12}")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def run(root: Path, *more: str) -> pd.DataFrame:
    """One small run; its picture is a table alone, since pictures take long."""
    small = ["task=table", f"task.path={root.parent / 'table.csv'}", "extract.threads=1", "probe.l2=[0.01]"]
    model = ["model=hf", f"model.name={root.parent / 'tiny'}", "granularity.layers=[0,1]"]
    return probing.run([f"paths.root={root}", *model, *small, *more])


def forked(work: Work) -> int:
    """Do something in a fork of this process, and return how that ended; negative is a signal."""
    child = os.fork()
    if child == 0:
        _child(work)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _child(work: Work) -> None:
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.__stdout__)
    finally:
        sys.__stdout__.flush()  # type: ignore[union-attr]
        os._exit(code)


def killed_before(operation: int, work: Work) -> Work:
    """The same, by a process that is killed before its n-th change of a file or folder."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in _CHANGES or (event == "open" and not (arguments[2] or 0) & _WRITES):
            return
        seen += 1
        if seen == operation:
            os.kill(os.getpid(), signal.SIGKILL)

    def dying() -> None:
        sys.addaudithook(hook)
        work()

    return dying


def check(root: Path, right: pd.DataFrame) -> None:
    """Run again: the right rows come, and nothing is left of the run that was killed."""
    pd.testing.assert_frame_equal(run(root), right)
    found = probing.load_results(root)
    pd.testing.assert_frame_equal(found[list(right)], right)
    left = [str(path.relative_to(root)) for path in root.rglob("*") if _LITTER.fullmatch(path.name)]
    assert not left, left
    for folder in (root / "runs").iterdir():
        assert {path.name for path in folder.iterdir()} == {"run.log", "config.yaml", "task.yaml", "grid.csv"}


def kills(place: Path) -> None:
    """Kill a first run, and one that makes everything again, before every one of their operations."""
    root, whole = place / "out", place / "whole"
    right = run(root)
    root.rename(whole)
    seen: set[str] = set()
    for name in ("missing", "always"):
        count = len(seen)
        run(root, f"overwrite={name}")  # so that all forks know what is composed and generated
        shutil.rmtree(root)
        operation = 0
        code = -signal.SIGKILL
        while code == -signal.SIGKILL:  # until it has done all that it does
            operation += 1
            if name == "always":
                shutil.copytree(whole, root)
            code = forked(killed_before(operation, lambda how=name: run(root, f"overwrite={how}")))  # type: ignore[misc]
            state = _state(root)
            if code == -signal.SIGKILL and state not in seen:
                seen.add(state)
                assert forked(lambda: check(root, right)) == 0, f"{name}: killed before operation {operation}"
            shutil.rmtree(root, ignore_errors=True)
        assert code == 0, f"{name} {operation}: ended with {code}"
        print(
            f"{name}: killed before each of {operation - 1} operations, {len(seen) - count} states",
            file=sys.__stdout__,
        )
        assert operation > 20


def _state(root: Path) -> str:
    """All files with their contents; what names, times and random parts of names say is left out."""
    found = []
    for path in sorted(root.rglob("*")):
        name = _RANDOM.sub("-", str(path.relative_to(root)))
        content = path.read_bytes() if path.is_file() and path.suffix not in {".log", ".parquet"} else b""
        size = path.stat().st_size if path.is_file() else 0
        found.append((name, size, b"" if _LITTER.fullmatch(path.name) else content))
    return repr(sorted(found))


def writers(place: Path) -> None:
    """Let processes write to one new root while another fails there again and again."""
    right = {seed: run(place / "single", f"seed={seed}") for seed in range(WRITERS)}
    for number in range(ROUNDS):
        root = place / f"round-{number}"
        failing = os.fork()
        if failing == 0:
            _child(lambda at=root: _fail(at))  # type: ignore[misc]
        children = []
        for seed in range(WRITERS):
            child = os.fork()
            if child == 0:
                _child(lambda at=root, own=seed: _write(at, own, right[own]))  # type: ignore[misc]
            children.append(child)
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        os.kill(failing, signal.SIGTERM)
        ended = os.waitstatus_to_exitcode(os.waitpid(failing, 0)[1])
        assert codes == [0] * WRITERS, codes
        assert ended == -signal.SIGTERM, f"the failing one ended with {ended}"
        found = probing.load_results(root)
        assert len(found) == sum(map(len, right.values()))
        for seed, rows in right.items():
            own = found[found["seed"] == seed].reset_index(drop=True)
            pd.testing.assert_frame_equal(own[list(rows)], rows)
    print(f"{ROUNDS} rounds of {WRITERS} writers: nothing lost", file=sys.__stdout__)


def _write(root: Path, seed: int, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(run(root, f"seed={seed}"), right)


def _fail(root: Path) -> None:
    mistakes = ["granularity.layers=[99]", "model.name=nowhere"]
    while True:
        for mistake in mistakes:
            with pytest.raises(ProbingError, match=r"99|nowhere"):
                run(root, mistake)


def main(what: str, place: Path) -> None:
    """Do one of the two."""
    torch.set_num_threads(1)
    make_bert(place / "tiny")
    rows = [f"{' '.join(WORDS[row % 7 : row % 7 + row % 5 + 1])} {row},{row % 2}" for row in range(80)]
    (place / "table.csv").write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    sys.stdout = sys.stderr = nowhere
    # what a killed process has written is not lost, unlike that of a machine without power
    setattr(os, "fsync", lambda _: None)  # noqa: B010

    def drawn(rows: pd.DataFrame, folder: Path, _: str) -> tuple[Path, ...]:
        return (save_table(rows, folder / "grid.csv"),)

    compose = cache(compose_config)
    setattr(probing.cli.run, "compose_config", lambda words: compose(tuple(words)))  # noqa: B010
    setattr(probing.figures.pictures, "draw_run", drawn)  # noqa: B010
    try:
        {"kills": kills, "writers": writers}[what](place)
    except BaseException:
        traceback.print_exc(file=sys.__stdout__)
        raise


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
