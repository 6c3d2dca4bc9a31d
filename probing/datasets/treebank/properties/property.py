"""What one of the ten tasks has to say to be built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from probing.datasets.treebank.needs import Column
from probing.datasets.treebank.pool import Example, Pool


@dataclass(frozen=True)
class Kind:
    """A question about sentences.

    Attributes:
        examples: Makes labelled examples of a pool; they are balanced afterwards.
        classes: Names of the answers; empty if the treebank decides which there are.
        needs: Columns of CoNLL-U without which there is no answer; a bracketed tree has what it takes.
        feature: One of the column FEATS that is asked about, or "".
        pools: Whether sentences of all files are pooled and split again, so that no word is in two splits.
    """

    examples: Callable[[Pool], Iterable[Example]]
    classes: tuple[str, ...] = ()
    needs: tuple[Column, ...] = ()
    feature: str = ""
    pools: bool = False


def alternate(pairs: Iterable[tuple[Example, Example]], pool: Pool) -> Iterator[Example]:
    """Of each sentence its original or its altered version, never both.

    They take turns within each split and each key of the originals, so that both get the same. Altered
    sentences that occur in the treebank are left out.

    Args:
        pairs: Original and altered version of each sentence.
        pool: Where they are from.
    """
    known = {item.text for item in pool.items}
    turns: Counter[object] = Counter()
    for pair in pairs:
        if pair[1].text not in known:
            cell = pair[0].split, pair[0].key
            yield pair[turns[cell] % 2]
            turns[cell] += 1
