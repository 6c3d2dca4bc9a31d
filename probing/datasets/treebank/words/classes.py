"""Choice of classes: the labels that are frequent enough in train."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

from probing.datasets.treebank.words.targets import WordExample

log = logging.getLogger(__name__)
SHOWN = 12


def keep_classes(
    examples: Mapping[str, Sequence[WordExample]], most: int | None, least: int, name: str
) -> tuple[dict[str, list[WordExample]], tuple[str, ...]]:
    """Leave out the examples of rare labels, and those of dev and test whose label is not in train.

    Args:
        examples: Examples by split.
        most: Maximum number of classes, the most frequent in train; None keeps all.
        least: Minimum number of train examples of a class.
        name: Name of the task, for the log, which lists what is left out.

    Returns:
        The remaining examples by split, and the names of the classes, sorted.
    """
    counts = Counter(example.label for example in examples["train"])
    kept = frequent(counts, most, least)
    lost = Counter(e.label for members in examples.values() for e in members if e.label not in kept)
    report_lost(lost, counts, name)
    left = {split: [e for e in members if e.label in kept] for split, members in examples.items()}
    return left, tuple(sorted(kept))


def frequent(counts: Mapping[str, int], most: int | None, least: int) -> set[str]:
    """Return the labels that are classes.

    Args:
        counts: Number of train examples of each label.
        most: Maximum number of classes, the most frequent; None keeps all.
        least: Minimum number of train examples of a class.
    """
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    return {label for label in ranked[:most] if counts[label] >= least}


def report_lost(lost: Counter[str], counts: Mapping[str, int], name: str) -> None:
    """Log the labels that are not classes.

    Args:
        lost: Number of examples, in all splits, of each label that is left out.
        counts: Number of train examples of each label.
        name: Name of the task.
    """
    rare = Counter({label: number for label, number in lost.items() if counts.get(label)})
    unseen = lost - rare
    for what, labels in (("rare", rare), ("never seen in train", unseen)):
        if labels:
            log.info("%s: classes left out, %s: %s", name, what, _shown(labels))


def _shown(counts: Counter[str]) -> str:
    text = ", ".join(f"{label} ({number})" for label, number in counts.most_common(SHOWN))
    return text + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
