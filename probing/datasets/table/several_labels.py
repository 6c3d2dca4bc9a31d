"""Tables whose examples may have several labels: one cell holds them, with a separator between two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probing.datasets.table.labels import TargetKind
from probing.datasets.table.row_names import class_order, ignored, ordered
from probing.datasets.table.units import TableExample
from probing.errors import ProbingError
from probing.tasks.splits import make_splits
from probing.tasks.target import Labels
from probing.validation.suggestions import suggest


def check_label_options(separator: str, kind: TargetKind, ends: Sequence[float | None]) -> None:
    """Reject options that contradict several labels.

    Args:
        separator: The value of `task.label_separator`.
        kind: The value of `task.kind`.
        ends: The values of `task.low` and `task.high`.

    Raises:
        ProbingError: Naming the option.
    """
    if not separator:
        raise ProbingError(
            'task.label_separator is empty; give what stands between two labels, such as "|", or null'
        )
    if kind != "auto" or any(end is not None for end in ends):
        key = "kind" if kind != "auto" else "low" if ends[0] is not None else "high"
        raise ProbingError(
            f"task.label_separator reads several labels, and task.{key} contradicts it; leave one out"
        )


def make_labels(
    examples: Sequence[TableExample], separator: str, order: Sequence[str] | None, ignore: Sequence[str]
) -> Labels:
    """Return the labels of every example, in the order given, or numbers by size, or by the alphabet.

    Args:
        examples: All examples, with their cells as labels.
        separator: What stands between two labels of a cell; spaces around a label are not part of it.
        order: The names of all labels, or None.
        ignore: Labels that examples lose.

    Raises:
        ProbingError: If an option names a label that there is not, or there is none at all; with the row, if
            a label is not among those given, or comes twice.
    """
    sets = [_names(example, separator) for example in examples]
    found = {name for names in sets for name in names}
    found -= ignored(found, ignore)
    if not found:
        raise ProbingError(
            f"{examples[0].table.where}: no example has a label; choose another, task.label=..."
        )
    names = ordered(order, found) if order else tuple(sorted(found, key=class_order))
    index = {name: place for place, name in enumerate(names)}
    values = np.zeros((len(examples), len(names)), dtype=bool)
    for example, row, own in zip(examples, values, sets, strict=True):
        for name in own:
            if name in index:
                row[index[name]] = True
            elif name in found:
                raise ProbingError(
                    f"{example.place}: label {name!r} is not in task.classes; {suggest(name, list(names))}"
                )
    return Labels(values, names)


def label_splits(
    texts: Sequence[str], labels: Labels, shares: Sequence[float], seed: int
) -> NDArray[np.str_]:
    """Make splits with the same share of every label, see `make_splits`; a text has all its labels.

    Args:
        texts: The text of each of n examples.
        labels: Their labels.
        shares: Of train, dev and test.
        seed: Of the hash.
    """
    pairs = [
        (text, name)
        for text, row in zip(texts, labels.values, strict=True)
        for name in ([labels.names[place] for place in np.flatnonzero(row)] or [""])
    ]
    split = make_splits([text for text, _ in pairs], [name for _, name in pairs], shares, seed)
    of_text = {text: of for (text, _), of in zip(pairs, split.tolist(), strict=True)}
    return np.array([of_text[text] for text in texts], dtype=np.str_)


def check_sets_seen(examples: Sequence[TableExample], labels: Labels, split: NDArray[np.str_]) -> None:
    """Reject a label that is in dev or test only.

    Raises:
        ProbingError: With the row.
    """
    unseen = ~labels.values[split == "train"].any(0)
    for row in np.flatnonzero((labels.values & unseen).any(1)).tolist():
        name = labels.names[np.flatnonzero(labels.values[row] & unseen)[0]]
        raise ProbingError(
            f"{examples[row].place}: label {name!r} of {split[row]} is never seen in train; correct it, "
            f"remove the row, or leave the label out with task.ignore=[{name}]"
        )


def _names(example: TableExample, separator: str) -> list[str]:
    names = [name.strip() for name in example.label.split(separator)] if example.label else []
    for name in names:
        if not name or names.count(name) > 1:
            wrong = f"label {name!r} comes twice" if name else f"{separator!r} has no label on one side"
            raise ProbingError(f"{example.place}: {wrong} in {example.label!r}; correct the cell")
    return names
