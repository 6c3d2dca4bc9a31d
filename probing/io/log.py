"""The log: shown on the terminal as it is written, and written to a file once a run has a folder."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging.handlers import MemoryHandler
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from probing.io.streams import errors

LOG = "run.log"
"""The name of the log in the folder of a run."""
_TERMINAL, _EARLIER = "probing.terminal", "probing.earlier"
_SHOWN: ContextVar[int] = ContextVar("shown", default=logging.INFO)
# number of records kept for a file that does not exist yet
_MOST = 10_000


class _File(logging.FileHandler):
    """A log file that ignores write errors; the run itself reports a full disk."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Drop the record."""


@contextmanager
def showing(level: int | None) -> Iterator[None]:
    """Show log lines on the terminal from a level up; progress is shown from `logging.INFO` down.

    None changes nothing.
    """
    before = _SHOWN.set(_SHOWN.get() if level is None else level)
    try:
        yield
    finally:
        _SHOWN.reset(before)


def quiet() -> bool:
    """Return whether only errors are shown."""
    return _SHOWN.get() > logging.INFO


@contextmanager
def log_to_terminal() -> Iterator[None]:
    """Show the log, and keep records for the file that `log_to_file` may open meanwhile."""
    if _named(_TERMINAL) is not None:
        yield
        return
    terminal = _Terminal(errors())
    terminal.setFormatter(logging.Formatter("%(message)s"))
    earlier = MemoryHandler(_MOST, flushLevel=logging.CRITICAL + 1, flushOnClose=False)
    terminal.setLevel(_SHOWN.get())
    terminal.set_name(_TERMINAL)
    earlier.set_name(_EARLIER)
    with _handlers(terminal, earlier):
        yield


@contextmanager
def log_to_file(path: Path) -> Iterator[None]:
    """Write the log, including the records just before, to a file and to the terminal."""
    with log_to_terminal():
        if _named(str(path)) is not None:
            yield
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        file = _File(path, encoding="utf-8")
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        file.set_name(str(path))
        earlier = _named(_EARLIER)
        if isinstance(earlier, MemoryHandler):
            earlier.setTarget(file)
            earlier.flush()
            earlier.setTarget(None)
        with _handlers(file):
            yield


class _Terminal(logging.StreamHandler[TextIO]):
    """The terminal, where a line clears a bar of progress and draws it again below."""

    def emit(self, record: logging.LogRecord) -> None:
        with tqdm.external_write_mode(file=self.stream):
            super().emit(record)


class _Kept(logging.Handler):
    """A handler that keeps its records in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def kept_back() -> Iterator[list[logging.LogRecord]]:
    """Collect the records of the log instead of showing them; `show` shows them later."""
    logger, keeper = logging.getLogger("probing"), _Kept()
    others = list(logger.handlers)
    for handler in others:
        logger.removeHandler(handler)
    try:
        with _handlers(keeper):
            yield keeper.records
    finally:
        for handler in others:
            logger.addHandler(handler)


def show(records: Iterable[logging.LogRecord]) -> None:
    """Show records that were kept back."""
    for record in records:
        logging.getLogger(record.name).handle(record)


def _named(name: str) -> logging.Handler | None:
    handlers = logging.getLogger("probing").handlers
    return next((handler for handler in handlers if handler.name == name), None)


@contextmanager
def _handlers(*handlers: logging.Handler) -> Iterator[None]:
    logger = logging.getLogger("probing")
    before = logger.level, logger.propagate
    logger.setLevel(min(logging.INFO, _SHOWN.get()))
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before[0])
        logger.propagate = before[1]
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
