"""Words of a command, `column=value,value`, and the rows of results that they select."""

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
"""Values of each column, as written by the user."""


def parse(words: Sequence[str], command: str) -> dict[str, str]:
    """Return words as names and values.

    Args:
        words: Words of the form `column=value`.
        command: Command that the words belong to, for the message.

    Raises:
        ProbingError: If a word has another form.
    """
    asked = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise ProbingError(f"{word!r} is not column=value; see {command}")
        if name in asked:
            raise ProbingError(f"{name}= is given twice; separate several values by commas")
        asked[name] = value
    return asked


def places(asked: dict[str, str], out: str) -> tuple[str, Path]:
    """Return the folder to read and the path to write, taken out of the given words.

    Args:
        asked: Output of `parse`; `paths.root` is another name for `root`. Both are read as a run reads its
            `paths.root`.
        out: Path to write to if `out` is not given.

    Raises:
        ProbingError: If the folder is named twice, or a path cannot be read.
    """
    named = [name for name in ("root", "paths.root") if name in asked]
    if len(named) > 1:
        raise ProbingError("root= and paths.root= name the same folder; give one of them")
    root = path_as_run(asked.pop(named[0]), named[0]) if named else "outputs"
    return str(root), path_as_run(asked.pop("out"), "out") if "out" in asked else Path(out)


def folder_of_outputs(asked: dict[str, str], command: str) -> str:
    """Return the folder to read, taken out of the words of a command that writes no file.

    Raises:
        ProbingError: If the words name a file to write, or the folder twice.
    """
    if "out" in asked:
        raise ProbingError(f"{command}: cannot use out=; it writes no file")
    return places(asked, "")[0]


def values(text: str) -> list[str]:
    """Return the values between commas; commas within brackets are part of a value: probe[nhid=50,dropout=0].

    A value in quotes may contain commas, as the name of a file may: `task='table/a,b'`.
    """
    return [unquoted(part) if is_literal(part) else part for part in split(text)]


def choose(
    frame: pd.DataFrame, where: Where, root: str = "outputs", *, keep_missing: bool = False
) -> pd.DataFrame:
    """Return the rows whose columns have one of the given values; baselines only if `baseline` is given.

    Runs that give way to another run with an equal run spec are left out (`probing.results.several`).

    Args:
        frame: Output of `load_results`.
        where: Values of each column, as written by the user.
        root: Folder from which the frame was read, for messages.
        keep_missing: Whether to keep rows with a missing value in a column, such as rows of importance where
            a `probe` is given.

    Raises:
        ProbingError: If there is no such column or no such row. The message lists the existing ones.
    """
    if frame.empty:
        raise ProbingError(f"{root}: no results; run probing first, or give paths.root=...")
    rows = frame
    for column, asked in {"baseline": (NONE,), **where}.items():
        has = having(rows, column, asked)
        # a run without a limit is a full run; selecting it differs from not constraining the limit
        rows = rows[has | rows[column].isna() if keep_missing and column != "limit" else has]
    return preferred(rows, frame)


def having(frame: pd.DataFrame, column: str, asked: Sequence[str]) -> pd.Series:
    """Return whether each row has one of some values in a column; "none" matches missing values.

    Raises:
        ProbingError: If there is no such column, or no row has one of the values. The message lists the
            existing ones.
    """
    if column not in frame:
        raise ProbingError(f"no column {column!r}; {suggest(column, list(map(str, frame.columns)))}")
    written = frame[column].astype("string").fillna(NONE)
    if pd.api.types.is_bool_dtype(frame[column]):
        written = written.str.lower().replace("false", NONE)
        asked = [NONE if value.lower() == "false" else value.lower() for value in asked]
    asked = [NONE if value == "null" and "null" not in set(written) else value for value in asked]
    absent = [value for value in asked if not (written == value).any()]
    if absent:
        there = list(written.unique()) or ["nothing"]
        raise ProbingError(f"no result with {column}={absent[0]}; {suggest(absent[0], there)}")
    return written.isin(list(asked)).astype(bool)
