"""One process at a time holds a lock, also while others remove its file and its folder."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from probing.io.locks import BusyError, held, remove


def work(path: Path, marks: Path, rounds: int) -> None:
    for _ in range(rounds):
        with held(path, waiting=""):
            handle = os.open(marks / "inside", os.O_CREAT | os.O_EXCL)  # fails if another one is inside
            time.sleep(0.0005)
            os.close(handle)
            (marks / "inside").unlink()
        remove(path)
        with suppress(OSError):
            path.parent.rmdir()


def test_exclusion_holds_while_lock_files_come_and_go(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "a.lock"
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            with suppress(BaseException):
                work(path, tmp_path, 60)
                code = 0
            os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4


def test_a_lock_that_is_held_is_not_removed_and_one_that_is_free_is(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with held(path):
        child = os.fork()
        if child == 0:
            remove(path)
            os._exit(0)
        os.waitpid(child, 0)
        assert path.exists()
    assert path.exists()
    remove(path)
    assert not path.exists()


def test_who_does_not_wait_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with held(path):
        child = os.fork()
        if child == 0:
            code = 1
            with suppress(BaseException):
                with pytest.raises(BusyError), held(path, wait=False):
                    pass
                code = 0
            os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
