"""Detection of one noun or verb that was replaced by another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from probing.datasets.treebank.forms import allot
from probing.datasets.treebank.held_out import stable_number
from probing.datasets.treebank.pool import Pool, Pooled, SentenceExample
from probing.datasets.treebank.properties.property import Property, alternate
from probing.datasets.treebank.sentence import Sentence, Word
from probing.tasks.task import SPLITS

CLASSES = ("original", "changed")
# SentEval takes words that occur 40 to 400 times in its corpus; a treebank is smaller
FEWEST, MOST = 5, 400
# maximum ratio of two comparable frequencies
FACTOR = 2
# of ten words, those that dev and test may replace and insert
TENTHS = {0: "dev", 1: "dev", 2: "test", 3: "test"}
NOUNS = ("NN", "NNS")
END = ""
_T = TypeVar("_T")
Tag = tuple[object, ...]
# place of a token and its replacement
Change = tuple[int, str]


def examples(pool: Pool) -> Iterator[SentenceExample]:
    """Yield originals, or one noun or verb replaced by another of the same part of speech and features.

    As in SentEval, the bigrams of the new word with its neighbours are about as frequent in the treebank
    (within a factor of 2) as those of the word that it replaces. So is the word itself, and both words are
    of medium frequency. Each word replaces, or is replaced, in one split only. Sentences without a possible
    change are in neither class.
    """
    changes = Changes(pool.treebank, pool.seed)
    found = [(item, options) for item in pool.items if (options := changes.of(item))]
    splits = allot([Counter(odd=1)] * len(found), [sorted(o, key=SPLITS.index) for _, o in found])
    pairs = (
        _pair(replace(item, split=split), options[split], pool)
        for (item, options), split in zip(found, splits, strict=True)
    )
    return alternate(pairs, pool)


def _pair(item: Pooled, change: Change, pool: Pool) -> tuple[SentenceExample, SentenceExample]:
    place, form = change
    tokens = list(item.sentence.tokens)
    tokens[place] = form
    altered = item.altered(tokens, item.sentence.spaces, pool.style, CLASSES[1], item.length)
    return item.example(CLASSES[0], item.length), altered


class Changes:
    """Possible replacements of the words of a treebank."""

    def __init__(self, treebank: Sequence[Sentence], seed: int) -> None:
        """Count words, and the pairs of words around each."""
        self._counts = Counter(token for sentence in treebank for token in sentence.tokens)
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._splits = {
            form: TENTHS.get(stable_number(seed, "form", form.lower()) % 10, "train")
            for form, count in self._counts.items()
            if FEWEST <= count <= MOST
        }
        self._after: dict[object, set[str]] = {}
        self._before: dict[object, set[str]] = {}
        self._lemmas: dict[tuple[str, Tag], str] = {}
        for sentence in treebank:
            tokens = (*sentence.tokens, END)
            self._pairs.update(pairwise(tokens))
            for word, tag in self._changeable(sentence):
                split = self._splits[word.form]
                self._after.setdefault((tokens[word.token - 1], tag, split), set()).add(word.form)
                self._before.setdefault((tokens[word.token + 1], tag, split), set()).add(word.form)
                self._lemmas[word.form, tag] = word.lemma

    def of(self, item: Pooled) -> dict[str, Change]:
        """Return a possible change of a sentence for each split that has one."""
        found: dict[str, Change] = {}
        tokens = (*item.sentence.tokens, END)
        for word, tag in _turned(list(self._changeable(item.sentence)), item.order):
            split = self._splits[word.form]
            if split in found:
                continue
            around = tokens[word.token - 1], tokens[word.token + 1]
            fitting = self._after[around[0], tag, split] & self._before[around[1], tag, split]
            for form in _turned(sorted(fitting - {word.form}), item.order):
                if self._alike(form, word, tag, around):
                    found[split] = word.token, form
                    break
        return found

    def _alike(self, form: str, word: Word, tag: Tag, around: tuple[str, str]) -> bool:
        """Return whether a form is another word, equally frequent by itself and between two others."""
        left, right = around
        if word.lemma and self._lemmas[form, tag] == word.lemma:
            return False
        return (
            _comparable(self._counts[form], self._counts[word.form])
            and _comparable(self._pairs[left, form], self._pairs[left, word.form])
            and _comparable(self._pairs[form, right], self._pairs[word.form, right])
        )

    def _changeable(self, sentence: Sentence) -> Iterator[tuple[Word, Tag]]:
        """Yield nouns and verbs of medium frequency that are whole tokens, except the first token."""
        for word in sentence.words:
            # a part of a multiword token differs from the whole token
            whole = sentence.tokens[word.token] == word.form
            if word.token and whole and word.form in self._splits and _is_content(word):
                yield word, (word.upos, word.xpos, *word.feats.items())


def _turned(options: list[_T], order: int) -> list[_T]:
    """Return the same options from another start; the order number is as good as random."""
    start = order % len(options) if options else 0
    return options[start:] + options[:start]


def _is_content(word: Word) -> bool:
    """Return whether a word is a common noun or a verb."""
    if word.upos:
        return word.upos in ("NOUN", "VERB")
    return word.xpos in NOUNS or word.xpos.startswith("VB")


def _comparable(one: int, other: int) -> bool:
    return one <= FACTOR * other and other <= FACTOR * one


ODD_MAN_OUT = Property(examples, CLASSES, ("UPOS",), pools=True)
