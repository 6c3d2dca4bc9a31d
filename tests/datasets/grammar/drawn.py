"""Each task, generated once for all tests."""

from __future__ import annotations

from functools import cache

from probing.datasets.grammar import GrammarTask
from probing.datasets.grammar.draws import GrammarExample
from probing.datasets.grammar.kinds import KINDS

SEED = 3
N_TRAIN, N_DEV, N_TEST = 1200, 300, 300
SIZES = {"train": N_TRAIN, "dev": N_DEV, "test": N_TEST}
ALL = tuple(KINDS)
MATCHED = tuple(kind for kind in ALL if kind not in ("length", "word_content"))


def source(kind: str) -> GrammarTask:
    """The choice under test."""
    return GrammarTask(f"grammar/{kind}", kind, N_TRAIN, N_DEV, N_TEST, seed=SEED)


@cache
def examples(kind: str) -> tuple[GrammarExample, ...]:
    """Its sentences with their trees."""
    return tuple(source(kind).examples())


def class_of(kind: str, example: GrammarExample) -> str:
    """The name of an example's class."""
    return KINDS[kind].classes[example.label]
