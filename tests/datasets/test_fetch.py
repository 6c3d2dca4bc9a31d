"""Fetching from a server that misbehaves: a file in the cache is complete, or it is not there."""

from __future__ import annotations

import hashlib
import io
import socket
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from probing.datasets.fetching import Download, FetchError, cache_folder, download, obtain, transfer
from probing.errors import ProbingError
from tests.datasets.host import Host, serving

BODY = bytes(range(256)) * 2000


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(transfer, "PAUSES", (0.0, 0.0))
    with serving() as made:
        yield made


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")}


@pytest.mark.parametrize("digest", [None, sha256(BODY)])
def test_a_file_is_downloaded_with_nothing_left_beside_it(
    host: Host, tmp_path: Path, digest: str | None
) -> None:
    path = tmp_path / "deep" / "file"
    assert download(host.add("/file", BODY), path, digest) == sha256(BODY)
    assert path.read_bytes() == BODY
    assert names(tmp_path) == {"file"}


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("versions", [True, False])
def test_a_cut_connection_is_resumed_where_the_server_can(
    host: Host, tmp_path: Path, ranges: bool, versions: bool
) -> None:
    host.ranges, host.versions = ranges, versions
    download(host.add("/file", BODY, "cut"), tmp_path / "file", sha256(BODY))
    assert (tmp_path / "file").read_bytes() == BODY
    assert host.asked == [("/file", None), ("/file", f"bytes={len(BODY) // 2}-")]


def test_without_version_and_digest_nothing_is_pieced_together(host: Host, tmp_path: Path) -> None:
    host.versions = False
    download(host.add("/file", BODY, "cut"), tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert host.asked == [("/file", None), ("/file", None)]


def test_a_later_run_goes_on_with_what_an_earlier_one_left(host: Host, tmp_path: Path) -> None:
    url = host.add("/file", BODY, "cut", "503", "503")
    with pytest.raises(FetchError, match="HTTP 503"):
        download(url, tmp_path / "file")
    assert names(tmp_path) == {"file.part", "file.part.version"}
    host.asked.clear()
    download(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == BODY
    assert host.asked == [("/file", f"bytes={len(BODY) // 2}-")]


@pytest.mark.parametrize("versions", [True, False])
def test_halves_of_two_versions_are_never_joined(host: Host, tmp_path: Path, versions: bool) -> None:
    host.versions = versions
    url = host.add("/file", BODY, "cut", "503", "503")
    with pytest.raises(FetchError):
        download(url, tmp_path / "file", sha256(BODY))
    newer = BODY[::-1]
    host.add("/file", newer)
    assert download(url, tmp_path / "file", sha256(newer)) == sha256(newer)
    assert (tmp_path / "file").read_bytes() == newer


def test_what_was_whole_before_the_rename_is_not_asked_for_again(host: Host, tmp_path: Path) -> None:
    url = host.add("/file", BODY)
    (tmp_path / "file.part").write_bytes(BODY)
    assert download(url, tmp_path / "file", sha256(BODY)) == sha256(BODY)
    (tmp_path / "more.part").write_bytes(BODY + b"more")
    assert download(url, tmp_path / "more", sha256(BODY)) == sha256(BODY)


def test_a_body_that_stays_short_is_noticed(host: Host, tmp_path: Path) -> None:
    host.ranges = False
    url = host.add("/file", BODY, *["cut"] * 9)
    with pytest.raises(FetchError, match=f"cut off after {len(BODY) // 2} of {len(BODY)} bytes"):
        download(url, tmp_path / "file")
    assert not (tmp_path / "file").exists()


def test_a_wrong_checksum_leaves_nothing_to_be_read(host: Host, tmp_path: Path) -> None:
    with pytest.raises(
        FetchError, match=f"/file: its SHA-256 is {sha256(b'other')} instead of {sha256(BODY)}"
    ):
        download(host.add("/file", b"other"), tmp_path / "file", sha256(BODY))
    assert names(tmp_path) == set()


def test_what_may_pass_is_tried_again_and_what_will_not_is_not(host: Host, tmp_path: Path) -> None:
    download(host.add("/busy", BODY, "503", "503"), tmp_path / "busy")
    assert (tmp_path / "busy").read_bytes() == BODY
    host.asked.clear()
    with pytest.raises(FetchError, match="/gone: HTTP 404 Not Found"):
        download(host.url("/gone"), tmp_path / "gone")
    assert host.asked == [("/gone", None)]
    with pytest.raises(FetchError, match=r"connection refused"):
        download(f"http://127.0.0.1:{closed_port()}/file", tmp_path / "none")


def test_a_full_or_forbidden_disk_is_one_line(host: Host, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ProbingError, match=r"taken/file: .*; make room or set PROBING_CACHE") as caught:
        download(host.add("/file", BODY), tmp_path / "taken" / "file")
    assert "\n" not in str(caught.value)


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_a_file_of_the_cache_is_fetched_once_and_again_if_damaged(host: Host, tmp_path: Path) -> None:
    source = Download(host.add("/file", BODY), sha256(BODY))
    path = obtain(tmp_path / "a" / "file", [source], tmp_path / "downloads")
    assert obtain(path, [source], tmp_path / "downloads").read_bytes() == BODY
    assert len(host.asked) == 1
    assert (tmp_path / "a" / "file.sha256").read_text() == f"{sha256(BODY)}  {source.url}\n"
    path.write_bytes(BODY[:-1])
    assert obtain(path, [source], tmp_path / "downloads").read_bytes() == BODY
    assert len(host.asked) == 2


def test_without_a_published_digest_the_first_download_sets_it(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = Download(host.add("/file", BODY))
    path = obtain(tmp_path / "file", [source], tmp_path / "downloads")
    assert f"no checksum is published; its SHA-256 {sha256(BODY)} is kept" in caplog.text
    path.unlink()
    host.add("/file", b"something else")
    with pytest.raises(
        FetchError, match=f"instead of {sha256(BODY)}.*that of the first download is in .*file.sha256"
    ):
        obtain(path, [source], tmp_path / "downloads")
    assert not path.exists()


def test_a_file_put_there_by_hand_must_be_the_published_one(host: Host, tmp_path: Path) -> None:
    source = Download(host.url("/never/asked"), sha256(BODY))
    (tmp_path / "file").write_bytes(BODY)
    assert obtain(tmp_path / "file", [source], tmp_path / "downloads").read_bytes() == BODY
    (tmp_path / "file").write_bytes(b"other")
    with pytest.raises(ProbingError, match="so it is not the published file; remove it"):
        obtain(tmp_path / "file", [source], tmp_path / "downloads")
    assert (tmp_path / "file").read_bytes() == b"other"
    assert host.asked == []


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as packed:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("top/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    return stream.getvalue()


def shouted(lines: Iterable[bytes]) -> Iterator[bytes]:
    return (line.upper() for line in lines)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_one_file_of_an_archive_is_read_and_nothing_else_written(
    host: Host, tmp_path: Path, pack: object
) -> None:
    assert callable(pack)
    content = pack({"../evil": b"x", "/evil": b"x", "__MACOSX/top/._a.txt": b"x", "top/a.txt": b"one\ntwo\n"})
    url = host.add("/data.archive", content)
    inner = tmp_path / "inner"
    paths = [
        obtain(inner / "out" / name, [Download(url, member="a.txt", convert=convert)], inner / "downloads")
        for name, convert in (("as-is", None), ("loud", shouted))
    ]
    assert [path.read_bytes() for path in paths] == [b"one\ntwo\n", b"ONE\nTWO\n"]
    assert len(host.asked) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"inner"}
    assert names(inner) == {
        "as-is", "as-is.sha256", "loud", "loud.sha256", "data.archive", "data.archive.sha256",
    }  # fmt: skip
    with pytest.raises(FetchError, match="has 0 files link instead of one"):
        obtain(inner / "link", [Download(url, member="link")], inner / "downloads")


def test_what_is_no_whole_archive_is_not_kept(host: Host, tmp_path: Path) -> None:
    whole = zipped({"a.txt": BODY})
    for content in (b"<html>moved</html>", whole[: len(whole) // 2], tarred({"a.txt": BODY * 3})[:3000]):
        source = Download(host.add("/data.zip", content), member="a.txt")
        with pytest.raises(FetchError, match="is not a complete archive"):
            obtain(tmp_path / "a.txt", [source], tmp_path / "downloads")
        assert names(tmp_path) == set()
    source = Download(host.add("/data.zip", whole), member="a.txt")
    assert obtain(tmp_path / "a.txt", [source], tmp_path / "downloads").read_bytes() == BODY


def test_the_next_place_is_asked_and_all_reasons_are_reported(
    host: Host, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone, moved = Download(host.url("/gone"), member="a"), Download(host.url("/moved"))
    path = obtain(tmp_path / "file", [gone, Download(host.add("/file", BODY))], tmp_path / "downloads")
    assert path.read_bytes() == BODY
    assert f"file comes from {host.url('/file')} ({gone.url}: HTTP 404 Not Found)" in caplog.text
    refused = Download(f"http://127.0.0.1:{closed_port()}/data.zip", member="a")
    with pytest.raises(FetchError) as caught:
        obtain(tmp_path / "other", [refused, moved], tmp_path / "downloads")
    message = str(caught.value)
    assert "connection refused" in message
    assert "/moved: HTTP 404" in message
    place = tmp_path / "downloads" / refused.url.removeprefix("http://").replace(":", "_")
    assert message.endswith(f"put {refused.url} at {place}")
    assert "\n" not in message
    place.write_bytes(zipped({"a": BODY}))
    assert obtain(tmp_path / "other", [refused], tmp_path / "downloads").read_bytes() == BODY


def test_many_threads_and_processes_fetch_once(host: Host, tmp_path: Path) -> None:
    url = host.add("/data.zip", zipped({"a.txt": BODY}))
    read: list[bytes] = []

    def fetch() -> None:
        source = Download(url, member="a.txt")
        read.append(obtain(tmp_path / "a.txt", [source], tmp_path / "downloads").read_bytes())

    code = (
        "from pathlib import Path; from probing.datasets.fetching import *;"
        f"root = Path({str(tmp_path)!r}); source = Download({url!r}, member='a.txt');"
        "assert len(obtain(root / 'a.txt', [source], root / 'downloads').read_bytes()) == 512000"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    assert read == [BODY] * 4
    assert len(host.asked) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the folder of Linux")
def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PROBING_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path.home() / ".cache" / "probing"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "probing"
    monkeypatch.setenv("PROBING_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
