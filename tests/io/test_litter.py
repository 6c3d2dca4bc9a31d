"""Files of a dead process are removed, those of a live one stay; names say who owns them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from probing.io.files import discard, file_name, machine, own_name, replace_file
from probing.io.litter import FOREIGN, UNUSED, clean, marks
from probing.io.locks import held, lock_file
from probing.runs.folder import marked, new_run_folder, tidy


def dead() -> int:
    """The number of a process that has ended."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def aged(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.suffix and path.name.startswith((".parts", "tmp-")):
        path.mkdir(exist_ok=True)
    else:
        path.touch()
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_litter_is_known_by_owner_and_age(tmp_path: Path) -> None:
    here, ended = machine(), dead()
    store = tmp_path / "representations" / "key"
    go = [
        aged(tmp_path / "results" / f".tmp-{here}-{ended}-0123456789ab", 0),
        aged(tmp_path / "results" / f".trash-{here}-{ended}-0123456789ab", 0),
        aged(tmp_path / "locks" / f".tmp-{here}-{ended}-0123456789ab", 0),
        aged(tmp_path / "models" / "m" / f".tmp-{here}-{ended}-0123456789ab", 0),
        aged(tmp_path / f".tmp-{here}-{ended}-0123456789ab", 0),
        aged(store / f"tmp-{here}-{ended}-0123456789ab", 0),
        aged(store / f"tmp-00000000-{ended}-0123456789ab", FOREIGN + 60),
        aged(store / "tmp-0123456789abcdef0123456789abcdef", FOREIGN + 60),
        aged(tmp_path / "results" / ".a.parquet.0123456789abcdef0123456789abcdef", FOREIGN + 60),
        aged(tmp_path / "results" / ".0123456789abcdef.lock", UNUSED + 60),
        aged(tmp_path / "locks" / "results-a.lock", UNUSED + 60),
        aged(tmp_path / "results" / ".parts-old", UNUSED + 60),
        aged(tmp_path / "results" / ".parts-done", 0),
    ]
    stay = [
        aged(tmp_path / "results" / f".{own_name('tmp')}", UNUSED + 60),
        aged(store / own_name("tmp"), UNUSED + 60),
        aged(store / f"tmp-00000000-{ended}-0123456789ab", FOREIGN - 60).with_name("shard-0123456789ab"),
        aged(store / f"tmp-11111111-{ended}-0123456789ab", FOREIGN - 60),
        aged(store / "tmp-1123456789abcdef0123456789abcdef", FOREIGN - 60),
        aged(store / "shard-0123456789ab", UNUSED + 60),
        aged(tmp_path / "results" / ".parts-new", UNUSED - 60),
        aged(tmp_path / "results" / "m.t.done.parquet", UNUSED + 60),
        aged(tmp_path / "results" / ".tmp-notes", UNUSED + 60),
        aged(tmp_path / ".mine.parquet.0123456789abcdef0123456789abcdef", UNUSED + 60),
        aged(tmp_path / "locks" / "results-b.lock", UNUSED - 60),
    ]
    clean(tmp_path)
    assert not [path for path in go[:6] + go[7:] if path.exists()]
    assert [path for path in stay if not path.exists()] == []


def test_parts_and_locks_that_somebody_holds_stay(tmp_path: Path) -> None:
    parts = aged(tmp_path / "results" / ".parts-k", UNUSED + 60)
    lock = lock_file(tmp_path / "results", "k")
    child = os.fork()
    with held(lock) if child else held(tmp_path / "other.lock"):
        if child == 0:
            while not lock.exists():
                time.sleep(0.005)
            time.sleep(0.05)
            aged(lock, UNUSED + 60)
            clean(tmp_path)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert parts.is_dir()
        assert lock.exists()
    clean(tmp_path)
    assert not parts.exists()


@pytest.mark.parametrize("end", ["killed", "killed between mark and folder", "alive", "with notes of mine"])
def test_half_runs_go_with_their_process(tmp_path: Path, end: str) -> None:
    folder = tmp_path / "runs" / "now"
    child = os.fork()
    if child == 0:
        with new_run_folder(folder, tmp_path) as made:
            for name in ("run.log", "config.yaml", "grid.png", f".{own_name('tmp')}"):
                (made / name).touch()
            os._exit(0)
    os.waitpid(child, 0)
    (mark,) = (tmp_path / "locks").glob("run-*")
    if end == "killed between mark and folder":
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    elif end == "alive":
        mark.rename(mark.with_name(own_name("run")))
    elif end == "with notes of mine":
        (folder / "notes.txt").touch()
    tidy(tmp_path)
    assert folder.exists() == (end in {"alive", "with notes of mine"})
    assert len(list((tmp_path / "locks").glob("run-*"))) == (end == "alive")


def test_a_job_of_a_sweep_goes_alone(tmp_path: Path) -> None:
    sweep = tmp_path / "runs" / "now-sweep"
    for name in ("0", "1"):
        (sweep / name).mkdir(parents=True)
        (sweep / name / "run.log").touch()
    child = os.fork()
    if child == 0:
        with marked(sweep / "1", tmp_path):
            os._exit(0)
    os.waitpid(child, 0)
    tidy(tmp_path)
    assert [path.name for path in sweep.iterdir()] == ["0"]


def test_a_job_keeps_its_log_where_a_killed_one_had_the_same_folder(tmp_path: Path) -> None:
    """As in a sweep into a folder of a fixed name, which opens the log first."""
    job = tmp_path / "runs" / "fixed" / "0"
    job.mkdir(parents=True)
    (job / "run.log").touch()
    for _ in range(2):
        child = os.fork()
        if child == 0:
            with marked(job, tmp_path):
                os._exit(0)
        os.waitpid(child, 0)
    assert len(list((tmp_path / "locks").glob("run-*"))) == 1
    with marked(job, tmp_path):
        assert (job / "run.log").exists()
        assert len(list((tmp_path / "locks").glob("run-*"))) == 1
    assert (job / "run.log").exists()
    assert not list((tmp_path / "locks").glob("run-*"))


def test_of_many_that_tidy_one_takes_a_folder_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process has seen the same mark, and comes to it when a new run has the folder."""
    folder = tmp_path / "runs" / "fixed"
    child = os.fork()
    if child == 0:
        with new_run_folder(folder, tmp_path):
            os._exit(0)
    os.waitpid(child, 0)
    (mark,) = marks(tmp_path / "locks")
    tidy(tmp_path)
    folder.mkdir()
    (folder / "run.log").touch()
    monkeypatch.setattr("probing.runs.folder.marks", lambda _: iter([mark]))
    tidy(tmp_path)
    assert (folder / "run.log").exists()


def test_what_is_removed_is_out_of_sight_before_it_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shard-1").mkdir()
    (tmp_path / "shard-1" / "file").touch()
    seen: list[list[str]] = []
    monkeypatch.setattr(
        "probing.io.files.delete", lambda path: seen.append([p.name for p in tmp_path.iterdir()])
    )
    discard(tmp_path / "shard-1")
    discard(tmp_path / "nothing")
    (names,) = seen
    assert len(names) == 1
    assert names[0].startswith(f".trash-{machine()}-{os.getpid()}-")


def test_a_file_is_replaced_though_its_empty_folder_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Path.mkdir
    taken: list[Path] = []

    def taking(self: Path, **options: bool) -> None:
        made(self, **options)
        if not taken:
            taken.append(self)
            self.rmdir()

    monkeypatch.setattr(Path, "mkdir", taking)
    replace_file(tmp_path / "folder" / "file", b"content")
    assert taken
    assert (tmp_path / "folder" / "file").read_bytes() == b"content"


@pytest.mark.parametrize("text", ["漢" * 90, "a" * 400, "é/" * 100, "", "org/model"])
def test_names_fit_with_all_that_is_appended(tmp_path: Path, text: str) -> None:
    name = file_name(text)
    assert len(name.encode()) <= 150
    assert name.isascii()
    path = tmp_path / f"{name}.0123456789abcdef.parquet"
    replace_file(path, b"")
    discard(path)
    assert list(tmp_path.iterdir()) == []
