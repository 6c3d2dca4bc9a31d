"""Description of one of the ten tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from probing.datasets.treebank.needs import Column
from probing.datasets.treebank.pool import Pool, SentenceExample


@dataclass(frozen=True)
class Property:
    """One of the ten tasks.

    Attributes:
        examples: Function that makes labelled examples from a pool; they are balanced afterwards.
        classes: Names of the classes; empty if the treebank determines them.
        needs: Columns of CoNLL-U that the task needs; a bracketed tree has everything it needs.
        feature: Morphological feature in the column FEATS that the task needs, or "".
        pools: Whether sentences of all files are pooled and split again, so that no word is in two splits.
    """

    examples: Callable[[Pool], Iterable[SentenceExample]]
    classes: tuple[str, ...] = ()
    needs: tuple[Column, ...] = ()
    feature: str = ""
    pools: bool = False


def alternate(
    pairs: Iterable[tuple[SentenceExample, SentenceExample]], pool: Pool
) -> Iterator[SentenceExample]:
    """Yield the original or the altered version of each sentence, never both.

    They alternate within each split and each key of the originals, so that both versions have the same
    keys. Altered sentences that occur in the treebank are left out.

    Args:
        pairs: Original and altered version of each sentence.
        pool: The pool that the sentences come from.
    """
    known = {item.text for item in pool.items}
    turns: Counter[object] = Counter()
    for pair in pairs:
        if pair[1].text not in known:
            cell = pair[0].split, pair[0].key
            yield pair[turns[cell] % 2]
            turns[cell] += 1
