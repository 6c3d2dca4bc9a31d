"""The ten sentence tasks."""

from __future__ import annotations

from probing.datasets.treebank.properties.bigram_shift import BIGRAM_SHIFT
from probing.datasets.treebank.properties.coordination_inversion import COORDINATION_INVERSION
from probing.datasets.treebank.properties.depth import DEPTH
from probing.datasets.treebank.properties.length import LENGTH
from probing.datasets.treebank.properties.number import OBJ_NUMBER, SUBJ_NUMBER
from probing.datasets.treebank.properties.odd_man_out import ODD_MAN_OUT
from probing.datasets.treebank.properties.property import Property
from probing.datasets.treebank.properties.tense import TENSE
from probing.datasets.treebank.properties.top_constituents import TOP_CONSTITUENTS
from probing.datasets.treebank.properties.word_content import WORD_CONTENT

KINDS = {
    "length": LENGTH,
    "word_content": WORD_CONTENT,
    "depth": DEPTH,
    "top_constituents": TOP_CONSTITUENTS,
    "bigram_shift": BIGRAM_SHIFT,
    "tense": TENSE,
    "subj_number": SUBJ_NUMBER,
    "obj_number": OBJ_NUMBER,
    "odd_man_out": ODD_MAN_OUT,
    "coordination_inversion": COORDINATION_INVERSION,
}

__all__ = ["KINDS", "Property"]
