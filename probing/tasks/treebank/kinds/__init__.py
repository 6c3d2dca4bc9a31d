"""The ten sentence tasks."""

from __future__ import annotations

from probing.tasks.treebank.kinds.base import Kind
from probing.tasks.treebank.kinds.bigram_shift import BIGRAM_SHIFT
from probing.tasks.treebank.kinds.coordination_inversion import COORDINATION_INVERSION
from probing.tasks.treebank.kinds.depth import DEPTH
from probing.tasks.treebank.kinds.length import LENGTH
from probing.tasks.treebank.kinds.number import OBJ_NUMBER, SUBJ_NUMBER
from probing.tasks.treebank.kinds.odd_man_out import ODD_MAN_OUT
from probing.tasks.treebank.kinds.tense import TENSE
from probing.tasks.treebank.kinds.top_constituents import TOP_CONSTITUENTS
from probing.tasks.treebank.kinds.word_content import WORD_CONTENT

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

__all__ = ["KINDS", "Kind"]
