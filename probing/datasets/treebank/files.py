"""From a path to sentences: one file or a folder of them, in either format, read once."""

from __future__ import annotations

import gc
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from probing.datasets.lines import readable
from probing.datasets.treebank.brackets import read_brackets
from probing.datasets.treebank.conllu import read_conllu
from probing.datasets.treebank.sentence import Sentence
from probing.errors import ProbingError

HINT = "task.path must be a .conllu or .mrg file, or a folder with such files"
READERS = {".conllu": read_conllu, ".mrg": read_brackets}
_SPLIT = re.compile(r"(?:^|[^a-z])(train|dev|test)(?:[^a-z]|$)")
# path and digest of each file
Stamps = tuple[tuple[Path, bytes], ...]


def read_treebank(path: Path) -> tuple[Sentence, ...]:
    """Read a treebank; the same files are read once in a process, however many tasks ask for them.

    Args:
        path: A .conllu or .mrg file, or a folder: of its .conllu files, or if there are none of the .mrg
            files in it and below. A file's name says its split: `en_ewt-ud-train.conllu`, `dev.mrg`.

    Raises:
        ProbingError: If there is no such file, or one is not as it should be; with file and line.
    """
    return read_stamped(stamps_of(path))


def stamps_of(path: Path) -> Stamps:
    """The files of a treebank as they are now, for use as a key: a file that has changed has another.

    Raises:
        ProbingError: If there is none.
    """
    return tuple(_stamp(file) for file in treebank_files(path))


@lru_cache(maxsize=2)
def read_stamped(stamps: Stamps) -> tuple[Sentence, ...]:
    """Read some files; see `read_treebank`."""
    sentences: list[Sentence] = []
    with _no_garbage_collection():
        for path, _ in stamps:
            found = list(READERS[path.suffix](path, split_of(path), HINT))
            if not found:
                raise ProbingError(f"{path}: the file holds no sentence; {HINT}")
            sentences += found
    return tuple(sentences)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """All that is read is kept; to look for garbage among it takes a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def treebank_files(path: Path) -> list[Path]:
    """The files that make up a treebank; see `read_treebank`.

    Raises:
        ProbingError: If there is none.
    """
    with readable(path, HINT):
        folder, there = path.is_dir(), path.exists()
    if folder:
        with readable(path, HINT):
            files = sorted(path.glob("*.conllu")) or sorted(path.rglob("*.mrg"))
        if not files:
            raise ProbingError(f"{path}: the folder holds neither .conllu nor .mrg files; {HINT}")
        return files
    # one that is not there is refused when it is opened
    if path.suffix not in READERS and there:
        raise ProbingError(f"{path}: unknown kind of treebank; {HINT}")
    return [path]


def split_of(path: Path) -> str | None:
    """train, dev or test if the file's name says so; a part of train is train, `x-ud-train-b.conllu`."""
    found = _SPLIT.search(path.stem.lower())
    return found[1] if found else None


def _stamp(path: Path) -> tuple[Path, bytes]:
    with readable(path, HINT):
        return path, hashlib.sha256(path.read_bytes()).digest()
