"""Parsed sentences, the same for all file formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# tokens joined by single spaces, as in SentEval, or with the spaces that the file records
TextStyle = Literal["tokens", "raw"]


@dataclass(frozen=True, slots=True)
class Word:
    """A syntactic word.

    Attributes:
        form: The written form; for a part of a multiword token, the treebank's form.
        lemma: Dictionary form, or "".
        upos: Universal part of speech, or "".
        xpos: Language-specific tag, or "".
        feats: Morphological features by name.
        head: Place of its governor among the sentence's words, -1 for the root, None if unknown.
        deprel: Its relation to the governor, or "".
        token: Place of the token that contains it; words of a multiword token share it.
        entity: Brackets of the entities that start or end here, as in the field `Entity` of MISC, or "".
    """

    form: str
    lemma: str
    upos: str
    xpos: str
    feats: Mapping[str, str]
    head: int | None
    deprel: str
    token: int
    entity: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A constituent of a bracketed tree.

    Attributes:
        label: Label with its function tags, `NP-SBJ-1`.
        children: Constituents, and words by their places, in order.
    """

    label: str
    children: tuple[Phrase | int, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its tokens, as written, and its words, as analysed.

    Attributes:
        place: File and line where it starts, for messages.
        split: train, dev or test if the file name says so, else None.
        tokens: Written forms.
        spaces: Whether a space follows each token.
        words: Words in order, usually one for each token.
        tree: The constituents; None unless the tree is bracketed.
        document: Number of its document in the file; 0 before the first mark of a new document.
    """

    place: str
    split: str | None
    tokens: tuple[str, ...]
    spaces: tuple[bool, ...]
    words: tuple[Word, ...] = field(repr=False)
    tree: Phrase | None = field(default=None, repr=False)
    document: int = 0

    @property
    def file(self) -> str:
        """The file that it comes from."""
        return self.place.rpartition(", line ")[0]

    def text(self, style: TextStyle) -> str:
        """Return the text given to a model."""
        return join(self.tokens, self.spaces, style)

    def spans(self, style: TextStyle) -> list[tuple[int, int]]:
        """Return the character offsets [start, end) of every token in `text(style)`."""
        found = []
        start = 0
        for token, space in zip(self.tokens, self.spaces, strict=True):
            found.append((start, start + len(token)))
            start += len(token) + (style == "tokens" or space)
        return found


def join(tokens: tuple[str, ...], spaces: tuple[bool, ...], style: TextStyle) -> str:
    """Join tokens into one text, without a space at its end."""
    if style == "tokens":
        return " ".join(tokens)
    return "".join(t + " " * s for t, s in zip(tokens, spaces, strict=True)).rstrip(" ")
