"""`probing ls`: the results and cached vectors under a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from probing.cli.selection import Where, having, parse, places, values
from probing.errors import ProbingError
from probing.inventory.columns_text import columns_text, size_text
from probing.inventory.find import unique_length
from probing.inventory.frames import Stored, results_frame, take_stock, vectors_frame
from probing.io.streams import complain, output
from probing.results.text.score_text import shown
from probing.validation.suggestions import suggest

USAGE = """\
probing ls [results|vectors] [column=value ...] [paths.root=outputs] [format=csv|json]

Lists the results and the cached vectors under a folder, the newest last, with their sizes on disk. Several
values of a column are separated by commas, and "none" selects rows without a value. A terminal shows the
columns that fit; a pipe or a file gets all of them. Damaged files are named on standard error and left out;
the exit code is still 0. Vectors that no result refers to have 0 in the column results. "inner" marks
results that another run made on its way.

  results, vectors   list only these
  format=csv         write one table in full, as CSV or as JSON (a list of records)

  probing ls
  probing ls task=grammar/tense baseline=none,untrained
  probing ls vectors results=0
  probing ls results format=csv > results.csv
"""
_SPARE = {
    "results": (
        "path", "vectors", "inner", "seed", "step", "metric", "limit", "objective", "granularity", "pooling",
        "date", "layers",
    ),
    "vectors": ("path", "shards", "results", "layers", "site", "date"),
}  # fmt: skip
"""Columns that a narrow terminal leaves out, the first one first."""
_WHOLE = ("key", "best", "size", "date")
"""Columns that are never shortened."""


def command(words: Sequence[str]) -> None:
    """Run `probing ls [results|vectors] [column=value ...]`: print what is stored, and totals.

    Raises:
        ProbingError: If there is no such folder or column, or nothing matches.
    """
    tables = [word for word in words if "=" not in word]
    unknown = [word for word in tables if word not in _SPARE]
    if unknown or len(tables) > 1:
        word = (unknown or tables)[-1]
        raise ProbingError(f"ls: cannot use {word!r}; {suggest(word, list(_SPARE))}, or column=value")
    asked = parse([word for word in words if "=" in word], "probing ls --help")
    if "out" in asked:
        raise ProbingError("ls writes no file; give format=csv, and > file.csv after the command")
    kind = asked.pop("format", "")
    if kind not in ("", "csv", "json"):
        raise ProbingError(f"format={kind}; {suggest(kind, ['csv', 'json'])}")
    root, _ = places(asked, "")
    where = {name: values(value) for name, value in asked.items()}
    found = take_stock(Path(root))
    frames = _selected(found, where, tables)
    if kind:
        _export(frames, kind)
    else:
        output().write(_listing(frames, root))
    for problem in found.problems:
        complain(f"not listed: {problem}")


def _selected(found: Stored, where: Where, tables: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the rows of each table that have the given values; a table without such a column is left out.

    Raises:
        ProbingError: If no table has the column or the value.
    """
    frames = {"results": results_frame(found), "vectors": vectors_frame(found)}
    chosen, problems = {}, []
    for name in tables or list(frames):
        try:
            chosen[name] = _having(frames[name], where)
        except ProbingError as error:
            problems.append(error)
    if not chosen:
        raise problems[0]
    return chosen


def _having(frame: pd.DataFrame, where: Where) -> pd.DataFrame:
    """Return the rows whose columns have one of the given values; a list of names matches by each of them."""
    if frame.empty and set(where) <= set(frame):
        return frame
    for column, asked in where.items():
        single = frame
        if column in ("model", "task") and "shards" in frame:
            single = frame.assign(**{column: frame[column].str.split(", ")}).explode(column)
        has = having(single, column, asked)
        frame = frame[frame.index.isin(single.index[has])]
    return frame


def _export(frames: dict[str, pd.DataFrame], kind: str) -> None:
    if len(frames) != 1:
        raise ProbingError(f"format={kind} writes one table; name it: probing ls results format={kind}")
    (frame,) = frames.values()
    if kind == "csv":
        output().write(frame.to_csv(index=False))
    else:
        output().write(frame.to_json(orient="records", date_format="iso", indent=1) + "\n")


def _listing(frames: dict[str, pd.DataFrame], root: str) -> str:
    return "\n".join(_table(name, frame, root) for name, frame in frames.items())


def _table(name: str, frame: pd.DataFrame, root: str) -> str:
    if frame.empty:
        return f"{root}: no {name}\n"
    total = size_text(int(frame["bytes"].sum()))
    counted = "vectors of {} request{}" if name == "vectors" else "{} result{}"
    count = counted.format(f"{len(frame):,}", "" if len(frame) == 1 else "s")
    width = os.get_terminal_size().columns if sys.stdout and sys.stdout.isatty() else None
    shown = _readable(frame, short=width is not None)
    return f"{columns_text(shown, width, _SPARE[name], _WHOLE)}\n{count}, {total}\n"


def _readable(frame: pd.DataFrame, *, short: bool) -> pd.DataFrame:
    """Return the columns as text: sizes with a unit, local dates, scores in percent, keys in short."""
    here = datetime.now(UTC).astimezone().tzinfo
    dates = frame["date"].dt.tz_convert(here).dt.strftime("%Y-%m-%d %H:%M")
    frame = frame.assign(bytes=frame["bytes"].map(size_text), date=dates)
    if "best" in frame:
        inner = frame["inner"].map({True: "inner"}, na_action="ignore")
        frame = frame.assign(best=_scores(frame), inner=inner)
    if short:
        keys = frame["key"].str.slice(0, unique_length(list(frame["key"])))
        frame = frame.assign(key=keys, date=dates.str.slice(0, 10))
    return frame.rename(columns={"bytes": "size"})


def _scores(frame: pd.DataFrame) -> pd.Series:
    texts = [
        None if pd.isna(best) else shown(float(best), str(metric))
        for best, metric in zip(frame["best"], frame["metric"], strict=True)
    ]
    return pd.Series(texts, frame.index, dtype="string")
