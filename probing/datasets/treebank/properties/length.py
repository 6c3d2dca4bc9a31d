"""Length of the sentence."""

from __future__ import annotations

from probing.datasets.treebank.balance import share, size, table_of
from probing.datasets.treebank.pool import Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property

BINS = ((5, 8), (9, 12), (13, 16), (17, 20), (21, 25), (26, 28))


def examples(pool: Pool) -> list[SentenceExample]:
    """Return examples of the bin of the number of tokens, for SentEval's bins that have enough sentences."""
    found = [
        item.example(f"{low}-{high}")
        for item in pool.items
        for low, high in BINS
        if low <= item.length <= high
    ]
    table = table_of(found)
    labels = {example.label for example in found}
    kept = [label for label in labels if share(table, (label,)) * size(table) >= pool.per_class]
    return [example for example in found if example.label in kept]


LENGTH = Property(examples)
