"""The ten tasks."""

from __future__ import annotations

from probing.datasets.grammar.kinds.bigram_shift import BigramShift
from probing.datasets.grammar.kinds.coordination_inversion import CoordinationInversion
from probing.datasets.grammar.kinds.depth import Depth
from probing.datasets.grammar.kinds.kind import GrammarKind
from probing.datasets.grammar.kinds.length import Length
from probing.datasets.grammar.kinds.number import ObjNumber, SubjNumber
from probing.datasets.grammar.kinds.odd_man_out import OddManOut
from probing.datasets.grammar.kinds.tense import Tense
from probing.datasets.grammar.kinds.top_constituents import TopConstituents
from probing.datasets.grammar.kinds.word_content import WordContent

KINDS: dict[str, type[GrammarKind]] = {
    "length": Length,
    "word_content": WordContent,
    "depth": Depth,
    "top_constituents": TopConstituents,
    "bigram_shift": BigramShift,
    "tense": Tense,
    "subj_number": SubjNumber,
    "obj_number": ObjNumber,
    "odd_man_out": OddManOut,
    "coordination_inversion": CoordinationInversion,
}

__all__ = ["KINDS", "GrammarKind"]
