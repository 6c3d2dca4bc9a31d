"""Reading text data files, whole or line by line, with errors that name the line."""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from probing.errors import ProbingError

# first bytes of files that are not text, regardless of their extension
_PACKED = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a zip file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\xfd7zXZ\x00": "an xz file",
    b"PAR1": "a parquet file",
}
# files with byte order marks that were joined by `cat` have marks at the start of later lines
_MARK_OF_LINE = re.compile(rb"(^|(?<=[\r\n]))" + BOM_UTF8)
_MARK = re.compile(r"^\ufeff", re.MULTILINE)


@contextmanager
def readable(path: Path, hint: str) -> Iterator[None]:
    """Turn a failure to access a file or folder into a one-line error.

    Args:
        path: The file or folder.
        hint: The remedy, for the message.

    Raises:
        ProbingError: If the system denies access: the path is missing or forbidden, or its name is too long.
    """
    try:
        yield
    except OSError as error:
        raise ProbingError(f"{path}: {(error.strerror or 'cannot be read').lower()}; {hint}") from error
    except ValueError as error:  # a null character in the name
        raise ProbingError(f"{str(path)!r}: not a valid path ({error}); {hint}") from error


def read_text(path: Path, encoding: str, hint: str, key: str | None = None) -> str:
    """Read a text file without byte order marks at the start of the file or of a line.

    Args:
        path: The file.
        encoding: Its encoding.
        hint: The remedy if the file is missing.
        key: The option that sets the encoding, for messages; None if there is none.

    Returns:
        The text. Line ends are kept, except that the single carriage returns of old Macs become line feeds.

    Raises:
        ProbingError: If the file is missing, empty, packed, or not in this encoding.
    """
    with readable(path, hint):
        content = path.read_bytes()
    packed = next((what for start, what in _PACKED.items() if content.startswith(start)), None)
    if packed:
        raise ProbingError(f"{path}: {packed}, not text; unpack or convert it first")
    if BOM_UTF8 in content:
        content = _MARK_OF_LINE.sub(b"", content)
    text = _decode(content, path, encoding, key)
    if "\ufeff" in text:
        text = _MARK.sub("", text)
    # UTF-16 without its mark can be decoded, but has null characters between the letters
    null = text.find("\0")
    if null >= 0:
        raise ProbingError(_undecodable(path, text.count("\n", 0, null) + 1, encoding, key, "utf-16"))
    if not text.strip():
        raise ProbingError(f"{path}: the file is empty; {hint}")
    return text if "\n" in text else text.replace("\r", "\n")


def read_lines(path: Path, encoding: str, hint: str, *, blank: bool = False) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a text file, from 1, without their line ends and byte order marks.

    Args:
        path: The file.
        encoding: Its encoding.
        hint: The remedy if the file is missing.
        blank: Whether to yield empty lines too, for files where line numbers matter or a text may be empty.

    Raises:
        ProbingError: See `read_text`.
    """
    text = read_text(path, encoding, hint).removesuffix("\n")
    # only a line feed ends a line; str.splitlines would also split at characters inside sentences
    for number, line in enumerate(text.split("\n"), start=1):
        if blank or line.strip():
            yield number, line.rstrip("\r")


def _decode(content: bytes, path: Path, encoding: str, key: str | None) -> str:
    try:
        return content.decode(encoding)
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        likely = "utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "latin-1"
        line = content.count(b"\n", 0, start) + 1
        message = _undecodable(path, line, encoding, key, likely, f"byte 0x{content[start]:02x} is ")
        raise ProbingError(message) from error
    except (LookupError, ValueError) as error:
        raise ProbingError(
            f"{key} is {encoding!r}, which is not an encoding; give for example utf-8 or latin-1"
        ) from error


def _undecodable(
    path: Path, line: int, encoding: str, key: str | None, likely: str, what: str = "a null character is "
) -> str:
    if key is None:
        return f"{path}, line {line}: not {encoding} text; convert the file"
    return f"{path}, line {line}: {what}not {encoding} text; set the file's encoding, e.g. {key}={likely}"
