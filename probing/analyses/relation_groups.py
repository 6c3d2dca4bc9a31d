"""The relations of a task: which items each row of the result is about, and what heads are compared with."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from probing.analyses.word_pairs import WordPairs
from probing.errors import ProbingError
from probing.tasks.task import Unit

log = logging.getLogger(__name__)
COREFERENCE = "coreference"
"""The relation of a mention to mentions before it; the words of its texts are those of mentions only."""
ALL, NOT_ROOT, NOT_PUNCT = "all", "all_but_root", "all_but_root_and_punct"
_Chosen = NDArray[np.bool_]
Reach = NDArray[np.float64]


@dataclass(frozen=True)
class Offset:
    """The word at a fixed distance, which knows nothing but positions.

    Attributes:
        distance: The distance that is right most often on dev, the first among equals.
        dev: Its accuracy on dev.
        right: bool (n_test,), whether it is right.
    """

    distance: int
    dev: float
    right: _Chosen

    @classmethod
    def best(cls, pairs: WordPairs, distances: Iterable[int], reach: Reach | None = None) -> Offset:
        """Return the offset that is best on dev, with its answers on test.

        Args:
            pairs: The items of dev and test.
            distances: The distances.
            reach: float64 (2, n), the words that heads can see; see `WordPairs.at_offset`.
        """
        in_dev, in_test = pairs.splits == "dev", pairs.splits == "test"
        right = {distance: pairs.at_offset(distance, reach) for distance in distances}
        scores = {distance: float(each[in_dev].mean()) for distance, each in right.items()}
        distance = max(scores, key=lambda each: scores[each])
        return cls(distance, scores[distance], right[distance][in_test])


def relations_of(pairs: WordPairs, least: int) -> dict[str, _Chosen]:
    """Return the items of each row of the result, bool (n,): those of all relations, then of each, by size.

    Args:
        pairs: The items of dev and test.
        least: Minimum number of test items; rarer relations are logged and left out. Roots are too, since no
            head can find them.

    Raises:
        ProbingError: If no relation is left.
    """
    in_test, in_dev = pairs.splits == "test", pairs.splits == "dev"
    bases = np.array([label.partition(":")[0] for label in pairs.labels.tolist()], dtype=np.str_)
    counts = Counter(pairs.labels[in_test].tolist())
    kept, left_out = {}, []
    for label, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        chosen = pairs.labels == label
        if count < least or not (chosen & in_dev).any():
            left_out.append(f"{label} ({count})")
        elif label != "root":
            kept[label] = chosen
    if left_out:
        log.info("relations left out, fewer than analysis.least=%d in test: %s", least, ", ".join(left_out))
    wholes = _wholes(bases)
    found = {name: chosen for name, chosen in wholes.items() if (chosen & in_test).sum() >= least} | kept
    if not found:
        most = ", ".join(f"{label} has {count}" for label, count in counts.most_common(1)) or "it has no item"
        raise ProbingError(
            f"no relation has analysis.least={least} items in test ({most}); lower it, or give more examples"
        )
    return found


def _wholes(bases: NDArray[np.str_]) -> dict[str, _Chosen]:
    """Return the items of all relations together, with and without roots and punctuation."""
    if (bases == COREFERENCE).all():
        return {COREFERENCE: np.ones(len(bases), dtype=bool)}
    found = {ALL: np.ones(len(bases), dtype=bool)}
    if (bases == "root").any():
        found[NOT_ROOT] = bases != "root"
    if (bases == "punct").any():
        found[NOT_PUNCT] = (bases != "root") & (bases != "punct")
    return found


def is_main(relation: str) -> bool:
    """Return whether a relation is reported first: punctuation is not, and of all items only their whole."""
    return relation.partition(":")[0] not in {NOT_ROOT, NOT_PUNCT, "punct"}


def is_earlier(relation: str) -> bool:
    """Return whether related words come before the word, so that only those are candidates."""
    return relation.partition(":")[0] == COREFERENCE


def same_word(pairs: WordPairs, units: Sequence[Unit]) -> _Chosen:
    """Return whether the nearest earlier word with the same spelling is a right one, bool (n,).

    For mentions this is the baseline of matching head words. Case is ignored; no such word is a wrong answer.

    Args:
        pairs: The items.
        units: The units that `WordPairs.rows` are places of.
    """
    right = np.zeros(len(pairs), dtype=bool)
    for item, (row, place) in enumerate(zip(pairs.rows.tolist(), pairs.places.tolist(), strict=True)):
        text = units[row].text.lower()
        spelled = [text[start:end] for start, end in (units[row].words or ())[: place + 1]]
        same = [at for at in range(place) if spelled[at] == spelled[place]]
        right[item] = bool(same) and same[-1] in pairs.related[item]
    return right
