"""Syntactic heads: how often the highest weight of a word is on a related word (Voita et al. 2019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from probing.analyses.read_texts import Split
from probing.analyses.role_scores import Score
from probing.statistics.ratios import ratio
from probing.tasks.target import Classes
from probing.tasks.task import Task, Unit

RELATIONS = ("nsubj", "obj", "amod", "advmod")
"""The relations of the paper, under the names of Universal Dependencies; subtypes are part of them."""
DIRECTIONS = ("from_dependent", "from_head")
_Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Items:
    """Pairs of a dependent and its head.

    Attributes:
        relation: str (n,), the relation without its subtype.
        text: int64 (n,), the number of the text.
        rows: int64 (2, n), the units of dependent and head in the list that is read.
        places: int64 (2, n), their indices among the words of the text.
    """

    relation: NDArray[np.str_]
    text: _Indices
    rows: _Indices
    places: _Indices

    def take(self, chosen: NDArray[np.bool_]) -> Items:
        """Return some of the items."""
        return Items(self.relation[chosen], self.text[chosen], self.rows[:, chosen], self.places[:, chosen])


def has_relations(task: Task) -> bool:
    """Return whether the examples are pairs of words with a relation, in texts whose words are known."""
    related = task.partners is not None and isinstance(task.target, Classes)
    return related and all(unit.words is not None for unit in task.units)


def sentences_of(task: Task, split: Split) -> list[Unit]:
    """Return the texts of a split with their words, in order, each once."""
    return list(dict.fromkeys(replace(task.units[row], span=None) for row in task.rows(split)))


def relations_of(task: Task, split: Split) -> tuple[list[Unit], Items]:
    """Return the words of `RELATIONS` in a split, each once, and the pairs of them.

    Args:
        task: A task that `has_relations`.
        split: The examples.
    """
    labels = _labels(task)
    units: dict[Unit, int] = {}
    texts: dict[object, int] = {}
    chosen: list[str] = []
    found: list[tuple[int, ...]] = []
    for row in task.rows(split):
        pair = task.units[row], (task.partners or ())[row]
        dependent, head = map(_place, pair)
        if labels[row] not in RELATIONS or dependent is None or head is None or dependent == head:
            continue
        chosen.append(labels[row])
        text = texts.setdefault((pair[0].text, pair[0].words), len(texts))
        found.append((text, *(units.setdefault(unit, len(units)) for unit in pair), dependent, head))
    numbers = np.array(found, dtype=np.int64).reshape(-1, 5).T
    return list(units), Items(np.array(chosen, dtype=np.str_), numbers[0], numbers[1:3], numbers[3:])


def _labels(task: Task) -> list[str]:
    """Return the relation of each example without its subtype; nothing for other targets."""
    shown = task.target.shown() if isinstance(task.target, Classes) else []
    return [str(label).partition(":")[0] for label in shown]


def _place(unit: Unit) -> int | None:
    """Return the index of a unit among the words of its text; None if it is not one of them."""
    words = unit.words or ()
    return words.index(unit.span) if unit.span in words else None


def of_relations(
    items: Items, columns: Mapping[str, NDArray[np.float64]], margin: float, least: int
) -> Iterator[Score]:
    """Yield the scores of each relation in both directions.

    The most frequent offset is right only where the query can see the word, as a head could not find it.

    Args:
        items: The pairs.
        columns: Columns of the statistic `HighestWord`, float64 (units, heads) each.
        margin: Distance of the threshold from the rate of the most frequent offset.
        least: Minimum number of pairs.
    """
    highest = columns["highest"]
    read = ~np.isnan(highest[items.rows]).any((0, 2))  # words may be cut off with the end of their text
    for relation in RELATIONS:
        own = items.take(read & (items.relation == relation))
        if len(own.text) < least:
            continue
        for query, direction in enumerate(DIRECTIONS):
            right = highest[own.rows[query]] == own.places[1 - query][:, None]
            value, low, high = ratio(*_per_text(right, own.text))
            offset, count = _most_frequent(own, query, columns)
            chance = np.full(len(value), count / len(own.text))
            yield Score(
                relation, value, low, high, chance, "syntactic", chance + margin,
                np.full(len(value), offset), direction,
            )  # fmt: skip


def _most_frequent(items: Items, query: int, columns: Mapping[str, NDArray[np.float64]]) -> tuple[int, int]:
    """Return the most frequent offset of words that can be seen, the nearest of ties, and their number."""
    rows, targets = items.rows[query], items.places[1 - query]
    first, last = (columns[name][rows, 0] for name in ("sees_from", "sees_to"))
    distances = (targets - items.places[query])[(first <= targets) & (targets <= last)].tolist()
    return max(Counter(distances).items(), key=lambda each: (each[1], -abs(each[0])), default=(0, 0))


def _per_text(right: NDArray[np.bool_], texts: _Indices) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the right answers and all answers of each text, float64 (texts, heads)."""
    _, groups = np.unique(texts, return_inverse=True)
    sums = np.zeros((groups.max() + 1, right.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, groups, right)
    np.add.at(counts, groups, 1)
    return sums, counts
