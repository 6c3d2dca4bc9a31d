"""Reading data files line by line, with errors that name the line."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from probing.errors import ProbingError


def read_lines(path: Path, encoding: str, hint: str, *, blank: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a text file, from 1, without their line ends and a byte order mark.

    Args:
        path: The file.
        encoding: Its encoding.
        hint: What to do if it is not there.
        blank: Whether to yield empty lines too, where lines of several files belong together by number.

    Raises:
        ProbingError: If the file is missing, empty, or not in this encoding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ProbingError(f"{path}: {(error.strerror or 'cannot be read').lower()}; {hint}") from error
    if not content.strip():
        raise ProbingError(f"{path}: the file is empty; {hint}")
    content = content.removeprefix(BOM_UTF8).removesuffix(b"\n")
    # only the line feed ends a line: str.splitlines would also split at characters inside sentences
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not blank and not line.strip():
            continue
        try:
            # UTF-16 without its mark decodes, with null characters between the letters
            if b"\0" in line:
                raise UnicodeError
            yield number, line.decode(encoding).rstrip("\r")
        except UnicodeError as error:
            raise ProbingError(f"{path}, line {number}: not {encoding} text; convert the file") from error
