"""Results and cached vectors by the start of their key, from file names alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probing.errors import ProbingError
from probing.representations.summaries import is_store
from probing.results.store import key_of
from probing.validation.suggestions import MOST_NAMED, suggest

_SHORT = 8


@dataclass(frozen=True)
class Place:
    """A result file or a folder of cached vectors.

    Attributes:
        kind: "result" or "vectors".
        key: Its whole key.
        path: The file or the folder.
    """

    kind: Literal["result", "vectors"]
    key: str
    path: Path


def places_of(root: Path) -> list[Place]:
    """Return all results and all cached vectors under a folder.

    Raises:
        ProbingError: If there is no such folder, or nothing is in it.
    """
    if not root.is_dir():
        raise ProbingError(f"{root}: no such folder; give the paths.root that the runs wrote to")
    results = sorted((root / "results").glob("*.parquet"))
    stores = [folder for folder in sorted((root / "representations").glob("*")) if is_store(folder)]
    found = [Place("result", key_of(path), path) for path in results]
    found += [Place("vectors", folder.name, folder) for folder in stores]
    if not found:
        raise ProbingError(f"{root}: no results and no vectors; run probing first, or give paths.root=...")
    return found


def find(root: Path, start: str) -> Place:
    """Return the only result or vectors whose key starts with some characters, or that a path names.

    Raises:
        ProbingError: If nothing has such a key, or several have; the message lists keys.
    """
    known = places_of(root)
    named = key_of(Path(start)) if start.endswith(".parquet") else Path(start).name.rpartition(".")[2]
    start = named or start
    found = [place for place in known if place.key.startswith(start.lower())] if start else known
    if len(found) == 1:
        return found[0]
    if not found:
        keys = [place.key[: max(_SHORT, len(start))] for place in known]
        raise ProbingError(f"{root}: no key starts with {start}; {suggest(start, keys)}")
    names = [f"{place.key} ({_described(place)})" for place in found[:MOST_NAMED]]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    if len({place.key for place in found}) == 1:
        raise ProbingError(f"{start}: two files have this key, {', '.join(names)}; remove one of them")
    several = f"{len(found)} keys start with {start}, {', '.join(names)}{more}"
    raise ProbingError(f"{root}: {several}; give more characters of one")


def _described(place: Place) -> str:
    return "vectors" if place.kind == "vectors" else place.path.stem.removesuffix(f".{place.key}")


def unique_length(keys: Sequence[str]) -> int:
    """Return the number of characters, at least eight, that distinguish some keys."""
    length = _SHORT
    while len({key[:length] for key in keys}) < len(set(keys)):
        length += 1
    return length
