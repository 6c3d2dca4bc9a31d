"""The choice in conf/task for semantic roles: a predicate and each of its arguments."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from probing.datasets.edge.bracket_columns import bracketed_spans
from probing.datasets.edge.conll_rows import (
    COREFERENCE,
    FIRST_PREDICATE,
    FORM,
    ONTONOTES_ENDINGS,
    ColumnRows,
    read_ontonotes,
)
from probing.datasets.edge.edge_task import EdgeTask
from probing.datasets.edge.edge_text import Edge, EdgeText

log = logging.getLogger(__name__)
PREDICATE = "V"
_PARTS = ("R-", "C-")


@dataclass(frozen=True, kw_only=True)
class ArgumentRolesTask(EdgeTask):
    """Pairs of a predicate and an argument with its role, from the columns of CoNLL-2012 (PropBank).

    The first span is the predicate and the second the argument, as in edge probing.

    Attributes:
        references: Whether roles of references (`R-ARG0`) and of continuations (`C-ARG1`) give targets. The
            authors train on them and leave them out of their scores.
    """

    references: bool = True

    format: ClassVar[str] = "CoNLL-2012, semantic roles"
    endings: ClassVar[tuple[str, ...]] = ONTONOTES_ENDINGS

    def texts(self, path: Path, split: str | None) -> Iterator[EdgeText]:
        """Yield the sentences of a file; see `EdgeTask.texts`."""
        for rows in read_ontonotes(path, self._files.hint, self.name):
            yield EdgeText.of_words(rows.place, split, rows.forms(FORM), self._edges(rows))

    def _edges(self, rows: ColumnRows) -> Iterator[Edge]:
        for at in range(FIRST_PREDICATE, len(rows.fields[0]) + COREFERENCE):
            spans = bracketed_spans(rows.column(at), rows.places)
            predicate = next(((span.start, span.end) for span in spans if span.label == PREDICATE), None)
            if predicate is None:
                log.warning("%s: column %d has no predicate (V*), so it is left out", rows.place, at)
                continue
            for span in spans:
                if span.label != PREDICATE and (self.references or not span.label.startswith(_PARTS)):
                    yield Edge((span.label,), predicate, (span.start, span.end))
