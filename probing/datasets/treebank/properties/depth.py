"""Depth of the sentence's tree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from probing.datasets.treebank.balance import share, size, table_of
from probing.datasets.treebank.pool import Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property
from probing.datasets.treebank.tree_facts import depth
from probing.errors import ProbingError


def examples(pool: Pool) -> list[SentenceExample]:
    """Return examples of the number of levels, for a range of depths that the treebank supports.

    SentEval draws depth and length from a normal distribution without covariance. Here every depth is
    equally frequent at every length, so that length carries no information about depth.
    """
    found = [
        item.example(str(levels), item.length)
        for item in pool.items
        if (levels := depth(item.sentence)) is not None
    ]
    classes = choose_depths(found, pool)
    return [example for example in found if example.label in classes]


def choose_depths(examples: Sequence[SentenceExample], pool: Pool) -> tuple[str, ...]:
    """Choose consecutive depths whose labels, in a balanced draw, contain the most information: n log k.

    Few depths k leave many sentences n, and many depths leave few.

    Raises:
        ProbingError: If no two depths have enough sentences of the same lengths.
    """
    table = table_of(examples)
    depths = sorted({int(example.label) for example in examples})
    best: tuple[float, tuple[str, ...]] = (0.0, ())
    for first, last in combinations(range(len(depths)), 2):
        classes = tuple(map(str, depths[first : last + 1]))
        of_each = share(table, classes) * size(table)
        if of_each >= pool.per_class:
            best = max(best, (of_each * len(classes) * math.log(len(classes)), classes))
    if not best[1]:
        raise ProbingError(
            f"{pool.title}: no two depths of {', '.join(map(str, depths)) or 'none'} have "
            f"task.per_class={pool.per_class} sentences of the same lengths; lower it or give a larger "
            "treebank"
        )
    return best[1]


DEPTH = Property(examples, needs=("HEAD",))
