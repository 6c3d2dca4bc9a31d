"""The task `code`: pieces of source code, with the number of their leaves."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from probing.datasets.code.languages import parser_of
from probing.datasets.code.syntax import parse, pieces
from probing.datasets.lines import read_text, readable
from probing.datasets.table.columns import SPLIT_OF
from probing.datasets.table.delimited import Format
from probing.datasets.table.labels import anchors
from probing.datasets.table.records import EXTENSIONS, read_table
from probing.errors import ProbingError
from probing.tasks.splits import check_shares, make_splits
from probing.tasks.target import Scores
from probing.tasks.task import Task, Unit
from probing.validation.ranges import Seed, ZeroToOne, check_ranges

log = logging.getLogger(__name__)
HINT = "give task.path=..., a folder of source files or a table with a column of code"
FEWEST = 2
"""Leaves of the smallest piece of code that is an example."""


class Piece(NamedTuple):
    """A piece of code.

    Attributes:
        code: The code.
        split: Its split; empty if it is not given.
        leaves: Number of leaves of its tree.
    """

    code: str
    split: str
    leaves: int


class Source(NamedTuple):
    """The code of a file or of a cell of a table, with its split; empty if it is not given."""

    code: str
    split: str


@dataclass(frozen=True, kw_only=True)
class CodeTask:
    """Pieces of code from source files or a table; a probe predicts the number of leaves of their trees.

    Repeated pieces are read once.

    Attributes:
        name: Name in results; the default gives `code/` and the name of the file or folder.
        path: A folder of source files, a single one, or a csv, tsv, jsonl or parquet file.
        language: Name of the tree-sitter grammar.
        files: Pattern of the source files of the folder.
        node: Type of the nodes of the tree that are examples, such as function_definition; the outermost
            of nested ones. None takes files, or cells of the table, as a whole.
        column: Column of a table with the code.
        split: Column of a table with the split; None makes splits.
        shares: Shares of train, dev and test, if splits are made.
        seed: Seed of the splits that are made.
        encoding: Encoding of files.
        licence: Licence of the code, for the record.

    Raises:
        ProbingError: If a number is out of range.
    """

    name: str = "code"
    path: Path | None = None
    language: str = "python"
    files: str = "**/*.py"
    node: str | None = None
    column: str = "code"
    split: str | None = None
    shares: tuple[ZeroToOne, ...] = (0.6, 0.2, 0.2)
    seed: Seed = 0
    encoding: str = "utf-8"
    licence: str = "unknown"

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "task")
        check_shares(self.shares)

    def build(self) -> Task:
        """Read and parse the code; see `TaskSource.build`."""
        if self.path is None:
            raise ProbingError(f"task.path is not set; {HINT}")
        parser_of(self.language)  # refuse before files are read
        found = self._found(self.path)
        sizes = np.array([piece.leaves for piece in found], dtype=np.float64)
        return Task(
            name=self._title(self.path),
            units=tuple(Unit(piece.code) for piece in found),
            target=Scores(sizes, anchors(sizes.min(), sizes.max())),
            split=self._splits(found),
            metric="spearman",
            source=str(self.path),
            licence=self.licence,
        )

    def _title(self, path: Path) -> str:
        return f"code/{path.resolve().stem}" if self.name == "code" else self.name

    def _found(self, path: Path) -> list[Piece]:
        """Return the distinct pieces with enough leaves, in order."""
        with readable(path, HINT):
            path.stat()
        table = path.is_file() and path.suffix.lower() in EXTENSIONS
        read = self._of_table(path) if table else self._of_files(path)
        chosen: dict[str, Piece] = {}
        for whole in read:
            for code in [whole.code] if self.node is None else pieces(whole.code, self.language, self.node):
                if code in chosen:
                    continue
                leaves = len(parse(code, self.language).leaves)
                if leaves >= FEWEST:
                    chosen[code] = Piece(code, whole.split, leaves)
        if not chosen:
            of = "" if self.node is None else f" has a node {self.node!r} (task.node) that"
            raise ProbingError(
                f"{path}: nothing{of} has {FEWEST} leaves in {self.language}; check task.language and "
                "task.files"
            )
        return list(chosen.values())

    def _of_files(self, path: Path) -> Iterator[Source]:
        try:
            paths = (
                sorted(each for each in path.glob(self.files) if each.is_file()) if path.is_dir() else [path]
            )
        except (ValueError, NotImplementedError) as error:
            raise ProbingError(
                f"task.files={self.files!r} is not a pattern ({error}); give one as **/*.py"
            ) from error
        if not paths:
            raise ProbingError(f"{path}: no file matches {self.files!r} (task.files); name another pattern")
        for each in paths:
            if each.stat().st_size:  # an empty file, such as __init__.py, is not a mistake
                yield Source(read_text(each, self.encoding, HINT, "task.encoding"), "")

    def _of_table(self, path: Path) -> Iterator[Source]:
        table = read_table(path, Format(self.encoding))
        codes = table.column(self.column, "task.column")
        splits = [""] * len(table) if self.split is None else table.column(self.split, "task.split")
        for row, (code, split) in enumerate(zip(codes, splits, strict=True)):
            if not isinstance(code, str):
                raise ProbingError(f"{table.place(row)}: column {self.column!r} has no text; give code")
            name = "" if self.split is None else SPLIT_OF.get(str(split).strip().lower())
            if name is None:
                raise ProbingError(
                    f"{table.place(row)}: split {split!r} is not train, dev or test; fix it, or leave "
                    "task.split out"
                )
            yield Source(code, name)

    def _splits(self, found: Sequence[Piece]) -> NDArray[np.str_]:
        if self.split is not None:
            return np.array([piece.split for piece in found])
        made = make_splits([piece.code for piece in found], [""] * len(found), self.shares, self.seed)
        log.info("splits: drawn from %d pieces of code (task.shares, task.seed)", len(found))
        return made
