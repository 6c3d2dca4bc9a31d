"""Kept pictures: the same rows are not drawn again by the same code, but their pictures are copied.

For a run whose result is found, drawing takes about as long as everything else. This module does not import
a plotting library.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pandas as pd

from probing.io.files import replace_file
from probing.results.finding import finding_of_rows

_LIST, _OWNER = "pictures.json", "result.json"
_CODE = ("figures", "results", "analyses")

DrawFiles = Callable[[], Sequence[Path]]


def drawn_once(
    rows: pd.DataFrame, order: str, folder: Path, store: Path, draw: DrawFiles
) -> tuple[Path, ...]:
    """Draw a run into its folder, or copy the pictures that were drawn from the same rows.

    Args:
        rows: Rows of the result frame, of one run.
        order: The order of heads in a grid.
        folder: The folder of the run.
        store: The folder of kept pictures.
        draw: Function that draws into `folder` and returns the files.

    Returns:
        The files in `folder`.
    """
    if any(":" in picture.draw for picture in finding_of_rows(rows).pictures):
        return tuple(draw())  # by code from outside, which may have changed
    kept = store / _digest(rows, order)
    found = _copied(kept, folder)
    if found is not None:
        return found
    files = tuple(draw())
    _keep(kept, files, str(rows["key"].iloc[0]))
    return files


def _copied(kept: Path, folder: Path) -> tuple[Path, ...] | None:
    """Copy kept pictures; None if there are none or one of them is damaged."""
    try:
        digests: dict[str, str] = json.loads((kept / _LIST).read_text(encoding="utf-8"))
        contents = {name: (kept / name).read_bytes() for name in digests}
        whole = all(_sha(content) == digests[name] for name, content in contents.items())
    except (OSError, ValueError, AttributeError):
        return None
    if not whole:
        return None
    for name, content in contents.items():
        replace_file(folder / name, content)
    return tuple(folder / name for name in contents)


def is_kept_for(kept: Path, keys: Collection[str]) -> bool:
    """Return whether kept pictures are of one of some results, and drawn by the present code.

    Args:
        kept: A folder of kept pictures.
        keys: Keys of results.
    """
    try:
        owner: dict[str, str] = json.loads((kept / _OWNER).read_text(encoding="utf-8"))
        return owner["key"] in keys and owner["code"] == _code()
    except (OSError, ValueError, KeyError, TypeError):  # an older version did not note it
        return False


def _keep(kept: Path, files: Sequence[Path], key: str) -> None:
    """Write copies, and last the list of them. Without the list they are not read."""
    replace_file(kept / _OWNER, json.dumps({"key": key, "code": _code()}).encode())
    contents = {path.name: path.read_bytes() for path in files}
    for name, content in contents.items():
        replace_file(kept / name, content)
    digests = {name: _sha(content) for name, content in contents.items()}
    replace_file(kept / _LIST, json.dumps(digests).encode())


def _digest(rows: pd.DataFrame, order: str) -> str:
    numbers = pd.util.hash_pandas_object(rows.astype("string"), index=False).to_numpy().tobytes()
    names = json.dumps([order, version("matplotlib"), _code(), list(map(str, rows.columns))])
    return hashlib.sha256(numbers + names.encode()).hexdigest()[:16]


@cache
def _code() -> str:
    """A digest of the code that draws."""
    package = Path(__file__).resolve().parents[1]
    sources = sorted(path for room in _CODE for path in (package / room).rglob("*.py"))
    return _sha(b"".join(path.read_bytes() for path in sources))


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
