"""Matching of entries in `task.ignore` and `task.classes` to the labels of a table."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from probing.errors import ProbingError
from probing.validation.suggestions import suggest

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_BOOLEANS = ("true", "false")


def as_shown(label: str) -> str:
    """Return a label as results show it if all labels are whole numbers: 1 for 1.0."""
    return label.partition(".")[0] if WHOLE.fullmatch(label) else label


def class_order(name: str) -> tuple[bool, float, str]:
    """Return a sort key that orders numbers by value, and puts them before words."""
    number = bool(NUMBER.fullmatch(name))
    return not number, float(name) if number else 0.0, name


def ignored(labels: Iterable[str], ignore: Sequence[str]) -> set[str]:
    """Return the labels to leave out.

    Args:
        labels: The labels of the table; "" is a missing one.
        ignore: Entries as typed. An entry names the label with the same spelling. If there is no such label,
            or if all labels without such an entry are numbers, it also names labels of the same value: -1 is
            -1.0, false is False, and null is a missing one.

    Raises:
        ProbingError: If an entry names no label.
    """
    there = set(labels)
    numbers = all(NUMBER.fullmatch(label) for label in there - set(ignore) if label)
    leave = set()
    for entry in ignore:
        found = {entry} & there
        if not found or numbers:
            found |= _same(entry, there)
        if not found:
            raise ProbingError(
                f"task.ignore names {entry!r}, a label that no row has; {_listed(entry, there)}"
            )
        leave |= found
    return leave


def class_names(order: Sequence[str] | None, labels: Collection[str]) -> tuple[str, ...]:
    """Return the labels in the order of `task.classes`; every entry names one, as for `ignored`.

    Without an order, numbers are sorted by value, and words alphabetically.

    Raises:
        ProbingError: If an entry names no label, or a label that another entry names.
    """
    if not order:
        return tuple(sorted(labels, key=class_order))
    there = set(labels)
    names: list[str] = []
    for entry in order:
        found = meant(entry, there)
        if len(found) != 1:
            raise ProbingError(
                f"task.classes names {entry!r}, a label that no row has; {_listed(entry, there)}"
            )
        names += found
    if len(set(names)) < len(names):
        raise ProbingError(f"task.classes={list(order)} names a class twice; name each once")
    return tuple(names)


def meant(entry: str, labels: Collection[str]) -> set[str]:
    """Return the label with the same spelling, or else the labels of the same value."""
    return {entry} & set(labels) or _same(entry, labels)


def _same(entry: str, labels: Collection[str]) -> set[str]:
    return {label for label in labels if _value(label) == _value(entry)}


def _value(label: str) -> str | float:
    if WHOLE.fullmatch(label):
        return as_shown(label)
    if NUMBER.fullmatch(label):
        return float(label)
    if label.lower() in _BOOLEANS:
        return label.lower()
    return "" if label == "null" else label


def _listed(entry: str, labels: Collection[str]) -> str:
    return suggest(entry, [label or "''" for label in sorted(labels, key=class_order)])
