"""Files with a line of columns for each word: CoNLL-2003 and its kind, and CoNLL-2012 (OntoNotes)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from probing.datasets.lines import read_lines
from probing.datasets.treebank.brackets import plain_form
from probing.errors import ProbingError

ENDINGS = (
    "_conll", ".conll", ".conll2003", ".txt", ".tsv", ".bio", ".iob", ".iob2", ".bioes",
    ".train", ".testa", ".testb",
)  # fmt: skip
"""Ends of the names of such files."""
ONTONOTES_ENDINGS = ("_conll", ".conll")
_BEGIN, _END, _BREAK = "#begin document", "#end document", "-DOCSTART-"
# columns of CoNLL-2012, from the description of the shared task; predicates lie between the last two
FORM, TAG, PARSE, ENTITY, FIRST_PREDICATE, COREFERENCE = 3, 4, 5, 10, 11, -1
_FEWEST = 12


@dataclass(frozen=True)
class ColumnRows:
    """The rows of a sentence.

    Attributes:
        path: The file.
        lines: Line of each word, from 1.
        fields: Columns of each word.
        document: Number of its document in the file, from 0.
        ontonotes: Whether the file is of CoNLL-2012, which a line `#begin document` shows.
    """

    path: Path
    lines: tuple[int, ...]
    fields: tuple[tuple[str, ...], ...]
    document: int
    ontonotes: bool

    @property
    def place(self) -> str:
        """File and line where it starts."""
        return self.places[0]

    @property
    def places(self) -> list[str]:
        """File and line of every word."""
        return [f"{self.path}, line {line}" for line in self.lines]

    def column(self, at: int, key: str = "") -> list[str]:
        """Return a column.

        Args:
            at: Its number from 0, or from -1 backwards.
            key: The option that sets it, for messages.

        Raises:
            ProbingError: With file and line, if a row does not have it.
        """
        for place, fields in zip(self.places, self.fields, strict=True):
            if not -len(fields) <= at < len(fields):
                fix = f"fix the line, or choose another column, {key}=..." if key else "fix the line"
                raise ProbingError(f"{place}: {len(fields)} columns, so there is no column {at}; {fix}")
        return [fields[at] for fields in self.fields]

    def forms(self, at: int, key: str = "") -> list[str]:
        """Return a column of words, without the escapes of brackets and quotes if the file is OntoNotes'."""
        words = self.column(at, key)
        return [plain_form(word) for word in words] if self.ontonotes else words


def read_rows(path: Path, hint: str) -> Iterator[ColumnRows]:
    """Yield the sentences of a file; empty lines separate them.

    Columns are separated by tabs or, in lines without a tab, by blanks.

    Args:
        path: The file, UTF-8.
        hint: The remedy if the file is missing.

    Raises:
        ProbingError: With file and line, if a sentence of CoNLL-2012 lacks columns.
    """
    ontonotes, document = False, 0
    rows: list[tuple[int, tuple[str, ...]]] = []
    for number, line in read_lines(path, "utf-8", hint, blank=True):
        mark = next((mark for mark in (_BEGIN, _END, _BREAK) if line.startswith(mark)), None)
        if line.strip() and mark is None:
            rows.append((number, tuple(line.split("\t") if "\t" in line else line.split())))
            continue
        if rows:
            yield _sentence(path, rows, document, ontonotes)
            rows = []
        document += mark in {_BEGIN, _BREAK}
        ontonotes = ontonotes or mark == _BEGIN
    if rows:
        yield _sentence(path, rows, document, ontonotes)


def read_ontonotes(path: Path, hint: str, name: str) -> Iterator[ColumnRows]:
    """Yield the sentences of a file of CoNLL-2012.

    Raises:
        ProbingError: If the file is of another kind; see also `read_rows`.
    """
    for rows in read_rows(path, hint):
        if not rows.ontonotes:
            raise ProbingError(
                f"{rows.place}: no line {_BEGIN!r} comes before; {name} needs files of CoNLL-2012 (OntoNotes)"
            )
        yield rows


def _sentence(
    path: Path, rows: list[tuple[int, tuple[str, ...]]], document: int, ontonotes: bool
) -> ColumnRows:
    width = len(rows[0][1])
    for number, fields in rows:
        if ontonotes and (len(fields) < _FEWEST or len(fields) != width):
            others = f"where CoNLL-2012 has {_FEWEST} or more" if width < _FEWEST else f"but {width} before"
            raise ProbingError(f"{path}, line {number}: {len(fields)} columns {others}; fix the line")
    lines, every = zip(*rows, strict=True)
    return ColumnRows(path, tuple(lines), tuple(every), document, ontonotes)
