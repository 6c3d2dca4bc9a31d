"""The trees of sentences, as the examples of a task of words with their heads give them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from probing.errors import ProbingError
from probing.probes.arcs.padded import ROOT, UNKNOWN, Batch, Corpus, Tree
from probing.representations.reader import Representations
from probing.representations.reductions.word_rows import NUMBER, SPECIAL, WordRows
from probing.tasks.task import SPLITS, Task, Unit

_PUNCTUATION = "punct"


@dataclass(frozen=True)
class Sentence:
    """A sentence with its tree.

    Attributes:
        split: Train, dev or test.
        text: The whole text as a unit, with its words.
        tree: Head words and relations; rows of `Tree.words` are those of `Treebank.types`.
    """

    split: str
    text: Unit
    tree: Tree

    @property
    def units(self) -> list[Unit]:
        """The words as units."""
        return [replace(self.text, span=span) for span in self.text.words or ()]


@dataclass(frozen=True)
class Treebank:
    """The sentences of a task whose trees are read.

    Attributes:
        sentences: Those of train, then dev, then test.
        types: The different words, as they are spelled.
        relations: Names of the relations.
        longer: Number of sentences that are left out because they have too many words.
    """

    sentences: tuple[Sentence, ...]
    types: tuple[str, ...]
    relations: tuple[str, ...]
    longer: int

    @classmethod
    def of(cls, task: Task, longest: int) -> Treebank:
        """Read the sentences of a task of pairs of a word and its head.

        A root is a pair of a word with itself. A word that is not an example has an unknown head. Relations
        `punct` are not scored, as is usual for English.

        Args:
            task: A task that `check_word_pairs` accepts.
            longest: Maximum number of words of a sentence.

        Raises:
            ProbingError: If a split has no such sentence.
        """
        types: dict[str, int] = {}
        names = tuple(getattr(task.target, "names", ()))
        found, longer = [], 0
        for split in SPLITS:
            for rows in _by_sentence(task, split):
                if len(task.units[rows[0]].words or ()) > longest:
                    longer += 1
                else:
                    text = replace(task.units[rows[0]], span=None)
                    found.append(Sentence(split, text, _tree(task, rows, names, types)))
            if not any(each.split == split for each in found):
                raise ProbingError(
                    f"task {task.name}: no sentence of {split} has at most {longest} words; raise "
                    "analysis.longest"
                )
        return cls(tuple(found), tuple(types), names, longer)

    @property
    def units(self) -> list[Unit]:
        """All words of all sentences, in order."""
        return [unit for sentence in self.sentences for unit in sentence.units]

    def corpora(self, read: Representations, statistic: WordRows) -> tuple[dict[str, Corpus], int]:
        """Return the sentences of each split with their maps, and how many are left out as truncated.

        A word without a token of its own neither gives attention nor gets any.

        Args:
            read: The statistic for each of `units`.
            statistic: The statistic.

        Raises:
            CorruptFileError: If a layer is damaged in the cache.
            ProbingError: If a split has no sentence that is not truncated.
        """
        starts = np.cumsum([0, *(len(each.tree) for each in self.sentences)])
        cut = np.setdiff1d(read.missing, read.silent)
        kept = [
            number
            for number, (start, end) in enumerate(pairwise(starts))
            if not ((cut >= start) & (cut < end)).any()
        ]
        heads = sum(read.layout[layer][0] for layer in read.layers)
        found: dict[str, Corpus] = {}
        places: dict[int, tuple[Batch, int, int]] = {}
        for split in SPLITS:
            own = [number for number in kept if self.sentences[number].split == split]
            if not own:
                raise ProbingError(f"all sentences of {split} are longer than the model's limit of tokens")
            found[split] = Corpus.of([self.sentences[number].tree for number in own], heads)
            for number, (batch, row) in zip(own, found[split].places, strict=True):
                for word in range(len(self.sentences[number].tree)):
                    places[int(starts[number]) + word] = (found[split].batches[batch], row, word)
        _fill(places, read, statistic)
        return found, len(self.sentences) - len(kept)


def _by_sentence(task: Task, split: str) -> Iterator[list[int]]:
    """Yield the examples of each sentence; a sentence that is repeated begins where its words do again."""
    rows: list[int] = []
    for row in task.rows(split).tolist():
        unit = task.units[row]
        if rows:
            last = task.units[rows[-1]]
            same = (last.text, last.words) == (unit.text, unit.words)
            if not same or (unit.span or (0, 0)) <= (last.span or (0, 0)):
                yield rows
                rows = []
        rows.append(row)
    if rows:
        yield rows


def _tree(task: Task, rows: Sequence[int], names: Sequence[str], types: dict[str, int]) -> Tree:
    """Return the tree of one sentence, and add its words to the types."""
    text, words = task.units[rows[0]].text, task.units[rows[0]].words or ()
    places = {span: place for place, span in enumerate(words)}
    governors, relations = np.full(len(words), UNKNOWN), np.full(len(words), UNKNOWN)
    scored = np.zeros(len(words), dtype=bool)
    for row in rows:
        word, head = task.units[row].span, (task.partners or ())[row].span
        if word not in places or head not in places:
            raise ProbingError(
                f"task {task.name}: span {word} or {head} of {text[:40]!r} is not one of its words; "
                "give spans of single words"
            )
        at = places[word]
        governors[at] = ROOT if head == word else places[head] + 1
        relations[at] = int(task.target.gold[row])
        scored[at] = names[relations[at]].partition(":")[0] != _PUNCTUATION
    spelled = [types.setdefault(text[start:end], len(types)) for start, end in words]
    return Tree(governors, scored, np.array(spelled, dtype=np.int64), relations)


def _fill(places: dict[int, tuple[Batch, int, int]], read: Representations, statistic: WordRows) -> None:
    """Put the rows of words into the maps of their sentences, layer after layer."""
    number, first, sources = 0, 1, 1 + len(SPECIAL) // 2
    assert statistic.columns[number] == NUMBER
    offset, total = 0, sum(read.layout[layer][0] for layer in read.layers)
    for layer in read.layers:
        heads = read.layout[layer][0]
        here, there = slice(offset, offset + heads), slice(total + offset, total + offset + heads)
        for rows, block in read.blocks(layer):
            for row, values in zip(rows.tolist(), block, strict=True):
                batch, sentence, word = places.get(row, (None, 0, 0))
                if batch is None or values[0, number] != word:
                    continue
                n = int(batch.lengths[sentence])
                start = 1 + len(SPECIAL)
                batch.maps.numpy()[sentence, word, :n, here] = values[:, start : start + n].T
                root = batch.root.numpy()[sentence, word]
                root[:, here] = values[:, first:sources].T
                root[:, there] = values[:, sources:start].T
        offset += heads
