"""The choice in conf/task for a column of tags of words, such as their parts of speech."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from probing.datasets.edge.conll_rows import ENDINGS, FORM, TAG, read_rows
from probing.datasets.edge.edge_task import EdgeTask
from probing.datasets.edge.edge_text import Edge, EdgeText


@dataclass(frozen=True, kw_only=True)
class WordTagsTask(EdgeTask):
    """Parts of speech, or any other column with a tag for each word; every word is a span.

    Attributes:
        column: Column of the tags from 0, or from -1 backwards. CoNLL-2012 has its own column.
        word_column: Column of the words. CoNLL-2012 has its own column.
    """

    column: int = 1
    word_column: int = 0

    format: ClassVar[str] = "columns of tags"
    endings: ClassVar[tuple[str, ...]] = ENDINGS

    def texts(self, path: Path, split: str | None) -> Iterator[EdgeText]:
        """Yield the sentences of a file; see `EdgeTask.texts`."""
        for rows in read_rows(path, self._files.hint):
            words = rows.forms(FORM if rows.ontonotes else self.word_column, "task.word_column")
            tags = rows.column(TAG if rows.ontonotes else self.column, "task.column")
            edges = [Edge((tag,), (at, at + 1)) for at, tag in enumerate(tags)]
            yield EdgeText.of_words(rows.place, split, words, edges)
