"""Three readers for the formats of SentEval's files: columns, patterns, and files that are parallel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from probing.datasets.lines import read_lines
from probing.errors import ProbingError

HINT = (
    "task.root must be SentEval's data folder, the one with probing/ and downstream/; "
    "leave task.root out to have the files fetched"
)
_SPLITS = {"tr": "train", "va": "dev", "te": "test"}


class FilePlace(NamedTuple):
    """A line of a file, for messages; it becomes text only if there is a message."""

    path: Path
    line: int

    def __str__(self) -> str:
        """File and line."""
        return f"{self.path}, line {self.line}"


class FileRow(NamedTuple):
    """One example as the files have it.

    Attributes:
        place: File and line of the label, for messages.
        split: train, dev or test.
        label: The class or score as in the file.
        texts: One text, or the two of a pair.
    """

    place: FilePlace
    split: str
    label: str
    texts: tuple[str, ...]


class FileReader(Protocol):
    """A format of files."""

    def read(self, paths: Sequence[Path], split: str) -> Iterator[FileRow]:
        """Yield the examples of some files in their order.

        Args:
            paths: The files.
            split: Split of the examples, unless the files say it themselves.

        Raises:
            ProbingError: If a file cannot be read or a line does not have this format.
        """


@dataclass(frozen=True)
class TabColumns:
    """Files with tabs between columns, in which quotes have no meaning.

    Attributes:
        label: Column of the label, from 0.
        texts: Columns of the texts.
        least: Minimum number of columns.
        expected: Content of a line, for messages.
        header: Start of the first line if that is not an example; empty if it is one.
        coded: Whether the first column is a code for the split: tr, va or te.
    """

    label: int
    texts: tuple[int, ...]
    least: int
    expected: str
    header: str = ""
    coded: bool = False

    def read(self, paths: Sequence[Path], split: str) -> Iterator[FileRow]:
        """Yield the examples, one a line; see `FileReader.read`."""
        for path in paths:
            for number, line in read_lines(path, "utf-8", HINT):
                place = FilePlace(path, number)
                if self.header and number == 1:
                    self._check_header(line, place)
                    continue
                fields = line.rstrip().split("\t")
                if len(fields) < self.least or (self.coded and fields[0] not in _SPLITS):
                    raise ProbingError(f"{place}: expected {self.expected}, between tabs; fix the line")
                texts = tuple(fields[at] for at in self.texts)
                yield FileRow(place, _SPLITS[fields[0]] if self.coded else split, fields[self.label], texts)

    def _check_header(self, line: str, place: FilePlace) -> None:
        if not line.lower().startswith(self.header.lower()):
            raise ProbingError(f"{place}: expected a header that starts with {self.header}; put it back")


@dataclass(frozen=True)
class Pattern:
    """Files whose lines match a regular expression.

    Attributes:
        pattern: Expression with the groups `label` and `text`. Without `label`, each file has one class,
            and its position among the files is the label.
        expected: Content of a line, for messages.
        encoding: Encoding of the files.
        blank: Whether an empty line is an example too.
    """

    pattern: str
    expected: str
    encoding: str = "utf-8"
    blank: bool = False

    def read(self, paths: Sequence[Path], split: str) -> Iterator[FileRow]:
        """Yield the examples, one a line; see `FileReader.read`."""
        pattern = re.compile(self.pattern)
        for position, path in enumerate(paths):
            for number, line in read_lines(path, self.encoding, HINT, blank=self.blank):
                found = pattern.fullmatch(line.strip())
                if found is None:
                    raise ProbingError(f"{FilePlace(path, number)}: expected {self.expected}; fix the line")
                groups = found.groupdict(default="")
                label = groups.get("label", str(position))
                yield FileRow(FilePlace(path, number), split, label, (groups["text"],))


@dataclass(frozen=True)
class Parallel:
    """Files that belong together line by line: the two sentences of each pair, then its label.

    Attributes:
        together: Whether the sentences are in one file, with a tab between them, and not in a file each.
        gaps: Whether pairs with an empty label are skipped.
    """

    together: bool = False
    gaps: bool = False

    def read(self, paths: Sequence[Path], split: str) -> Iterator[FileRow]:
        """Yield the examples, one for each line of all files; see `FileReader.read`."""
        files = [list(read_lines(path, "utf-8", HINT, blank=True)) for path in paths]
        if len({len(lines) for lines in files}) > 1:
            counts = ", ".join(
                f"{path.name} has {len(lines)}" for path, lines in zip(paths, files, strict=True)
            )
            raise ProbingError(f"{paths[0].parent}: {counts} lines; give each pair one line in every file")
        for *sentences, (number, label) in zip(*files, strict=True):
            if self.gaps and not label.strip():
                continue
            texts = tuple(text for _, text in sentences)
            if self.together:
                texts = tuple(texts[0].split("\t")[:2])
                if len(texts) < 2:
                    place = FilePlace(paths[0], number)
                    raise ProbingError(f"{place}: expected two sentences with a tab between; fix the line")
            yield FileRow(FilePlace(paths[-1], number), split, label, texts)
