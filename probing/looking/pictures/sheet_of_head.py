"""What all pictures of a look share: their subject, their heading, and their tables of weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probing.figures.page import Line, shorten, wrap
from probing.figures.style import FAINT, TEXT_SIZE, TITLE_SIZE
from probing.looking.finds import Arcs
from probing.looking.look import Look
from probing.looking.maps import Maps, Read
from probing.looking.pieces import Array, Pieces

_LINES_OF_TEXT = 2


@dataclass(frozen=True)
class Subject:
    """One head and one text of a look.

    Attributes:
        look: The look.
        read: The text.
        pieces: The words, or the tokens, that attend to each other.
        maps: The weights.
        weights: Name of the weights.
        arcs: What the heads find of the text's dependencies; None without a tree.
    """

    look: Look
    read: Read
    pieces: Pieces
    maps: Maps
    weights: str
    arcs: Arcs | None

    @property
    def title(self) -> str:
        """Name of the head."""
        return f"layer {self.look.start.layer} head {self.look.start.head}"

    @property
    def labels(self) -> list[str]:
        """Names of the places, each on one line, without signs that fonts lack."""
        return [label.replace("$", r"\$") for label in self.pieces.labels]

    @property
    def head(self) -> Array:
        """Weights of the head, float32 (queries, keys)."""
        start = self.look.start
        return self.pieces.merge(self.maps.layers[start.layer][start.head])

    def heading(self, title: str, width: float, facts: Sequence[str] = ()) -> list[Line]:
        """Return the lines above a picture: its title, its facts, and the text.

        Args:
            title: First line.
            width: Width of the picture in inches.
            facts: Facts in the second line.
        """
        parts = [self.look.model, *facts]
        if self.weights != "attention":
            parts.append(self.weights)
        about = [Line(line, TEXT_SIZE, FAINT) for line in wrap(parts, width, TEXT_SIZE)]
        passage = self.read.passage
        texts = [passage.text, *([passage.second] if passage.second else [])]
        shown = [Line(shorten(text, width, TEXT_SIZE), TEXT_SIZE) for text in texts]
        return [Line(title, TITLE_SIZE, bold=True), *about, *shown]

    @property
    def between(self) -> str:
        """Words that say what attends to what."""
        single = self.pieces is self.read.tokens
        return "between tokens" if single else "between words"


def subject_of(look: Look, text: int, weights: str) -> Subject:
    """Return the head that a look starts with on one of its texts."""
    read = look.reads[text]
    words = look.start.unit == "words" and read.words is not None
    pieces = read.words if words and read.words is not None else read.tokens
    return Subject(look, read, pieces, read.maps[weights], weights, look.arcs[text].get(weights))


def wide_table(pieces: Pieces, maps: Iterable[tuple[int, int, Array]]) -> pd.DataFrame:
    """Return weights as a table with a row for each head and query, and a column for each key.

    Args:
        pieces: The places.
        maps: Layer, head and weights (queries, keys) of each head.
    """
    n = len(pieces)
    keys = [f"{place} {label}" for place, label in enumerate(pieces.labels)]
    frames = []
    for layer, head, weights in maps:
        about = {"layer": layer, "head": head, "query": np.arange(n), "word": pieces.labels}
        values = pd.DataFrame(weights.astype(np.float64).round(6), columns=keys)
        frames.append(pd.concat([pd.DataFrame(about), values], axis=1))
    return pd.concat(frames, ignore_index=True)
