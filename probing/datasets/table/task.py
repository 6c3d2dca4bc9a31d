"""The choice in conf/task for the user's own data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from probing.datasets.table.delimited import Format
from probing.datasets.table.records import read_table, table_of
from probing.datasets.table.split_files import split_files
from probing.datasets.table.tabular import Tables, TabularTask
from probing.errors import ProbingError


@dataclass(frozen=True, kw_only=True)
class TableTask(TabularTask):
    """Data in a csv, tsv, jsonl or parquet file, in a file for each split, or in a pandas frame.

    Attributes:
        name: Name in results; by default `table/` and the name of the file.
        path: The file, or a folder with a file for each split.
        train: The file to train on, instead of `path`.
        dev: The file to select settings on.
        test: The file to score on.
        frame: The data themselves, instead of files; only from Python.
        encoding: Encoding of text files.
        separator: Separator of fields in csv and tsv; None chooses it by the extension.
        quotes: Whether fields may be in double quotes; see `Format`.
        header: Whether the first line of csv and tsv names the columns; otherwise they are called 0, 1, ...

    Raises:
        ProbingError: If options contradict each other.
    """

    path: Path | None = None
    train: Path | None = None
    dev: Path | None = None
    test: Path | None = None
    frame: pd.DataFrame | None = field(default=None, compare=False, repr=False)
    encoding: str = "utf-8"
    separator: str | None = None
    quotes: bool | None = None
    header: bool = True

    @property
    def _title(self) -> str:
        path = self.path or self.train
        if self.name != "table" or self.frame is not None or path is None:
            return self.name
        return f"table/{path.resolve().stem}"

    def _tables(self) -> Tables:
        named = {"train": self.train, "dev": self.dev, "test": self.test}
        if self.frame is not None:
            if self.path or any(named.values()):
                raise ProbingError("data= and the files of task=table contradict each other; leave one out")
            table = table_of(self.frame)
            return Tables([(None, table)], table.where)
        files = split_files(self.path, named)
        if len(files) > 1 and self.split is not None:
            raise ProbingError(
                "task.split names a column, but every split has its own file; leave task.split out"
            )
        how = Format(self.encoding, self.separator, self.quotes, self.header)
        tables = [(split, read_table(path, how)) for split, path in files]
        return Tables(tables, ", ".join(dict.fromkeys(table.where for _, table in tables)))
