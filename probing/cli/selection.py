"""Words of a command, `column=value,value`, and the rows of results that they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from probing.config.compose import path_as_run
from probing.config.quoting import is_literal, split, unquoted
from probing.errors import ProbingError
from probing.results.schema import NONE
from probing.results.several import preferred
from probing.validation.suggestions import suggest

Where = Mapping[str, Sequence[str]]
"""For each column its values, as they are written."""


def parse(words: Sequence[str], command: str) -> dict[str, str]:
    """Words as names and values.

    Args:
        words: Each `column=value`.
        command: Whose, for the message.

    Raises:
        ProbingError: If a word is anything else.
    """
    asked = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ProbingError(f"{word!r} is not column=value; see {command}")
        if name in asked:
            raise ProbingError(f"{name}= is given twice; give several values between commas")
        asked[name] = value
    return asked


def places(asked: dict[str, str], out: str) -> tuple[str, Path]:
    """The folder that is read and the path that is written, taken out of what was asked.

    Args:
        asked: Output of `parse`; `paths.root` is another name for `root`. Both are read as a run reads its
            `paths.root`.
        out: Where to write if `out` is not given.

    Raises:
        ProbingError: If the folder is named twice, or a path cannot be read.
    """
    named = [name for name in ("root", "paths.root") if name in asked]
    if len(named) > 1:
        raise ProbingError("root= and paths.root= name the same folder; give one of them")
    root = path_as_run(asked.pop(named[0]), named[0]) if named else "outputs"
    return str(root), path_as_run(asked.pop("out"), "out") if "out" in asked else Path(out)


def values(text: str) -> list[str]:
    """Values between commas; those within brackets belong to a value, as in senteval[nhid=50,dropout=0.1].

    A value in quotes may hold commas, as the name of a file may: `task='table/a,b'`.
    """
    return [unquoted(part) if is_literal(part) else part for part in split(text)]


def choose(
    frame: pd.DataFrame, where: Where, root: str = "outputs", *, keep_missing: bool = False
) -> pd.DataFrame:
    """The rows whose columns have one of the given values; rows of baselines only if `baseline` is given.

    Runs that give way to another run of an equal question are left out (`probing.results.several`).

    Args:
        frame: What `load_results` gives.
        where: For each column, its values as they are written.
        root: Where the frame was read from, for messages.
        keep_missing: Whether rows that have nothing in a column are kept, as those of an importance where a
            `probe` is asked.

    Raises:
        ProbingError: If there is no such column, or no such row; the message lists what there is.
    """
    if frame.empty:
        raise ProbingError(f"{root}: no results there; run probing first, or give paths.root=...")
    rows = frame
    for column, asked in {"baseline": (NONE,), **where}.items():
        has = having(rows, column, asked)
        # a run without a limit is a full one; that differs from leaving the limit open
        rows = rows[has | rows[column].isna() if keep_missing and column != "limit" else has]
    return preferred(rows, frame)


def having(frame: pd.DataFrame, column: str, asked: Sequence[str]) -> pd.Series:
    """The rows with one of some values in a column; bool. "none" asks for rows that have nothing in it.

    Raises:
        ProbingError: If there is no such column, or no row has one of the values; the message lists what
            there is.
    """
    if column not in frame:
        raise ProbingError(f"no column {column!r}; {suggest(column, list(map(str, frame.columns)))}")
    written = frame[column].astype("string").fillna(NONE)
    absent = [value for value in asked if not (written == value).any()]
    if absent:
        there = list(written.unique()) or ["nothing"]
        raise ProbingError(f"no result with {column}={absent[0]}; {suggest(absent[0], there)}")
    return written.isin(list(asked)).astype(bool)
