"""Files of edge probing, with the split that the name of each, or of its folder, gives."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from probing.datasets.lines import readable
from probing.errors import ProbingError
from probing.tasks.task import SPLITS

log = logging.getLogger(__name__)
# words of names; shorter ones, such as `tr`, may be a language
_SPLIT_OF = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "development": "dev",
    "valid": "dev",
    "validation": "dev",
    "val": "dev",
    "testa": "dev",  # CoNLL-2003
    "test": "test",
    "testing": "test",
    "testb": "test",
}


@dataclass(frozen=True)
class EdgeFiles:
    """The keys that name the files of a task, and the files that it can read.

    Attributes:
        path: A file, or a folder whose files are named after their splits or are in folders that are.
        named: A file or folder for each split, instead of `path`.
        endings: Ends of the names of files that are read from a folder, in lower case.
    """

    path: Path | None
    named: Mapping[str, Path | None]
    endings: tuple[str, ...]

    @property
    def hint(self) -> str:
        """The remedy for messages."""
        return f"give task.path=..., a file ({', '.join(self.endings)}) or a folder with such files"

    @property
    def roots(self) -> list[Path]:
        """The files and folders that the keys name."""
        named = [self.named.get(split) for split in SPLITS]
        return [path for path in (self.path, *named) if path is not None]

    def by_split(self) -> list[tuple[str | None, Path]]:
        """Return the files to read, each with its split, or with None if nothing gives the split.

        Raises:
            ProbingError: If no file is named, keys contradict each other, or files are missing.
        """
        given = {split: path for split, path in self.named.items() if path is not None}
        if self.path is not None and given:
            raise ProbingError(f"task.path and task.{next(iter(given))} contradict each other; leave one out")
        if self.path is not None:
            return self._divided(self.path)
        if not given:
            raise ProbingError(f"task.path is not set; {self.hint}")
        if "train" not in given:
            raise ProbingError("task.train is not set; give the file to train on")
        split_of: dict[str, str | None] = (
            {name: name for name in given} if len(given) > 1 else {"train": None}
        )
        return [(split_of[name], file) for name, path in given.items() for file in self._files(path)]

    def _divided(self, path: Path) -> list[tuple[str | None, Path]]:
        files = self._files(path)
        if files == [path]:
            return [(None, path)]
        found = [(*_split_of(file.relative_to(path)), file) for file in files]
        self._check_folders([(split, name) for split, name, _ in found], path)
        splits = {split for split, _, _ in found if split is not None}
        if not splits:
            return [(None, file) for file in files]
        for split, _, file in found:
            if split is None:
                log.warning("%s is left out, as its name gives neither train, dev nor test", file)
        return [(split, file) for split, _, file in found if split is not None]

    def _check_folders(self, found: Sequence[tuple[str | None, str]], path: Path) -> None:
        """Reject two folders for one split, as `test` and `conll-2012-test` of OntoNotes."""
        for split in SPLITS:
            folders = sorted({name for of, name in found if of == split and name})
            if len(folders) > 1:
                raise ProbingError(
                    f"{path}: the folders {' and '.join(folders)} are both {split}; name one, "
                    f"task.{split}=..., with task.train=... and the others instead of task.path"
                )

    def _files(self, path: Path) -> list[Path]:
        with readable(path, self.hint):
            path.stat()
            files = sorted(self._below(path)) if path.is_dir() else [path]
        if not files:
            raise ProbingError(f"{path}: no file ends in {', '.join(self.endings)}; {self.hint}")
        return files

    def _below(self, folder: Path) -> Iterator[Path]:
        for file in folder.rglob("*"):
            if file.name.lower().endswith(self.endings) and _is_data(file) and file.is_file():
                yield file


def _is_data(file: Path) -> bool:
    """Return whether a file is neither hidden nor a note."""
    return re.match(r"\.|readme|licen[cs]e|copying|labels\.", file.name.lower()) is None


def _split_of(path: Path) -> tuple[str | None, str]:
    """Return the split that a file's name gives, or the nearest folder, and the folder that gave it."""
    for depth, part in enumerate(reversed(path.parts)):
        found = next(
            (_SPLIT_OF[word] for word in re.split(r"[^a-z]+", part.lower()) if word in _SPLIT_OF), None
        )
        if found is not None:
            return found, "" if depth == 0 else str(Path(*path.parts[: len(path.parts) - depth]))
    return None, ""
