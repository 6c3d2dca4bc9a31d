"""Tables whose examples may have several labels: one cell holds them, with a separator between two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probing.datasets.table.labels import TargetKind
from probing.datasets.table.row_names import class_names, ignored
from probing.datasets.table.units import TableExample
from probing.errors import ProbingError
from probing.tasks.splits import make_splits
from probing.tasks.target import Labels
from probing.validation.suggestions import suggest


def check_label_options(separator: str, kind: TargetKind, ends: Sequence[float | None]) -> None:
    """Reject options that contradict several labels.

    Args:
        separator: Value of `task.label_separator`.
        kind: Value of `task.kind`.
        ends: Values of `task.low` and `task.high`.

    Raises:
        ProbingError: If one of them contradicts several labels; the message names the option.
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
        separator: Text between two labels of a cell; spaces around a label are not part of it.
        order: Names of all labels, or None.
        ignore: Labels that are removed from the examples.

    Raises:
        ProbingError: If an option names a label that no row has, if no example has a label, if a label is
            not in `order`, or if a cell has one twice.
    """
    sets = [_names(example, separator) for example in examples]
    found = {name for names in sets for name in names}
    found -= ignored(found, ignore)
    if not found:
        raise ProbingError(
            f"{examples[0].table.where}: no example has a label; choose another, task.label=..."
        )
    names = class_names(order, found)
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
    """Make splits with the same share of every label, as `make_splits` does for texts with several labels.

    Args:
        texts: Text of each of n examples.
        labels: Labels of the n examples.
        shares: Shares of train, dev and test.
        seed: Seed of the hash.
    """
    pairs = [(text, name) for text, own in zip(texts, labels.sets(), strict=True) for name in own or ("",)]
    split = make_splits([text for text, _ in pairs], [name for _, name in pairs], shares, seed)
    of_text = {text: of for (text, _), of in zip(pairs, split.tolist(), strict=True)}
    return np.array([of_text[text] for text in texts], dtype=np.str_)


def _names(example: TableExample, separator: str) -> list[str]:
    names = [name.strip() for name in example.label.split(separator)] if example.label else []
    for name in names:
        if not name or names.count(name) > 1:
            wrong = f"label {name!r} comes twice" if name else f"{separator!r} has no label on one side"
            raise ProbingError(f"{example.place}: {wrong} in {example.label!r}; correct the cell")
    return names
