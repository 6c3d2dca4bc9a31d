"""Which columns of a table are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from probing.errors import ProbingError
from probing.tasks.task import Pair

_SPLIT_NAMES = {
    "train": ("train", "training", "tr"),
    "dev": ("dev", "development", "validation", "valid", "val", "va", "eval"),
    "test": ("test", "testing", "te"),
}
SPLIT_OF = {written: split for split, names in _SPLIT_NAMES.items() for written in names}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Which columns hold what; `text` and `label` alone make a row an example.

    Attributes:
        text: The text, or the first of a pair.
        label: The class or score; with `tokens` a list of them.
        second: The second text of a pair.
        pair: Whether the texts of a pair get a vector each, or are read by the model as one joint input.
        start: First character, from 0, of a span of `text` that the vector is of.
        end: The character after the span.
        second_start: The same for a second span, in `second` or, without it, in `text`.
        second_end: Its end.
        tokens: A list of words, one row a sentence; every word is an example. Takes the place of `text`.
        word: One word, one row a word; every word is an example. Takes the place of `text`.
        sentence: With `word`: what is the same for all words of a sentence, and for no other sentence of
            the file.
        split: train, dev or test; also called training, validation, valid, val, eval.
    """

    text: str = "text"
    label: str = "label"
    second: str | None = None
    pair: Pair = "vectors"
    start: str | None = None
    end: str | None = None
    second_start: str | None = None
    second_end: str | None = None
    tokens: str | None = None
    word: str | None = None
    sentence: str | None = None
    split: str | None = None

    def check(self) -> None:
        """Refuse columns that contradict each other.

        Raises:
            ProbingError: Naming the keys.
        """
        for one, other in (("start", "end"), ("second_start", "second_end"), ("word", "sentence")):
            if (getattr(self, one) is None) is not (getattr(self, other) is None):
                raise ProbingError(f"task.{one} and task.{other} belong together; give both or neither")
        if self.second_start and not self.start:
            raise ProbingError("task.second_start is a second span; give the first, task.start and task.end")
        words = [key for key in ("tokens", "word") if getattr(self, key)]
        others = [key for key in ("second", "start", *words[1:]) if getattr(self, key)]
        if words and others:
            raise ProbingError(f"task.{words[0]} and task.{others[0]} contradict each other; leave one out")
        if self.pair == "joint" and (self.second_start or not self.second):
            raise ProbingError("task.pair=joint is for task.second without a span of its own; leave it out")
