"""Frame elements of FrameNet: the target of a frame and the span that plays a role in it."""

from __future__ import annotations

import ast
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from probing.datasets.hub.library import commit_of, repository_file
from probing.datasets.lines import read_lines
from probing.datasets.table.tabular import Tables, TabularTask
from probing.datasets.table.values import DataTable
from probing.errors import ProbingError
from probing.tasks.task import Features
from probing.validation.ranges import Count

log = logging.getLogger(__name__)
_FILES = {
    "train": "fn1.7.fulltext.train.syntaxnet.conll",
    "dev": "fn1.7.dev.syntaxnet.conll",
    "test": "fn1.7.test.syntaxnet.conll",
}
_FOLDER = "fn1.7"
_HINT = f"give task.path=<a folder with {', '.join(_FILES.values())}>"
# columns of the files: the form, the lexical unit and the frame of a target, and the frame element
_FORM, _UNIT, _ELEMENT = 1, 12, 14
_WIDTH = 15
_NONE = "_"


class Role(NamedTuple):
    """A frame element of a target in a sentence; offsets count characters from 0, ends are exclusive."""

    line: int
    text: str
    start: int
    end: int
    second_start: int
    second_end: int
    label: str


@dataclass(frozen=True, kw_only=True)
class FrameNetTask(TabularTask):
    """Frame elements in the full-text annotation of FrameNet 1.7, with the split of Open-SESAME.

    An example is a pair of spans of a sentence: the target that evokes a frame, and a frame element of it.
    The label is the name of the frame element. If a target is interrupted, its first part counts.

    Attributes:
        name: Name in results.
        dataset: Repository on the hub that has the three files, in Open-SESAME's format of CoNLL 2009.
        revision: Branch, tag or commit; None takes the main branch. The commit is recorded.
        path: Folder with the files; None uses the hub's cache, or fetches them.
        elements: Number of frame elements, the most frequent of train; None keeps all that train has.

    Raises:
        ProbingError: If options contradict each other.
    """

    start: str | None = "start"
    end: str | None = "end"
    second_start: str | None = "second_start"
    second_end: str | None = "second_end"
    features: Features = "concat"
    dataset: str = "liyucheng/FrameNet_v17"
    revision: str | None = None
    path: Path | None = None
    elements: Count | None = 20

    def _tables(self) -> Tables:
        files = {split: self._file(name) for split, name in _FILES.items()}
        roles = {split: list(read_roles(path)) for split, path in files.items()}
        counts = Counter(role.label for role in roles["train"])
        ranked = sorted(counts, key=lambda name: (-counts[name], name))
        kept = set(ranked[: self.elements])
        log.info("labels: %d of the %d frame elements of train are classes", len(kept), len(ranked))
        tables = [
            (split, _table([role for role in of_split if role.label in kept], files[split]))
            for split, of_split in roles.items()
        ]
        commit = commit_of(files["train"])
        source = "FrameNet 1.7 (Baker et al., 1998), full-text annotation, split of Open-SESAME"
        origin = f"files of {self.path}" if self.path else self.dataset
        return Tables(tables, f"{source}, {origin}" + (f", revision {commit}" if commit else ""))

    def _file(self, name: str) -> Path:
        if self.path is None:
            return repository_file(self.dataset, f"{_FOLDER}/{name}", self.revision)
        inside = self.path / _FOLDER / name
        return inside if inside.is_file() else self.path / name


def read_roles(path: Path) -> Iterator[Role]:
    """Yield the frame elements of a file in the format of Open-SESAME.

    The file has a block of lines for each target, with an empty line after it, and a line of fields for each
    word. Field 2 is the word, field 13 the lexical unit of a word of the target, and field 15 the frame
    element: `S-` and its name for a single word, `B-` and `I-` for several words, and `O` or `_` for none.

    Raises:
        ProbingError: With the line, if fields are missing, or a block has no target.
    """
    block: list[list[str]] = []
    first = 1
    for number, line in read_lines(path, "utf-8", _HINT, blank=True):
        fields = line.split("\t")
        if line.strip() and len(fields) < _WIDTH:
            raise ProbingError(
                f"{path}, line {number}: {len(fields)} fields instead of {_WIDTH}; give Open-SESAME's files"
            )
        if line.strip():
            first = first if block else number
            block.append(fields)
        elif block:
            yield from _roles(block, path, first)
            block = []
    if block:
        yield from _roles(block, path, first)


def _roles(block: Sequence[Sequence[str]], path: Path, line: int) -> Iterator[Role]:
    words = [_form(fields[_FORM]) for fields in block]
    text = " ".join(words)
    starts = [sum(map(len, words[:at])) + at for at in range(len(words))]
    targets = _stretches(["I-" if fields[_UNIT] != _NONE else "O" for fields in block])
    if not targets:
        raise ProbingError(f"{path}, line {line}: no word has a lexical unit; give Open-SESAME's files")
    target = targets[0]
    for span in _stretches([fields[_ELEMENT] for fields in block]):
        first, last, name = span
        yield Role(
            line,
            text,
            starts[target[0]],
            starts[target[1]] + len(words[target[1]]),
            starts[first],
            starts[last] + len(words[last]),
            name,
        )


def _stretches(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the first and last word and the name of every stretch that is tagged with S, B and I."""
    found: list[tuple[int, int, str]] = []
    for at, tag in enumerate(tags):
        kind, _, name = tag.strip().partition("-")
        continues = kind == "I" and found and found[-1][1:] == (at - 1, name)
        if continues:
            found[-1] = (found[-1][0], at, name)
        elif kind in {"S", "B", "I"}:
            found.append((at, at, name))
    return found


def _form(written: str) -> str:
    """Return a word, which the files may have as Python writes bytes: `b'word'`."""
    if written[:2] in {"b'", 'b"'}:
        try:
            return str(ast.literal_eval(written).decode("utf-8"))
        except (ValueError, SyntaxError):
            return written
    return written


def _table(roles: Sequence[Role], path: Path) -> DataTable:
    columns = {name: [getattr(role, name) for role in roles] for name in Role._fields}
    return DataTable(columns, str(path), lines=columns["line"])
