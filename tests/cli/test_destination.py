"""`draw`, `agree` and `report` never replace a file by other content unless they are told to."""

from __future__ import annotations

from pathlib import Path

import pytest

from probing.cli import main as cli
from probing.cli.destination import Target, target
from probing.errors import ProbingError
from tests.cli.test_draw import keep
from tests.figures import found
from tests.figures.frames import frame

pytestmark = pytest.mark.slow

DRAW = ["draw", "grid", "granularity=head", "baseline=none"]


def contents(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob(pattern) if path.is_file()}


def write(to: Target, text: str, *endings: str) -> tuple[Path, ...]:
    """Write files as a command would: the name of the target with endings."""

    def draw(path: Path) -> list[Path]:
        files = [path.with_name(path.name + ending) for ending in endings]
        for file in files:
            file.write_text(text)
        return files

    return to.write(draw)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    folder = tmp_path / "outputs"
    for rows in (frame(task="a"), frame(task="b"), found.importance(task="a")):
        keep(folder, rows)
    return folder


def test_the_default_name_gets_the_next_free_number(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, own = tmp_path / "here", [*DRAW, f"root={root}", "analysis=heads"]
    assert cli.main([*own, "task=a"]) == cli.DONE
    first = contents(here)
    assert set(first) == {f"figure.{kind}" for kind in ("png", "svg", "pdf", "csv")}
    capsys.readouterr()
    assert cli.main([*own, "task=a"]) == cli.DONE  # the same picture stays in its place
    assert contents(here) == first
    assert capsys.readouterr().err == ""
    assert cli.main([*own, "task=b"]) == cli.DONE
    printed = capsys.readouterr()
    assert printed.out.split()[0] == "figure-2.png"
    assert printed.err == "probing: figure exists with other content; figure-2 is written\n"
    assert contents(here, "figure.*") == first
    assert set(contents(here)) - set(first) == {f"figure-2.{kind}" for kind in ("png", "svg", "pdf", "csv")}


def test_an_explicit_name_is_refused_in_one_line_unless_it_may_be_overwritten(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, own = tmp_path / "here", [*DRAW, f"root={root}", "analysis=heads", "out=mine"]
    assert cli.main([*own, "task=a"]) == cli.DONE
    first = contents(here)
    capsys.readouterr()
    assert cli.main([*own, "task=b"]) == cli.MISTAKE
    complaint = capsys.readouterr().err
    assert "mine.png exists with other content; give overwrite=true or a new out=" in complaint
    assert complaint.count("\n") == 1
    assert contents(here) == first
    assert cli.main([*own, "task=a"]) == cli.DONE
    assert contents(here) == first
    assert cli.main([*own, "task=b", "overwrite=true"]) == cli.DONE
    assert set(contents(here)) == set(first)
    assert contents(here) != first


def test_agreement_keeps_its_files_together(root: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "agreement-matrix.svg").write_text("mine")
    own = ["agree", f"root={root}", "task=a"]
    assert cli.main(own) == cli.DONE
    assert (here / "agreement-matrix.svg").read_text() == "mine"
    names = {path.name for path in here.iterdir()} - {"agreement-matrix.svg"}
    assert names == {"agreement-2.csv"} | {
        f"agreement-2-{kind}.{ending}"
        for kind in ("matrix", "scatter")
        for ending in ("png", "svg", "pdf", "csv")
    }
    assert cli.main([*own, "out=agreement"]) == cli.MISTAKE


@pytest.mark.parametrize(
    ("chosen", "existing", "extra", "message"),
    [
        (False, "page", [], ""),
        (False, "other", [], "is not a page of probing; give overwrite=true or out="),
        (False, "other", ["overwrite=true"], ""),
        (True, "page", [], "exists; give overwrite=true or another out="),
        (True, "other", [], "exists; give overwrite=true or another out="),
        (True, "other", ["overwrite=true"], ""),
    ],
)
def test_a_report_replaces_only_a_page_of_probing_under_its_default_name(
    root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    chosen: bool,
    existing: str,
    extra: list[str],
    message: str,
) -> None:
    page = tmp_path / "own.html" if chosen else root / "report.html"
    words = ["report", f"root={root}", *([f"out={page}"] if chosen else []), *extra]
    if existing == "page":
        assert cli.main(["report", f"root={root}", *([f"out={page}"] if chosen else [])]) == cli.DONE
    else:
        page.write_text("<html><title>mine</title></html>")
    before = page.read_bytes()
    capsys.readouterr()
    assert cli.main(words) == (cli.MISTAKE if message else cli.DONE)
    complaint = capsys.readouterr().err
    if message:
        assert message in complaint
        assert complaint.count("\n") == 1
        assert page.read_bytes() == before
    else:
        assert b"<title>probing: " in page.read_bytes()[:4096]
        assert ("is rewritten" in complaint) == (existing == "page")


@pytest.mark.parametrize("word", ["always", "yes", "1"])
def test_overwrite_is_true_or_false(word: str) -> None:
    with pytest.raises(ProbingError, match=f"overwrite={word}: is not true or false"):
        target({"overwrite": word}, "figure")


def test_numbers_are_tried_until_the_content_fits_or_nothing_is_there(tmp_path: Path) -> None:
    to = Target(tmp_path / "figure", chosen=False, overwrite=False)
    for number, text in enumerate(("one", "two", "three"), start=1):
        ending = "" if number == 1 else f"-{number}"
        assert write(to, text, ".png", "-table.csv") == (
            tmp_path / f"figure{ending}.png",
            tmp_path / f"figure{ending}-table.csv",
        )
    assert write(to, "two", ".png", "-table.csv")[0] == tmp_path / "figure-2.png"
    (tmp_path / "figure-4.png").mkdir()  # a folder is in the way too
    assert write(to, "four", ".png")[0] == tmp_path / "figure-5.png"
    assert {path.name for path in tmp_path.iterdir()} == {
        "figure.png", "figure-table.csv", "figure-2.png", "figure-2-table.csv", "figure-3.png",
        "figure-3-table.csv", "figure-4.png", "figure-5.png",
    }  # fmt: skip
