"""Streams for messages to the user: the terminal, or nothing without one, as under pythonw."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


class _Nowhere(io.StringIO):
    """A stream that discards everything."""

    def write(self, text: str) -> int:
        return len(text)


def output() -> TextIO:
    """Return standard output, or a stream that discards everything."""
    return sys.stdout or _Nowhere()


def errors() -> TextIO:
    """Return standard error, or a stream that discards everything."""
    return sys.stderr or _Nowhere()


def complain(message: str) -> None:
    """Write a line to standard error."""
    errors().write(f"{message}\n")


def speak_any_letters() -> None:
    """Make terminals with encodings other than UTF-8 show escapes instead of failing on letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="backslashreplace")


def end_quietly() -> None:
    """Discard all further writes to standard output, whose reader has gone."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
