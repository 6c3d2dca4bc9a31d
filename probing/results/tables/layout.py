"""A table before it is written in a format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

MISSING = "\N{EN DASH}"
"""Text of a cell without a value."""


class Cell(NamedTuple):
    """A cell of a table.

    Attributes:
        text: Its text.
        bold: Whether it is the best one and so in bold.
    """

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Layout:
    """A table before it is written in a format.

    Attributes:
        caption: Sentences about the whole table.
        headings: Headings of the columns.
        lines: Rows, a cell for each column.
        texts: Number of columns, from the first, that are aligned to the left because they contain names.
    """

    caption: str
    headings: tuple[str, ...]
    lines: tuple[tuple[Cell, ...], ...]
    texts: int = 1

    def without_empty(self) -> Layout:
        """The same table without columns that have no value in any row."""
        kept = [
            place
            for place in range(len(self.headings))
            if any(line[place].text not in ("", MISSING) for line in self.lines)
        ]
        return Layout(
            self.caption,
            tuple(self.headings[place] for place in kept),
            tuple(tuple(line[place] for place in kept) for line in self.lines),
            sum(place < self.texts for place in kept),
        )


def sentence(*parts: str) -> str:
    """Return the parts that are not empty as one sentence, "Test accuracy (%); the best in bold."."""
    text = "; ".join(part.rstrip(".") for part in parts if part)
    return f"{text[0].upper()}{text[1:]}." if text else ""
