"""Facts that a tree of constituents or dependencies gives about its sentence; None if it gives no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from probing.datasets.treebank import constituents, dependencies
from probing.datasets.treebank.sentence import Sentence

_T = TypeVar("_T")
Reading = Callable[[Sentence], _T | None]


def _either(of_dependencies: Reading[_T], of_constituents: Reading[_T]) -> Reading[_T]:
    """Return a reading that uses the annotation that a sentence has."""

    def ask(sentence: Sentence) -> _T | None:
        return (of_dependencies if sentence.tree is None else of_constituents)(sentence)

    ask.__doc__ = of_dependencies.__doc__
    return ask


depth = _either(dependencies.depth, constituents.depth)
top_constituents = _either(dependencies.top_constituents, constituents.top_constituents)
tense = _either(dependencies.tense, constituents.tense)
subject = _either(dependencies.subject, constituents.subject)
direct_object = _either(dependencies.direct_object, constituents.direct_object)
clauses = _either(dependencies.clauses, constituents.clauses)
