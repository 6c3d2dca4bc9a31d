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
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    kept = {label for label in ranked[:most] if counts[label] >= least}
    lost = Counter(e.label for members in examples.values() for e in members if e.label not in kept)
    rare = Counter({label: number for label, number in lost.items() if label in counts})
    unseen = lost - rare
    for what, labels in (("rare", rare), ("never seen in train", unseen)):
        if labels:
            log.info("%s: classes left out, %s: %s", name, what, _shown(labels))
    left = {split: [e for e in members if e.label in kept] for split, members in examples.items()}
    return left, tuple(sorted(kept))


def _shown(counts: Counter[str]) -> str:
    text = ", ".join(f"{label} ({number})" for label, number in counts.most_common(SHOWN))
    return text + (f" and {len(counts) - SHOWN} more" if len(counts) > SHOWN else "")
