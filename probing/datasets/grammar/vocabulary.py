"""Words as data: lemma, inflected forms and possible combinations."""

from __future__ import annotations

from dataclasses import dataclass

VOWELS = "aeiou"
DOUBLED = ("stop", "swim", "run", "drop", "begin", "forget", "admit", "plan", "rot", "prefer")


@dataclass(frozen=True, slots=True)
class Noun:
    """A countable noun.

    Attributes:
        lemma: The singular.
        plural: The plural.
        kind: Its semantic class, "food".
        gender: "m" or "f" if the word implies it.
    """

    lemma: str
    plural: str
    kind: str
    gender: str = ""

    def form(self, tag: str) -> str:
        """Return the form for the tag NN or NNS."""
        return self.plural if tag == "NNS" else self.lemma


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb in one of its frames.

    Attributes:
        lemma: The base form.
        past: The past tense.
        frame: "intr", "tr", "dit", "cop", "that" (a clause follows) or "to" (an infinitive follows).
        subjects: Classes of its generated subjects.
        objects: Classes of its generated objects.
        bears: Further classes of subjects and objects that would make sense but are never generated.
        state: Whether it names a state, so that nobody does it carefully.
    """

    lemma: str
    past: str
    frame: str
    subjects: tuple[str, ...]
    objects: tuple[str, ...] = ()
    bears: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    state: bool = False

    def form(self, tag: str) -> str:
        """Return the form for a Penn tag: VB, VBP, VBZ, VBD or VBG."""
        if tag == "VBD":
            return self.past
        if tag == "VBZ":
            return add_s(self.lemma)
        return gerund(self.lemma) if tag == "VBG" else self.lemma

    def takes(self, subject: str, obj: str) -> bool:
        """Return whether a subject of one class and an object of another ("" for none) make sense."""
        fits_subject = subject in self.subjects or subject in self.bears[0]
        return fits_subject and (not obj or obj in self.objects or obj in self.bears[1])


@dataclass(frozen=True, slots=True)
class Adjective:
    """An adjective, the classes it can describe, and its rank among others (size before colour)."""

    lemma: str
    kinds: tuple[str, ...]
    rank: int


@dataclass(frozen=True, slots=True)
class Preposition:
    """A preposition, what it can attach to (noun classes or "verb") and what can follow it."""

    lemma: str
    heads: tuple[str, ...]
    objects: tuple[str, ...]
    bears: tuple[str, ...] = ()


Lexeme = Noun | Verb


def add_s(word: str) -> str:
    """Add the regular -s: dogs, boxes, stories."""
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        return word + "es"
    if word.endswith("y") and word[-2] not in VOWELS:
        return word[:-1] + "ies"
    return word + "s"


def add_ed(word: str) -> str:
    """Make the regular past: walked, baked, carried, stopped."""
    if word.endswith("e"):
        return word + "d"
    if word.endswith("y") and word[-2] not in VOWELS:
        return word[:-1] + "ied"
    return doubled(word) + "ed"


def gerund(word: str) -> str:
    """Add the regular -ing: walking, baking, stopping, dying."""
    if word.endswith("ie"):
        return word[:-2] + "ying"
    if word.endswith("e") and not word.endswith("ee"):
        return word[:-1] + "ing"
    return doubled(word) + "ing"


def doubled(word: str) -> str:
    """Return the stem with its last consonant doubled if spelling requires it."""
    return word + word[-1] if word in DOUBLED else word
