"""The parts that all pictures of a look share: subject, heading, and table of weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probing.figures.page import Line, shorten, wrap
from probing.figures.style import FAINT, TEXT_SIZE, TITLE_SIZE
from probing.looking.finds import Arcs
from probing.looking.looked import Looked
from probing.looking.maps import Maps, Read
from probing.looking.pieces import Array, Pieces
from probing.looking.scene import Scene


@dataclass(frozen=True)
class Subject:
    """One head and one text of a look.

    Attributes:
        look: The look, whose scene is drawn.
        read: The text.
        level: All places, words or tokens, whose weights determine the shared scale.
        pieces: The places that are drawn, with or without special tokens.
        maps: The weights.
        arcs: What the heads find of the text's dependencies; None without a tree.
    """

    look: Looked
    read: Read
    level: Pieces
    pieces: Pieces
    maps: Maps
    arcs: Arcs | None

    @property
    def scene(self) -> Scene:
        """The choices of the picture."""
        return self.look.scene

    @property
    def title(self) -> str:
        """Name of the head."""
        return f"{self.look.sides.layer}layer {self.scene.layer} head {self.scene.head}"

    @property
    def head(self) -> Array:
        """Weights of the head, float32 (queries, keys)."""
        return self.pieces.merge(self.maps.layers[self.scene.layer][self.scene.head])

    def top(self, weights: Array) -> float:
        """Return the upper end of the scale of one head's weights; never 0."""
        shared = self.scene.scale == "shared"
        return self.shared_top if shared else float(weights.max(initial=0)) or 1.0

    @property
    def shared_top(self) -> float:
        """Upper end of the scale of all heads, with or without special tokens; never 0."""
        return self.maps.top(self.level) or 1.0

    def heading(self, title: str, width: float, facts: Sequence[str] = ()) -> list[Line]:
        """Return the lines above a picture: its title, its facts, and the text.

        Args:
            title: First line.
            width: Width of the picture in inches.
            facts: Facts in the second line.
        """
        parts = [self.look.model, *facts]
        if not self.maps.attention:
            parts.append(self.scene.weights)
        about = [Line(line, TEXT_SIZE, FAINT) for line in wrap(parts, width, TEXT_SIZE)]
        passage = self.read.passage
        texts = [passage.text, *([passage.second] if passage.second else [])]
        shown = [Line(shorten(text, width, TEXT_SIZE), TEXT_SIZE) for text in texts]
        return [Line(title, TITLE_SIZE, bold=True), *about, *shown]

    @property
    def between(self) -> str:
        """Words that say what attends to what."""
        what = "words" if self.scene.unit == "words" and self.read.words is not None else "tokens"
        return f"between {what}{'' if self.scene.special else ' without special tokens'}"


def subject_of(look: Looked) -> Subject:
    """Return the head and the text of the scene of a look."""
    scene, read = look.scene, look.reads[look.scene.passage]
    level = read.words if scene.unit == "words" and read.words is not None else read.tokens
    pieces = level if scene.special else level.without_special()
    arcs = look.arcs[scene.passage].get(scene.weights)
    return Subject(look, read, level, pieces, read.maps[scene.weights], arcs)


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
