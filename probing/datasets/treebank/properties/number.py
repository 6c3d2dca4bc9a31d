"""The number of the main clause's subject and of its direct object."""

from __future__ import annotations

from collections.abc import Iterator

from probing.datasets.treebank.facts import NUMBERS
from probing.datasets.treebank.forms import by_form
from probing.datasets.treebank.needs import Column
from probing.datasets.treebank.pool import Pool, SentenceExample
from probing.datasets.treebank.properties.property import Property
from probing.datasets.treebank.tree_facts import direct_object, subject

NEEDS: tuple[Column, ...] = ("UPOS", "FEATS", "HEAD", "DEPREL")


def of_subjects(pool: Pool) -> Iterator[SentenceExample]:
    """Yield singular and plural subjects; each form of a common noun is the subject in one split only."""
    return by_form([(item, found) for item in pool.items if (found := subject(item.sentence))], pool.seed)


def of_objects(pool: Pool) -> Iterator[SentenceExample]:
    """Yield singular and plural objects; each form of a common noun is the object in one split only."""
    return by_form(
        [(item, found) for item in pool.items if (found := direct_object(item.sentence))], pool.seed
    )


SUBJ_NUMBER = Property(of_subjects, NUMBERS, NEEDS, "Number", pools=True)
OBJ_NUMBER = Property(of_objects, NUMBERS, NEEDS, "Number", pools=True)
