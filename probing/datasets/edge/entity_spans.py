"""The choice in conf/task for named entities: spans with their types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from probing.datasets.edge.bracket_columns import bracketed_spans
from probing.datasets.edge.conll_rows import ENDINGS, ENTITY, FORM, ColumnRows, read_rows
from probing.datasets.edge.edge_task import EdgeTask
from probing.datasets.edge.edge_text import Edge, EdgeText
from probing.datasets.tagged_words import TaggedSpan, tagged_spans


@dataclass(frozen=True, kw_only=True)
class EntitySpansTask(EdgeTask):
    """Named entities with their types, as in edge probing: the spans are given, and the type is predicted.

    Reads columns of tags in IOB1, IOB2, BIOES or BILOU as of CoNLL-2003 (Tjong Kim Sang & De Meulder), and
    the brackets of CoNLL-2012 (Pradhan et al.), which a line `#begin document` shows.

    Attributes:
        column: Column of the tags from 0, or from -1 backwards. CoNLL-2012 has its own column.
        word_column: Column of the words. CoNLL-2012 has its own column.
    """

    column: int = -1
    word_column: int = 0

    format: ClassVar[str] = "columns of entities"
    endings: ClassVar[tuple[str, ...]] = ENDINGS

    def texts(self, path: Path, split: str | None) -> Iterator[EdgeText]:
        """Yield the sentences of a file; see `EdgeTask.texts`."""
        for rows in read_rows(path, self._files.hint):
            words = rows.forms(FORM if rows.ontonotes else self.word_column, "task.word_column")
            edges = [Edge((span.label,), (span.start, span.end)) for span in self._spans(rows)]
            yield EdgeText.of_words(rows.place, split, words, edges)

    def _spans(self, rows: ColumnRows) -> list[TaggedSpan]:
        if rows.ontonotes:
            return bracketed_spans(rows.column(ENTITY), rows.places)
        return tagged_spans(rows.column(self.column, "task.column"), rows.places)
