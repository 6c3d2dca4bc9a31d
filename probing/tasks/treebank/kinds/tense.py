"""Tense of the main verb."""

from __future__ import annotations

from collections.abc import Iterator

from probing.tasks.treebank.facts import TENSES
from probing.tasks.treebank.forms import by_form
from probing.tasks.treebank.kinds.base import Kind
from probing.tasks.treebank.pool import Example, Pool
from probing.tasks.treebank.reading import tense


def examples(pool: Pool) -> Iterator[Example]:
    """Yield past and present; each form of a finite verb or auxiliary is the main one in one split only."""
    return by_form([(item, found) for item in pool.items if (found := tense(item.sentence))], pool.seed)


TENSE = Kind(examples, TENSES, ("FEATS", "HEAD", "DEPREL"), "Tense", pools=True)
