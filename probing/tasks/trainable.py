"""Checks that a probe can be trained and scored on some labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError

SplitRows = Mapping[str, NDArray[np.int64]]
"""Rows of the splits in use, by name, with the training split first."""


def check_classes(labels: NDArray[np.int64], names: Sequence[str], splits: SplitRows, least: int) -> None:
    """Reject classes, int64 (n,), if train lacks one or has too few examples; see `Classes.check`.

    Raises:
        ProbingError: If so.
    """
    first, *held = splits
    counts = Counter(labels[splits[first]].tolist())
    if len(counts) < 2:
        raise ProbingError(f"{first} has only one class; a probe needs two")
    for split in held:
        unseen = set(labels[splits[split]].tolist()) - set(counts)
        if unseen:
            raise ProbingError(f"label {names[min(unseen)]!r} of {split} is never seen in train")
    total = sum(counts.values())
    if total < 2 * len(counts):
        raise ProbingError(f"{total} train examples for {len(counts)} classes; give at least two per class")
    label, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest < least:
        raise ProbingError(
            f"class {names[label]!r} has {fewest} train examples, fewer than the {least} that the "
            "folds need; lower task.folds"
        )


def check_scores(values: NDArray[np.float64], splits: SplitRows, least: int) -> None:
    """Reject scores, float64 (n,), that are constant, not finite, or too few; see `Classes.check`.

    Raises:
        ProbingError: If so.
    """
    if not np.isfinite(values).all():
        raise ProbingError("a score is not a finite number; remove its example")
    for split, rows in splits.items():
        if len(np.unique(values[rows])) < 2:
            raise ProbingError(f"all scores of {split} are the same; there is nothing to predict")
    _check_folds(len(splits.get("train", ())), least)


def check_label_sets(values: NDArray[np.bool_], names: Sequence[str], splits: SplitRows, least: int) -> None:
    """Reject sets of labels, bool (n, k), if train has no label to learn; see `Classes.check`.

    Raises:
        ProbingError: If so.
    """
    first, *held = splits
    trained = values[splits[first]]
    if not (trained.any(0) & ~trained.all(0)).any():
        raise ProbingError(f"every label is on all examples of {first} or on none; a probe needs both")
    for split in held:
        unseen = np.flatnonzero(values[splits[split]].any(0) & ~trained.any(0))
        if len(unseen):
            raise ProbingError(f"label {names[unseen[0]]!r} of {split} is never seen in train")
    _check_folds(len(trained), least)


def _check_folds(examples: int, least: int) -> None:
    if examples < least:
        raise ProbingError(
            f"{examples} train examples, fewer than the {least} that the folds need; lower task.folds"
        )
