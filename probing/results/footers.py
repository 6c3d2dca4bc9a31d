"""Results as their footers describe them: names, best score, size and date, without reading a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from probing.errors import CorruptFileError, MisplacedFileError
from probing.io.parquet import Footer, read_footer
from probing.representations.request import key_of as key_of_request
from probing.results.schema import COLUMNS, NONE, fitted
from probing.results.store import check_result, key_of

NAMES = (
    "model", "step", "task", "analysis", "granularity", "pooling", "probe", "objective", "baseline", "seed",
    "limit", "inner", "metric",
)  # fmt: skip
"""Columns that have one value in all rows of a run, or that are missing if they have several."""


@dataclass(frozen=True)
class ResultFooter:
    """A result file without its rows.

    Attributes:
        path: Path of the file.
        key: Key of the run.
        names: Value of each column of `NAMES`; None if it is missing.
        best: Highest test score of a run of probes; None for other analyses.
        about: Note about the run.
        size: Size of the file in bytes.
        created: Time at which the run ended.
    """

    path: Path
    key: str
    names: Mapping[str, Any]
    best: float | None
    about: Mapping[str, Any]
    size: int
    created: datetime

    @property
    def vectors(self) -> frozenset[str]:
        """Keys of the vectors, or of the statistics of attention, that the run read or may have read.

        An objective may read hidden states, which are cached under a key of their own. Results of older
        versions name no further statistics.
        """
        read = self.about.get("read")
        keys = {str(self.about.get("representations", "")), *(read if isinstance(read, list) else ())}
        request = self.about.get("request")
        if self.names["objective"] is not None and isinstance(request, Mapping):
            keys.add(_key({**request, "site": "hidden"}))
        return frozenset(keys - {""})


def _key(request: Mapping[str, Any]) -> str:
    """Return the key of a request as its JSON content."""
    return key_of_request(json.dumps(request, sort_keys=True, indent=1).encode())


def read_footers(root: Path) -> tuple[list[ResultFooter], list[CorruptFileError]]:
    """Read the footers of all results of a folder, and the reasons why some files are not results.

    A file that is damaged within its rows is among the results, since only their footers are read.
    """
    found: dict[str, ResultFooter] = {}
    problems = []
    for path in sorted(root.glob("*.parquet")):
        try:
            footer = read_result_footer(path)
            if footer.key in found:
                other = found[footer.key].path.name
                raise MisplacedFileError(str(path), f"it contains the same result as {other}")
            found[footer.key] = footer
        except CorruptFileError as error:
            problems.append(error)
    return list(found.values()), problems


def read_result_footer(path: Path) -> ResultFooter:
    """Read the footer of a result file.

    Raises:
        CorruptFileError: If the file is damaged, has another key, or is of another version.
    """
    footer = read_footer(path)
    check_result(path, footer.note, footer.mark)
    try:
        state = path.stat()
    except OSError as error:  # removed meanwhile
        raise CorruptFileError(str(path), str(error.strerror)) from error
    names = {name: _same(footer, name) for name in NAMES}
    names["baseline"] = names["baseline"] or NONE  # files of older versions leave it out
    created = _created(footer.note, state.st_mtime)
    return ResultFooter(path, key_of(path), names, _best(path, footer), footer.note, state.st_size, created)


def _same(footer: Footer, column: str) -> Any:  # noqa: ANN401
    """Return the value of all rows of a column; None if it is missing, or rows differ."""
    ends = footer.ends(column)
    return ends[0] if ends is not None and ends[0] == ends[1] else None


def _best(path: Path, footer: Footer) -> float | None:
    """Return the highest test score, without scores on permuted labels; None if rows are findings."""
    test, variant = footer.ends("test"), footer.ends("variant")
    if test is None or footer.ends("value") is not None or _same(footer, "objective") is not None:
        return None
    if variant is None:
        return float(test[1])
    try:
        rows = pq.read_table(path, columns=["variant", "test"]).to_pandas().astype(_KINDS)
    except (OSError, ValueError) as error:
        raise CorruptFileError(str(path), str(error).splitlines()[0]) from error
    best = rows["test"][fitted(rows)].max()
    return None if pd.isna(best) else float(best)


_KINDS = {name: COLUMNS[name] for name in ("variant", "test")}


def _created(about: Mapping[str, Any], modified: float) -> datetime:
    """Return the time that a note states, or else the time of the file."""
    try:
        return datetime.fromisoformat(str(about.get("created"))).astimezone(UTC)
    except ValueError:
        return datetime.fromtimestamp(modified, UTC)
