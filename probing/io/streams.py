"""Streams for messages to people: the terminal, or nothing without one, as under pythonw."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO


class _Nowhere(io.StringIO):
    """Takes everything and keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


def output() -> TextIO:
    """Standard output, or nowhere."""
    return sys.stdout or _Nowhere()


def errors() -> TextIO:
    """Standard error, or nowhere."""
    return sys.stderr or _Nowhere()


def complain(message: str) -> None:
    """Write a line to standard error."""
    errors().write(f"{message}\n")


def speak_any_letters() -> None:
    """Have terminals of other encodings than UTF-8 show escapes instead of refusing letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="backslashreplace")


def end_quietly() -> None:
    """Let nothing more be written to standard output, whose reader has gone."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
