"""The texts to look at, with their words and, in a treebank, their dependencies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.sentence import Sentence
from probing.datasets.treebank.task import TreebankTask
from probing.datasets.treebank.words.task import WordTask
from probing.errors import ProbingError
from probing.tasks.source import TaskSource
from probing.tasks.task import Unit

# letters and digits, with the apostrophes within them; every other sign is a word of its own
_WORD = re.compile(r"\w+(?:['\N{RIGHT SINGLE QUOTATION MARK}]\w+)*|[^\w\s]")
Span = tuple[int, int]


@dataclass(frozen=True)
class Tree:
    """The dependencies of a sentence, between its written tokens.

    Attributes:
        heads: Place of each token's governor; -1 for the root, None if it is unknown.
        relations: Relation of each token to its governor, or "".
    """

    heads: tuple[int | None, ...]
    relations: tuple[str, ...]


@dataclass(frozen=True)
class Passage:
    """One input of the model.

    Attributes:
        text: The text.
        second: A second text in the same input; None for a single text.
        spans: Character offsets [start, end) of the words of the text.
        second_spans: The same of the second text; empty without one.
        tree: Dependencies between the words of the text; None unless it is from a treebank.
        place: Origin of the text, such as file and line; "" if the user gave it.
    """

    text: str
    second: str | None
    spans: tuple[Span, ...]
    second_spans: tuple[Span, ...] = ()
    tree: Tree | None = None
    place: str = ""


def passage_of(text: str, second: str | None = None, place: str = "") -> Passage:
    """Divide a text, or a pair of texts, into words and punctuation marks.

    Raises:
        ProbingError: If a text is empty.
    """
    for name, each in (("text", text), ("second", second)):
        if each is not None and not each.strip():
            raise ProbingError(f"look: {name}= is empty; give a sentence")
    return Passage(text, second, _words(text), _words(second or ""), place=place)


def passage_of_unit(unit: Unit, place: str) -> Passage:
    """Return the input of an example of a task."""
    return passage_of(unit.text, unit.second, place)


def passages_of_treebank(source: TaskSource, numbers: Sequence[int]) -> tuple[Passage, ...]:
    """Return sentences of the treebank of a task.

    Args:
        source: A task on a treebank.
        numbers: Places of the sentences in its files, from 0.

    Raises:
        ProbingError: If the task has no treebank, or it has no such sentence.
    """
    if not isinstance(source, WordTask | TreebankTask):
        raise ProbingError(
            f"sentence= needs a treebank, but the task is {source.name}; give task.path=file.conllu"
        )
    sentences = read_treebank(source.path)
    for number in numbers:
        if not 0 <= number < len(sentences):
            raise ProbingError(
                f"sentence={number}: {source.path} has sentences 0 to {len(sentences) - 1}; give one of them"
            )
    return tuple(_of_sentence(sentences[number], source) for number in numbers)


def _of_sentence(sentence: Sentence, source: WordTask | TreebankTask) -> Passage:
    text, spans = sentence.text(source.text), sentence.spans(source.text)
    return Passage(text, None, tuple(spans), tree=tree_of(sentence), place=sentence.place)


def tree_of(sentence: Sentence) -> Tree | None:
    """Return the dependencies between written tokens; None if the treebank has none.

    The words of a multiword token are one token, whose governor is that of its first word with a governor
    outside the token.
    """
    if all(word.head is None for word in sentence.words):
        return None
    heads: list[int | None] = [None] * len(sentence.tokens)
    relations = [""] * len(sentence.tokens)
    for word in sentence.words:
        if word.head is None or relations[word.token]:
            continue
        head = -1 if word.head < 0 else sentence.words[word.head].token
        if head != word.token:
            heads[word.token], relations[word.token] = head, word.deprel
    return Tree(tuple(heads), tuple(relations))


def _words(text: str) -> tuple[Span, ...]:
    return tuple((found.start(), found.end()) for found in _WORD.finditer(text))
