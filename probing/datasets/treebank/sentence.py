"""A parsed sentence, whatever file it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# tokens joined by one space, as SentEval has them; or with the spaces that the file records
TextStyle = Literal["tokens", "raw"]


@dataclass(frozen=True, slots=True)
class Word:
    """A syntactic word.

    Attributes:
        form: As written; of a part of a multiword token, what the treebank writes for it.
        lemma: Dictionary form, or "".
        upos: Universal part of speech, or "".
        xpos: The language's own tag, or "".
        feats: Morphological features by name.
        head: Place of its governor among the sentence's words, -1 of the root, None where unknown.
        deprel: Its relation to the governor, or "".
        token: Place of the token that it is written in; words of one multiword token share it.
    """

    form: str
    lemma: str
    upos: str
    xpos: str
    feats: Mapping[str, str]
    head: int | None
    deprel: str
    token: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A constituent of a bracketed tree.

    Attributes:
        label: With its function tags, `NP-SBJ-1`.
        children: Constituents, and words by their places, in order.
    """

    label: str
    children: tuple[Phrase | int, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its tokens, as they are written, and its words, as they are analysed.

    Attributes:
        place: File and line that it starts at, for messages.
        split: train, dev or test where the file's name says so, else None.
        tokens: Written forms.
        spaces: Whether a space follows each token.
        words: In order; most often one for each token.
        tree: The constituents, of a bracketed tree only.
    """

    place: str
    split: str | None
    tokens: tuple[str, ...]
    spaces: tuple[bool, ...]
    words: tuple[Word, ...] = field(repr=False)
    tree: Phrase | None = field(default=None, repr=False)

    def text(self, style: TextStyle) -> str:
        """What a model is given."""
        return join(self.tokens, self.spaces, style)

    def spans(self, style: TextStyle) -> list[tuple[int, int]]:
        """Character offsets [start, end) in `text(style)` of every token."""
        found = []
        start = 0
        for token, space in zip(self.tokens, self.spaces, strict=True):
            found.append((start, start + len(token)))
            start += len(token) + (style == "tokens" or space)
        return found


def join(tokens: tuple[str, ...], spaces: tuple[bool, ...], style: TextStyle) -> str:
    """Tokens as one text, without a space at its end."""
    if style == "tokens":
        return " ".join(tokens)
    return "".join(t + " " * s for t, s in zip(tokens, spaces, strict=True)).rstrip(" ")
