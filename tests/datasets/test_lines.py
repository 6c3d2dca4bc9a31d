"""Text as files have it: byte order marks wherever `cat` leaves them, and the line ends of three systems."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable
from pathlib import Path

import pytest

from probing.datasets.lines import read_lines, read_text
from probing.datasets.senteval import PairTask, ProbingTask, SentenceTask
from probing.datasets.table import TableTask
from probing.datasets.treebank.files import read_treebank
from probing.errors import ProbingError
from probing.tasks.task import Task
from tests.datasets.treebank.made import Clause, simple


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_at_the_start_of_lines_are_no_text(tmp_path: Path, encoding: str, end: str) -> None:
    parts = [f"a{end}{end}b c{end}", f"# d{end}", f" e\t{end}"]
    joined = b"".join(BOM_UTF8 + part.encode("ascii") for part in parts)
    found = list(read_lines(put(tmp_path / "x", joined), encoding, ""))
    assert found == [(1, "a"), (3, "b c"), (4, "# d"), (5, " e\t")]


def test_a_mark_within_a_line_is_a_character(tmp_path: Path) -> None:
    """There it is a zero-width no-break space, as some texts have."""
    path = put(tmp_path / "x", "\ufeffa\ufeffb\n\ufeffc\n".encode())
    assert read_text(path, "utf-8", "") == "a\ufeffb\nc\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_marks_of_wider_encodings(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("e") else ""  # the others write one themselves
    content = f"{mark}a é\n".encode(encoding) + f"{mark}b\n".encode(encoding)
    assert read_text(put(tmp_path / "x", content), encoding, "").splitlines() == ["a é", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x: the file is empty; look"),
        (BOM_UTF8, "x: the file is empty; look"),
        (b" \r\n\t\n", "x: the file is empty; look"),
        (b"\x1f\x8b\x08\x00abc", "x: a gzip file, not text"),
        (b"PK\x03\x04abc", "x: a zip file, not text"),
        (b"PAR1abcPAR1", "x: a parquet file, not text"),
        ("a\nbé".encode("latin-1"), "x, line 2: not utf-8 text; convert the file"),
        ("a\nb".encode("utf-16"), "x, line 1: not utf-8 text"),
        ("a\nb".encode("utf-16-le"), "x, line 1: not utf-8 text"),
        (b"a\nb\n\0", "x, line 3: not utf-8 text"),
    ],
)
def test_what_is_no_text_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        read_text(put(tmp_path / "x", content), "utf-8", "look")


def test_an_encoding_that_can_be_given_is_proposed(tmp_path: Path) -> None:
    path = put(tmp_path / "x", b"a\nb\0")
    with pytest.raises(ProbingError, match=r"line 2: a null character .* task.encoding=utf-16"):
        read_text(path, "utf-8", "", "task.encoding")
    for name in ("utf-9", "hex", "a\0b"):
        with pytest.raises(ProbingError, match=r"task.encoding is .*, which is not an encoding"):
            read_text(path, name, "", "task.encoding")


def facts(task: Task) -> tuple[object, ...]:
    return task.units, task.partners, task.target.shown(), task.split.tolist()


def marked(text: str, parts: int) -> bytes:
    """A text as it is after `cat` of files that each start with a mark."""
    lines = text.splitlines(keepends=True)
    size = -(-len(lines) // parts)
    return b"".join(BOM_UTF8 + "".join(lines[at : at + size]).encode() for at in range(0, len(lines), size))


ROWS = [(f"text {at} é", "ab"[at % 2]) for at in range(30)]
TABLES = {
    "csv": "text,label\n" + "".join(f"{t},{y}\n" for t, y in ROWS),
    "tsv": "text\tlabel\n" + "".join(f"{t}\t{y}\n" for t, y in ROWS),
    "jsonl": "".join(f'{{"text": "{t}", "label": "{y}"}}\n' for t, y in ROWS),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize(
    "change", [lambda t: t, lambda t: t.replace("\n", "\r\n"), lambda t: t.replace("\n", "\r")]
)
def test_joined_tables(tmp_path: Path, kind: str, change: Callable[[str], str]) -> None:
    text = TABLES[kind]
    plain = TableTask(path=put(tmp_path / f"a.{kind}", text.encode())).build()
    joined = TableTask(path=put(tmp_path / f"b.{kind}", marked(change(text), 3))).build()
    assert facts(joined) == facts(plain)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_a_header_that_comes_again_is_no_example(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    header, rows = TABLES[kind].split("\n", 1)
    half = rows.index("text 15")
    parts = [f"{header}\n{rows[:half]}", f"{header}\n{rows[half:]}"]
    path = put(tmp_path / f"b.{kind}", b"".join(BOM_UTF8 + part.encode() for part in parts))
    with caplog.at_level("WARNING", logger="probing"):
        joined = TableTask(path=path).build()
    assert facts(joined) == facts(TableTask(path=put(tmp_path / f"a.{kind}", TABLES[kind].encode())).build())
    assert f"b.{kind}, line 17: repeats the header" in caplog.text


def test_joined_treebanks(tmp_path: Path) -> None:
    for at, kind in enumerate(("conllu", "mrg")):
        of_kind = [simple(Clause((noun, "plural")))[at] for noun in ("dogs", "cats", "cows")]
        path = put(tmp_path / f"a.{kind}", b"".join(BOM_UTF8 + f"{tree}\n".encode() for tree in of_kind))
        tokens = [sentence.tokens for sentence in read_treebank(path)]
        assert [words[1] for words in tokens] == ["dogs", "cats", "cows"]


def test_joined_files_of_senteval(tmp_path: Path) -> None:
    lines = [
        f"{split}\t{label}\tA b {at}" for at in range(3) for split in ("tr", "va", "te") for label in "xy"
    ]
    text = "".join(f"{line}\n" for line in lines)
    tasks = []
    for name, content in (("a", text.encode()), ("b", marked(text, 3))):
        put(tmp_path / name / "probing/past_present.txt", content)
        for side in ("pos", "neg"):
            put(tmp_path / name / f"downstream/CR/custrev.{side}", content)
        for split in ("train", "dev", "test"):
            for part in ("s1", "s2"):
                put(tmp_path / name / f"downstream/SNLI/{part}.{split}", content)
            labels = "entailment\nneutral\ncontradiction\n" * 6
            put(tmp_path / name / f"downstream/SNLI/labels.{split}", marked(labels, 1 if name == "a" else 3))
        tasks.append(
            [
                ProbingTask("senteval/tense", "probing/past_present.txt", tmp_path / name).build(),
                SentenceTask("senteval/cr", "cr", tmp_path / name).build(),
                PairTask("senteval/snli", "snli", tmp_path / name).build(),
            ]
        )
    assert list(map(facts, tasks[0])) == list(map(facts, tasks[1]))
