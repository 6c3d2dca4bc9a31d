"""Columns of a table that a task reads."""

from __future__ import annotations

from dataclasses import dataclass

from probing.errors import ProbingError
from probing.tasks.task import PairInput

_SPLIT_NAMES = {
    "train": ("train", "training", "tr"),
    "dev": ("dev", "development", "validation", "valid", "val", "va", "eval"),
    "test": ("test", "testing", "te"),
}
SPLIT_OF = {written: split for split, names in _SPLIT_NAMES.items() for written in names}


@dataclass(frozen=True, kw_only=True)
class TableColumns:
    """Names of the columns of a table; `text` and `label` are enough to make each row an example.

    Attributes:
        text: The text, or the first text of a pair.
        label: The class or score; with `tokens`, a list of them.
        second: The second text of a pair.
        pair: `vectors` for one vector per text of a pair, or `joint` for both texts in one model input.
        start: First character, from 0, of the span of `text` that gets the vector.
        end: Offset of the character after the span.
        second_start: First character of a second span, in `second` or, without it, in `text`.
        second_end: Offset of the character after the second span.
        tokens: A list of words; each row is a sentence, and every word is an example. Replaces `text`.
        word: A single word; each row is a word, and every word is an example. Replaces `text`.
        sentence: With `word`, a value that all words of a sentence share, and that no other sentence of the
            file has.
        split: train, dev or test; also called training, validation, valid, val, eval.
    """

    text: str = "text"
    label: str = "label"
    second: str | None = None
    pair: PairInput = "vectors"
    start: str | None = None
    end: str | None = None
    second_start: str | None = None
    second_end: str | None = None
    tokens: str | None = None
    word: str | None = None
    sentence: str | None = None
    split: str | None = None

    def check(self) -> None:
        """Reject columns that contradict each other.

        Raises:
            ProbingError: If they do; the message names the keys.
        """
        for one, other in (("start", "end"), ("second_start", "second_end"), ("word", "sentence")):
            if (getattr(self, one) is None) is not (getattr(self, other) is None):
                raise ProbingError(f"task.{one} and task.{other} belong together; give both or neither")
        if self.second_start and not self.start:
            raise ProbingError("task.second_start needs a first span; give task.start and task.end too")
        words = [key for key in ("tokens", "word") if getattr(self, key)]
        others = [key for key in ("second", "start", *words[1:]) if getattr(self, key)]
        if words and others:
            raise ProbingError(f"task.{words[0]} and task.{others[0]} contradict each other; leave one out")
        if self.pair == "joint" and (self.second_start or not self.second):
            raise ProbingError("task.pair=joint needs task.second, and takes no second span; leave it out")
