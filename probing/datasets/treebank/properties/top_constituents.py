"""Constituents right below the root."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from probing.datasets.treebank.balance import ClassCounts, share, size, table_of
from probing.datasets.treebank.pool import Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property
from probing.datasets.treebank.tree_facts import top_constituents
from probing.errors import ProbingError

MOST = 19
OTHER = "OTHER"


def examples(pool: Pool) -> Iterator[SentenceExample]:
    """Yield the sequence of constituents: one of the most frequent (19 as in SentEval, or fewer) or OTHER."""
    found = [
        item.example(sequence)
        for item in pool.items
        if (sequence := top_constituents(item.sentence)) is not None
    ]
    kept = choose_sequences(table_of(found), pool)
    return (example if example.label in kept else replace(example, label=OTHER) for example in found)


def choose_sequences(table: ClassCounts, pool: Pool) -> list[str]:
    """Choose the most frequent sequences, as many as leave enough sentences for each class, OTHER included.

    Raises:
        ProbingError: If there is no such sequence.
    """
    counts = sum(table.values(), Counter[str]())
    sequences = [sequence for sequence, n in counts.items() if n >= pool.per_class]
    # a sequence counts by its frequency in the split where it is rarest
    ranked = sorted(sequences, key=lambda sequence: (-share(table, (sequence,)), sequence))
    for n in range(min(MOST, len(ranked)), 0, -1):
        of_each = share(_with_other(table, ranked[:n]), (*ranked[:n], OTHER)) * size(table)
        if of_each >= pool.per_class:
            return ranked[:n]
    raise ProbingError(
        f"{pool.title}: none of the {len(counts)} sequences of constituents in the treebank has "
        f"task.per_class={pool.per_class} sentences and as many with other sequences; lower it or "
        "give a larger treebank"
    )


def _with_other(table: ClassCounts, kept: Collection[str]) -> ClassCounts:
    """Return the table with the remaining classes counted as one."""
    return {
        key: Counter({label: counts[label] for label in kept})
        + Counter({OTHER: counts.total() - sum(counts[label] for label in kept)})
        for key, counts in table.items()
    }


TOP_CONSTITUENTS = Property(examples, needs=("HEAD", "DEPREL"))
