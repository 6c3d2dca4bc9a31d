"""The choice in conf/task for data sets of the Hugging Face hub."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probing.datasets.hub.blocks import Part
from probing.datasets.hub.label_names import named_values
from probing.datasets.hub.open_splits import HubSplit, open_data, read_split
from probing.datasets.hub.roles import roles_of
from probing.datasets.table.tabular import Tables, TabularTask
from probing.datasets.table.values import DataTable
from probing.errors import ProbingError
from probing.tasks.target import Classes
from probing.tasks.task import SPLITS, Task

log = logging.getLogger(__name__)
# number of blocks in which every declared class should have been met
_THOROUGH = 256


@dataclass(frozen=True, kw_only=True)
class HubTask(TabularTask):
    """A data set of the Hugging Face hub, or local files of one.

    Columns are named as for `TableTask`. Classes have the names, and the order, that the data set declares.
    Rows without a text are left out and counted.

    Attributes:
        name: Name in results; by default `hub/` and the name of the data set.
        dataset: Name on the hub, such as `stanfordnlp/imdb`.
        config: Name of the data set within the repository; None takes the only one, or the default.
        revision: Branch, tag or commit; None takes the main branch. The commit is recorded.
        path: Folder with its parquet files, or one that `save_to_disk` wrote; None uses the `datasets`
            library, which looks in its cache and on the hub.
        train: Name of the split to train on; None finds it by its usual names.
        dev: Name of the split to select settings on.
        test: Name of the split to score on. If there is none, dev is scored; if train is the only split,
            splits are made.

    Raises:
        ProbingError: If options contradict each other.
    """

    name: str = "hub"
    dataset: str | None = None
    config: str | None = None
    revision: str | None = None
    path: Path | None = None
    train: str | None = None
    dev: str | None = None
    test: str | None = None

    def __post_init__(self) -> None:
        """Reject options that contradict each other."""
        super().__post_init__()
        if self.path is not None and self.revision is not None:
            raise ProbingError(
                "task.revision and task.path contradict each other: a folder has no revisions; leave one out"
            )

    def build_part(self, limit: int) -> tuple[Task, bool]:
        """Read a part from which `limit` examples of every split can be drawn; see `PartialSource`."""
        if self.word:  # blocks of rows would cut sentences, of which each row is a word
            return self.build(), True
        part = Part.of_limit(limit)
        while True:
            tables = self._tables(part)
            try:
                task = self._task(self._examples(tables), tables.source)
            except ProbingError as error:
                # a part may lack a class
                if tables.whole:
                    raise
                if part.blocks > _THOROUGH:
                    raise ProbingError(
                        f"{error}; this holds for a part, and a larger task.limit reads more"
                    ) from error
            else:
                if tables.whole or self._enough(task, tables, limit, part):
                    return task, tables.whole
            part = part.larger()

    def _enough(self, task: Task, tables: Tables, limit: int, part: Part) -> bool:
        declared = tables.by_split[0][1].class_names.get(self.label, ())
        lacking = isinstance(task.target, Classes) and set(declared) - {*task.target.names, *self.ignore}
        split_later = len(tables.by_split) == 1
        sizes = [len(task.rows(split)) for split in SPLITS if split_later or split in tables.partial]
        enough = min((size for size in sizes if size), default=limit) >= limit
        return enough and (not lacking or part.blocks >= _THOROUGH)

    @property
    def _title(self) -> str:
        of = self.dataset or (self.path and self.path.resolve().name)
        return self.name if self.name != "hub" or not of else f"hub/{of.rpartition('/')[2]}"

    def _tables(self, part: Part | None = None) -> Tables:
        if self.dataset is None and self.path is None:
            raise ProbingError(
                "task.dataset is not set; give its name on the hub, as in task.dataset=stanfordnlp/imdb, or "
                "a folder, task.path=..."
            )
        where = self.dataset or str(self.path)
        data = open_data(self.dataset or "", self.config, self.revision, self.path, streamed=part is not None)
        roles = roles_of(data.names, self._given(), where)
        if len(roles) > 1 and self.split is not None:
            raise ProbingError("task.split names a column, but the data have splits; leave task.split out")
        read = {role: read_split(data, name, part, self._needed()) for role, name in roles.items()}
        for role, split in read.items():
            self._check_labels(split, role, [name for name in data.names if name != roles[role]])
        alone = set(roles) == {"train"}
        source = f"{data.source}: {', '.join(roles.values())}"
        partial = frozenset(role for role, split in read.items() if part and split.rows is not None)
        if part is not None and partial:
            source += f"; a part, {part.blocks} blocks of {part.rows // part.blocks} rows of each split"
        return Tables(
            [(None if alone else role, self._table(split)) for role, split in read.items()],
            source,
            not partial,
            partial,
        )

    def _given(self) -> dict[str, str | None]:
        """Return the given split of every role that the selection needs."""
        given = {"train": self.train, "dev": self.dev, "test": self.test}
        needed = {"nested": ("train",), "none": ("test",)}.get(self.selection, SPLITS)
        return {role: given[role] for role in needed}

    def _needed(self) -> set[str]:
        named = (
            self.label, self.second, self.start, self.end, self.second_start, self.second_end, self.tokens,
            self.word, self.sentence, self.split, None if self.tokens or self.word else self.text,
        )  # fmt: skip
        return {name.partition(".")[0] for name in named if name}

    def _table(self, split: HubSplit) -> DataTable:
        everything = DataTable(split.columns, split.where)
        texts = [everything.column(self.tokens or self.word or self.text, self._text_key)]
        texts += [everything.column(self.second, "task.second")] if self.second else []
        kept = [row for row, of_row in enumerate(zip(*texts, strict=True)) if all(map(_has_text, of_row))]
        if not kept:
            raise ProbingError(
                f"{split.where}: no row has a text; choose another column, {self._text_key}=..."
            )
        if len(kept) < len(everything):
            log.warning(
                "%s: %d rows have an empty text and are left out", split.where, len(everything) - len(kept)
            )
        columns = {name: [values[row] for row in kept] for name, values in split.columns.items()}
        numbers = [row + 1 for row in kept] if split.rows is None else [split.rows[row] for row in kept]
        made = named_values(columns, split.class_names, split.where)
        if self.label_separator and self.label in made:
            made[self.label] = [_joined(value, self.label_separator) for value in made[self.label]]
        return DataTable(made, split.where, class_names=split.class_names, rows=numbers)

    @property
    def _text_key(self) -> str:
        return "task.tokens" if self.tokens else "task.word" if self.word else "task.text"

    def _check_labels(self, split: HubSplit, role: str, others: Sequence[str]) -> None:
        labels = split.columns.get(self.label, ())
        if labels and self.label in split.class_names and all(label == -1 for label in labels):
            raise ProbingError(
                f"{split.where}: all labels are -1, which hides them; use another split, task.{role}=...; "
                f"there is {', '.join(others)}"
            )


def _has_text(value: Any) -> bool:  # noqa: ANN401
    if isinstance(value, list):
        return bool(value) and all(map(_has_text, value))
    return value is not None and bool(str(value).strip())


def _joined(value: Any, separator: str) -> Any:  # noqa: ANN401
    """Return a list of labels as one cell of a table."""
    return separator.join(map(str, value)) if isinstance(value, list) else value
