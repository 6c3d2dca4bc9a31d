"""Reading a treebank once, from a file or a folder of files in either format."""

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
    """Read a treebank; a process reads the same files only once, even for several tasks.

    Args:
        path: A .conllu or .mrg file, or a folder. From a folder, its .conllu files are read, or if there are
            none, the .mrg files in it and below. A file's name gives its split: `en_ewt-ud-train.conllu`,
            `dev.mrg`.

    Raises:
        ProbingError: If there is no such file, or one is invalid; with file and line.
    """
    return read_stamped(stamps_of(path))


def stamps_of(path: Path) -> Stamps:
    """Return the current files of a treebank as a cache key; a file that has changed has another digest.

    Raises:
        ProbingError: If there are none.
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
                raise ProbingError(f"{path}: the file contains no sentence; {HINT}")
            sentences += found
    return tuple(sentences)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Pause garbage collection: everything read is kept, and collection would take a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def treebank_files(path: Path) -> list[Path]:
    """Return the files that make up a treebank; see `read_treebank`.

    Raises:
        ProbingError: If there are none.
    """
    with readable(path, HINT):
        folder, there = path.is_dir(), path.exists()
    if folder:
        with readable(path, HINT):
            files = sorted(path.glob("*.conllu")) or sorted(path.rglob("*.mrg"))
        if not files:
            raise ProbingError(f"{path}: the folder contains neither .conllu nor .mrg files; {HINT}")
        return files
    # opening a missing file raises the error
    if path.suffix not in READERS and there:
        raise ProbingError(f"{path}: unknown treebank format; {HINT}")
    return [path]


def split_of(path: Path) -> str | None:
    """Return train, dev or test if the file name says so; `x-ud-train-b.conllu` is a part of train."""
    found = _SPLIT.search(path.stem.lower())
    return found[1] if found else None


def _stamp(path: Path) -> tuple[Path, bytes]:
    with readable(path, HINT):
        return path, hashlib.sha256(path.read_bytes()).digest()
