"""Tokens and words of one input, and attention between words from attention between tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.looking.passages import Passage
from probing.representations.spans import SPACE_MARKS, span_tokens
from probing.representations.tokens import START, Tokens

if TYPE_CHECKING:
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

Array = NDArray[np.float32]
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"


@dataclass(frozen=True)
class Pieces:
    """The places that attend to each other: tokens, or words.

    Attributes:
        labels: Name of each place.
        special: Whether a place is a token that the tokenizer adds, such as [CLS].
        texts: Number of the text that each place is in, 0 or 1.
        members: bool (places, tokens), the tokens of each place; the identity for tokens.
        words: Number of the word of the first text that each place is; -1 if it is not one.
    """

    labels: tuple[str, ...]
    special: tuple[bool, ...]
    texts: tuple[int, ...]
    members: NDArray[np.bool_]
    words: tuple[int, ...]

    def __len__(self) -> int:
        """Return the number of places."""
        return len(self.labels)

    def without_special(self) -> Pieces:
        """Return the same places without those of tokens that the tokenizer adds."""
        keep = [place for place, special in enumerate(self.special) if not special]
        return Pieces(
            tuple(self.labels[place] for place in keep),
            tuple(False for _ in keep),
            tuple(self.texts[place] for place in keep),
            self.members[keep],
            tuple(self.words[place] for place in keep),
        )

    def after_start(self) -> Pieces:
        """Return the places as a decoder reads them: after its start token, and without the last token.

        A word whose last token is not read is shown, but is not one of the text's words any more.
        """
        cut = self.members[:, -1]
        later = np.roll(self.members, 1, axis=1)
        later[:, 0] = False
        start = np.eye(1, later.shape[1], dtype=bool)
        keep = np.flatnonzero(later.any(1)).tolist()
        return Pieces(
            (START, *(self.labels[place] for place in keep)),
            (True, *(self.special[place] for place in keep)),
            (0, *(self.texts[place] for place in keep)),
            np.concatenate([start, later[keep]]),
            (-1, *(-1 if cut[place] else self.words[place] for place in keep)),
        )

    def merge(self, weights: Array) -> Array:
        """Return attention between these places (Clark et al. 2019, section 4.1).

        The columns of a word's tokens are summed, and their rows are averaged, so that a row that sums to 1
        still does.

        Args:
            weights: float32 (..., tokens, tokens), queries and keys.

        Returns:
            float32 (..., places, places).
        """
        if len(self) == weights.shape[-1] and (self.members == np.eye(len(self), dtype=bool)).all():
            return weights
        columns = self.members.astype(np.float64)
        rows = columns / columns.sum(1, keepdims=True)
        merged: Array = (rows @ weights.astype(np.float64) @ columns.T).astype(np.float32)
        return merged


def tokens_of(passage: Passage, tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> Pieces:
    """Return the tokens of an input as places."""
    ids = tokens.ids["input_ids"]
    names = [str(name) for name in tokenizer.convert_ids_to_tokens(ids)]
    return Pieces(
        tuple(_readable(name, part) for name, part in zip(names, _written(passage, tokens), strict=True)),
        tuple(_special(tokens, tokenizer)),
        tuple(_texts(tokens)),
        np.eye(len(ids), dtype=bool),
        tuple([-1] * len(ids)),
    )


def words_of(passage: Passage, tokens: Tokens, single: Pieces) -> Pieces:
    """Return the words of an input as places; a token outside all words is a place by itself.

    A word that the model's limit cut off in whole or in part, or that has no token, is left out.

    Args:
        passage: The input with its words.
        tokens: Its tokens.
        single: The tokens as places, `tokens_of`.

    Raises:
        ProbingError: If the tokenizer does not report the characters of a token.
    """
    if tokens.kept is None:
        raise ProbingError("words need character offsets; use a model with a fast tokenizer")
    owner = np.full(len(single), -1)
    texts = ((passage.text, passage.spans), (passage.second or "", passage.second_spans))
    for number, (text, spans) in enumerate(texts):
        if spans:
            marked, lost = span_tokens(text, spans, tokens.kept, tokens.whole, sequence=number)
            first = len(passage.spans) * number
            for place in np.flatnonzero(~lost):
                owner[marked[place] & (owner < 0)] = first + place
    groups: dict[tuple[str, int], list[int]] = {}
    for token, word in enumerate(owner.tolist()):
        groups.setdefault(("token", token) if word < 0 else ("word", word), []).append(token)
    members = np.zeros((len(groups), len(single)), dtype=bool)
    for row, places in enumerate(groups.values()):
        members[row, places] = True
    leading = [places[0] for places in groups.values()]
    written = [text[slice(*span)] for text, spans in texts for span in spans]
    return Pieces(
        tuple(single.labels[at] if kind == "token" else written[at] for kind, at in groups),
        tuple(single.special[token] for token in leading),
        tuple(single.texts[token] for token in leading),
        members,
        tuple(at if kind == "word" and at < len(passage.spans) else -1 for kind, at in groups),
    )


def _special(tokens: Tokens, tokenizer: PreTrainedTokenizerBase) -> list[bool]:
    if tokens.kept is not None:
        return [bool(mark) for mark in tokens.kept.special_tokens_mask]
    own = set(tokenizer.all_special_ids)
    return [number in own for number in tokens.ids["input_ids"]]


def _texts(tokens: Tokens) -> list[int]:
    """Return the text of each token; a special token belongs to the text before it."""
    if tokens.kept is None:
        return list(tokens.ids.get("token_type_ids", [0] * len(tokens)))
    found, current = [], 0
    for sequence in tokens.kept.sequence_ids:
        current = current if sequence is None else int(sequence)
        found.append(current)
    return found


def _written(passage: Passage, tokens: Tokens) -> list[str]:
    """Return the characters of each token; "" for special tokens, or if they are unknown."""
    if tokens.kept is None:
        return [""] * len(tokens)
    texts = (passage.text, passage.second or "")
    offsets = zip(tokens.kept.sequence_ids, tokens.kept.offsets, strict=True)
    return ["" if number is None else texts[number][slice(*span)] for number, span in offsets]


def _readable(name: str, written: str) -> str:
    """Return a token's name with the sign of a space; names in bytes give way to letters."""
    plain = "".join(SPACE if letter in SPACE_MARKS else letter for letter in name)
    if written.strip() and not plain.replace(SPACE, "").isascii():
        plain = SPACE * plain.startswith(SPACE) + written.strip()
    return plain.replace("\r", "\\r").replace("\n", "\\n")
