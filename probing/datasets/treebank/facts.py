"""Facts found in a sentence, the same for both kinds of annotation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from unicodedata import category

from probing.datasets.treebank.sentence import Sentence

NUMBERS = ("singular", "plural")
TENSES = ("past", "present")
UNITS = "%‰°"


@dataclass(frozen=True, slots=True)
class Marked:
    """A word of a sentence and its class.

    Attributes:
        word: Its place among the words.
        label: Name of the class.
    """

    word: int
    label: str


@dataclass(frozen=True, slots=True)
class Clauses:
    """Two coordinate clauses that make up a sentence, as ranges of its tokens.

    Attributes:
        first: End of the first clause, [0, first); between it and `link` there is only punctuation.
        link: Place of the conjunction.
        end: End of the second clause, [link + 1, end); the rest is punctuation.
    """

    first: int
    link: int
    end: int

    @property
    def lengths(self) -> tuple[int, int]:
        """Numbers of tokens of the two clauses."""
        return self.first, self.end - self.link - 1

    @classmethod
    def around(cls, sentence: Sentence, link: int, second: Collection[int]) -> Clauses | None:
        """Return the clauses on both sides of a conjunction.

        Args:
            sentence: The sentence that contains them.
            link: Place of the conjunction among the words.
            second: Words of the second clause; if other words follow the conjunction, there is no answer.
        """
        tokens = sentence.tokens
        at = sentence.words[link].token
        first, end = at, len(tokens)
        while first > 0 and is_punctuation(tokens[first - 1]):
            first -= 1
        while end > at + 1 and is_punctuation(tokens[end - 1]):
            end -= 1
        # a conjunction that is joined to the next word, as in Arabic, cannot keep its place
        alone = sum(word.token == at for word in sentence.words) == 1
        covered = {sentence.words[word].token for word in second}
        apart = first > 0 and covered.issuperset(range(at + 1, end)) and min(covered, default=0) >= first
        return cls(first, at, end) if alone and apart else None


def is_punctuation(form: str) -> bool:
    """Return whether a token has neither letters nor digits and is not a unit such as % or $."""
    return not any(char.isalnum() or char in UNITS or category(char) == "Sc" for char in form)
