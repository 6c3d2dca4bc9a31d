"""Tense of the main verb."""

from __future__ import annotations

from collections.abc import Iterator

from probing.datasets.treebank.facts import TENSES
from probing.datasets.treebank.forms import by_form
from probing.datasets.treebank.pool import Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property
from probing.datasets.treebank.tree_facts import tense


def examples(pool: Pool) -> Iterator[SentenceExample]:
    """Yield past and present; each form of a finite verb or auxiliary is the main one in one split only."""
    return by_form([(item, found) for item in pool.items if (found := tense(item.sentence))], pool.seed)


TENSE = Property(examples, TENSES, ("FEATS", "HEAD", "DEPREL"), "Tense", pools=True)
