"""`probing clean`: removal of what nothing refers to."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from probing.cli.selection import folder_of_outputs, parse
from probing.errors import ProbingError
from probing.inventory.cleaning import remove
from probing.inventory.columns_text import size_text
from probing.inventory.leftovers import COSTS, FINDERS
from probing.inventory.unused import Kind, Outputs, Unused, outputs
from probing.io.streams import output
from probing.validation.suggestions import suggest

USAGE = """\
probing clean [KIND ...] [--yes] [older_than=30d] [paths.root=outputs]

Lists what nothing refers to, with its size and the cost of making it again, and removes it with --yes. Runs
do not need it: they replace damaged files themselves. What a running process works on stays, and so do
links and files that probing did not write. Damaged files are named, and the others are listed.

  results            files that cannot be read, damaged or of an older version
  parts              finished parts of interrupted runs
  vectors            vectors that no result refers to, and damaged files among the others
  pictures           kept pictures of results that are gone
  models             models of analyses, or in memory, whose results are gone
  runs               folders in runs/ of killed runs, and of runs without a result
  remains            temporary files of killed processes

  --yes              remove them
  older_than=30d     only what has not changed for 30 days; h, d and w are hours, days and weeks

  probing clean
  probing clean vectors parts older_than=30d --yes
"""
_SECONDS = {"h": 3600, "d": 24 * 3600, "w": 7 * 24 * 3600}
_NAMED = 5
"""Number of pieces of a kind that are named, besides those with a reason of their own."""
_YES = "--yes"
OWN_FLAGS = (_YES,)
"""Flags of this command alone."""


def command(words: Sequence[str]) -> None:
    """Run `probing clean [KIND ...] [--yes]`: list what nothing refers to, and remove it with --yes.

    Raises:
        ProbingError: If a word is not understood, or there is no such folder.
    """
    asked = parse([word for word in words if "=" in word], "probing clean --help")
    root = folder_of_outputs(asked, "clean")
    age = _age(asked.pop("older_than", "0h"))
    if asked:
        raise ProbingError(f"clean: cannot use {next(iter(asked))}=; it takes older_than= and paths.root=")
    named = [word for word in words if "=" not in word and word != _YES]
    kinds = [_kind(word) for word in named] or list(FINDERS)
    found = outputs(Path(root))
    pieces = {kind: _old(list(FINDERS[kind](found)), age) for kind in kinds}
    if _YES in words:
        _remove(pieces, found)
    else:
        _list(pieces, found)


def _kind(word: str) -> Kind:
    for kind in FINDERS:
        if kind == word:
            return kind
    raise ProbingError(f"clean: cannot use {word!r}; {suggest(word, [*FINDERS, _YES])}")


def _age(text: str) -> float:
    """Return a duration in seconds."""
    match = re.fullmatch(r"(\d+)([hdw])", text)
    if match is None:
        raise ProbingError(f"older_than={text}; give hours, days or weeks, such as 12h, 30d or 2w")
    return int(match[1]) * _SECONDS[match[2]]


def _old(pieces: list[Unused], age: float) -> list[Unused]:
    """Return the pieces that have not changed for some seconds."""
    latest = time.time() - age
    return [piece for piece in pieces if age == 0 or (piece.stamp and piece.stamp[0] / 1e9 < latest)]


def _list(pieces: Mapping[Kind, list[Unused]], found: Outputs) -> None:
    _write(pieces, found, {})
    total = sum(len(own) for own in pieces.values())
    size = size_text(sum(piece.size for own in pieces.values() for piece in own))
    end = f"{_counted(total)}, {size}; nothing was removed, --yes removes what is listed"
    output().write(f"{end if total else 'nothing to remove'}\n")


def _remove(pieces: Mapping[Kind, list[Unused]], found: Outputs) -> None:
    reasons = {piece.path: remove(piece, found) for own in pieces.values() for piece in own}
    stays = {path: reason for path, reason in reasons.items() if reason}
    gone = {kind: [piece for piece in own if piece.path not in stays] for kind, own in pieces.items()}
    _write(gone, found, stays)
    total = sum(map(len, gone.values()))
    size = size_text(sum(piece.size for own in gone.values() for piece in own))
    output().write(f"{_counted(total)} removed, {size}\n" if total else "nothing removed\n")


def _counted(count: int) -> str:
    return f"{count:,} file or folder" if count == 1 else f"{count:,} files and folders"


def _write(pieces: Mapping[Kind, list[Unused]], found: Outputs, stays: Mapping[Path, str]) -> None:
    """Write the count, size and cost of each kind, the names of its pieces, and what stays."""
    for kind, own in pieces.items():
        if own:
            size = size_text(sum(piece.size for piece in own))
            output().write(f"{kind}: {len(own):,}, {size} ({COSTS[kind]})\n")
            output().write("".join(f"  {line}\n" for line in _names(own)))
    left = [*found.left, *(f"{path}: {reason}" for path, reason in stays.items())]
    if left:
        output().write("left alone\n" + "".join(f"  {line}\n" for line in dict.fromkeys(left)))


def _names(pieces: Sequence[Unused]) -> list[str]:
    named = [f"{piece.path}: {piece.why}" for piece in pieces if piece.why]
    plain = [f"{piece.path}, {size_text(piece.size)}" for piece in pieces if not piece.why]
    more = [f"... and {len(plain) - _NAMED:,} more"] if len(plain) > _NAMED else []
    return [*named, *plain[:_NAMED], *more]
