"""A text with labelled spans, or labelled pairs of spans, the same for all file formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from probing.datasets.joining import Span, joined
from probing.tasks.task import Unit

Words = tuple[int, int]
"""A span of words [start, end), counted from 0."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A span of a text, or a pair of spans, with its labels.

    Attributes:
        labels: Names of the labels, usually one.
        span: The words of the span.
        second: The words of the second span; None if there is one span only.
    """

    labels: tuple[str, ...]
    span: Words
    second: Words | None = None


@dataclass(frozen=True, slots=True)
class EdgeText:
    """A text with its edges.

    Attributes:
        place: File and line, for messages.
        split: train, dev or test if the file name says so, else None.
        text: The text given to the tokenizer.
        words: Character offsets [start, end) of every word of the text.
        edges: The labelled spans, in the order of the file.
        group: A text that all texts share which must not be in different splits, such as the start of their
            document; "" if this text may be in any split.
    """

    place: str
    split: str | None
    text: str
    words: tuple[Span, ...]
    edges: tuple[Edge, ...]
    group: str = ""

    @classmethod
    def of_words(
        cls, place: str, split: str | None, words: Iterable[str], edges: Iterable[Edge], group: str = ""
    ) -> EdgeText:
        """Join words by single blanks."""
        text, spans = joined(words)
        return cls(place, split, text, spans, tuple(edges), group)

    @property
    def key(self) -> str:
        """The text by which a split is drawn."""
        return self.group or self.text

    def unit(self, edge: Edge) -> Unit:
        """Return the unit of an edge, with one span of characters or two."""
        second = None if edge.second is None else self._characters(edge.second)
        return Unit(self.text, self._characters(edge.span), second_span=second)

    def _characters(self, words: Words) -> Span:
        return self.words[words[0]][0], self.words[words[1] - 1][1]
