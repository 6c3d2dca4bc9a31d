"""Words of texts with the words that they are related to, as examples of a task of pairs give them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit

ROOT = -1
"""Index of the related word of a word that governs itself: the root of a sentence."""
_NOTHING = -2
_SPLITS = ("dev", "test")
_Indices = NDArray[np.int64]


@dataclass(frozen=True)
class WordPairs:
    """Words of dev and test, each with a relation and the words that it is related to.

    Examples with the same word and label are one item with several related words, such as the antecedents of
    a mention.

    Attributes:
        labels: str (n,), the relations.
        splits: str (n,), dev or test.
        rows: int64 (n,), the row of each word in the list of units that was read.
        texts: int64 (n,), the number of its text.
        places: int64 (n,), its index in `Unit.words`.
        counts: int64 (n,), the number of words of its text.
        related: int64 (n, most), indices of the related words, `ROOT` for a root; -2 fills short rows.
        related_rows: int64 (n,), the row of its first related word in the list of units.
    """

    labels: NDArray[np.str_]
    splits: NDArray[np.str_]
    rows: _Indices
    texts: _Indices
    places: _Indices
    counts: _Indices
    related: _Indices
    related_rows: _Indices

    def __len__(self) -> int:
        """Number of items."""
        return len(self.labels)

    def take(self, chosen: NDArray[np.bool_]) -> WordPairs:
        """Return some of the items."""
        return replace(self, **{name: values[chosen] for name, values in vars(self).items()})

    def at_offset(self, offset: int, reach: NDArray[np.float64] | None = None) -> NDArray[np.bool_]:
        """Return whether the word at a fixed distance is the right one, bool (n,).

        As in the code of Clark et al. (2019), a position before the first word is the root, and one after the
        last word is the last word.

        Args:
            offset: The distance.
            reach: float64 (2, n), the first and the last word that heads can see. Others are wrong, as no
                head can find them. None lets all be seen.
        """
        guesses = np.clip(self.places + offset, ROOT, self.counts - 1)
        right: NDArray[np.bool_] = (self.related == guesses[:, None]).any(1)
        if reach is not None:
            right &= (guesses == ROOT) | ((reach[0] <= guesses) & (guesses <= reach[1]))
        return right

    def found(self, answers: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return whether heads answer with a right word; no head can find a root.

        Args:
            answers: float64 (n, heads), indices of words; negative for none.

        Returns:
            bool (heads, n).
        """
        right = np.zeros(answers.shape, dtype=bool)
        for related in self.related.T:
            right |= answers == related[:, None]
        return (right & (answers >= 0)).T


def units_of(task: Task) -> list[Unit]:
    """Return the words of dev and test, and then the words that they are related to, each once."""
    chosen = [row for split in _SPLITS for row in task.rows(split)]
    units = (words[row] for words in (task.units, task.partners or ()) for row in chosen)
    return list(dict.fromkeys(units))


def check_word_pairs(task: Task, name: str) -> None:
    """Refuse a task whose examples are not pairs of words with a class.

    Raises:
        ProbingError: If so; with tasks to choose instead.
    """
    if task.partners is None or not isinstance(task.target, Classes):
        raise ProbingError(
            f"analysis={name}: task {task.name} does not relate words by classes; use "
            "task=treebank/dependencies, or task=table with words and two spans"
        )
    if any(unit.words is None for unit in task.units):
        raise ProbingError(
            f"analysis={name}: the examples of task {task.name} do not say where all words of their texts "
            "are; use task=treebank/dependencies, or analysis=span_attention for any two spans"
        )


def word_pairs(task: Task) -> WordPairs:
    """Return the items of dev and test.

    Args:
        task: A task that `check_word_pairs` accepts.

    Raises:
        ProbingError: If a span is not one of the words of its text.
    """
    units, partners = task.units, task.partners or ()
    read = {unit: row for row, unit in enumerate(units_of(task))}
    texts: dict[tuple[str, object], int] = {}
    places = _Places(task.name)
    labels = np.array(task.target.shown()) if isinstance(task.target, Classes) else np.array([])
    items: dict[tuple[str, int, str], list[int]] = {}
    for split in _SPLITS:
        for row in task.rows(split):
            items.setdefault((split, read[units[row]], str(labels[row])), []).append(int(row))
    related = [
        [ROOT if partners[row].span == units[row].span else places.of(partners[row]) for row in rows]
        for rows in items.values()
    ]
    firsts = [units[rows[0]] for rows in items.values()]
    return WordPairs(
        labels=np.array([label for _, _, label in items], dtype=np.str_),
        splits=np.array([split for split, _, _ in items], dtype=np.str_),
        rows=_integers(row for _, row, _ in items),
        texts=_integers(texts.setdefault((unit.text, unit.words), len(texts)) for unit in firsts),
        places=_integers(map(places.of, firsts)),
        counts=_integers(len(unit.words or ()) for unit in firsts),
        related=_filled(related),
        related_rows=_integers(read[partners[rows[0]]] for rows in items.values()),
    )


class _Places:
    """Indices of words in their texts."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._of: dict[object, dict[tuple[int, int] | None, int]] = {}

    def of(self, unit: Unit) -> int:
        words = unit.words or ()
        known = self._of.get(words)
        if known is None:
            known = self._of[words] = {span: place for place, span in enumerate(words)}
        if unit.span not in known:
            raise ProbingError(
                f"task {self._task}: span {unit.span} of {unit.text[:40]!r} is not one of its words; give "
                "spans of single words, or use analysis=span_attention"
            )
        return known[unit.span]


def _integers(values: Iterable[int]) -> _Indices:
    return np.array(list(values), dtype=np.int64)


def _filled(rows: list[list[int]]) -> _Indices:
    filled = np.full((len(rows), max(map(len, rows), default=1)), _NOTHING, dtype=np.int64)
    for place, values in enumerate(rows):
        filled[place, : len(values)] = values
    return filled
