"""Spans of words that are tagged one by one, in any of the usual schemes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from probing.errors import ProbingError

OUTSIDE = frozenset({"O", "_", "-"})
# a span begins here; it ends here
_BEGINS = frozenset("BSU")
_ENDS = frozenset("ESLU")
_PREFIXES = frozenset("BIESLU")


class TaggedSpan(NamedTuple):
    """Words [start, end) with their type."""

    start: int
    end: int
    label: str


def tagged_spans(tags: Sequence[str], places: Sequence[str]) -> list[TaggedSpan]:
    """Return the spans of a sentence, in order.

    One rule reads IOB1, IOB2 (BIO), BIOES and BILOU: a span goes on while its type does, unless a tag says
    that a span begins (B, S, U) or that the one before has ended (E, S, L, U).

    Args:
        tags: The tag of each word: `O`, `_` or `-` outside of spans, otherwise a letter and a type, `B-LOC`.
        places: The place of each word, for messages.

    Raises:
        ProbingError: With the place, if a tag is none of these.
    """
    found: list[TaggedSpan] = []
    ended = True
    for at, tag in enumerate(tags):
        if tag in OUTSIDE:
            ended = True
            continue
        prefix, dash, label = tag.partition("-")
        if prefix not in _PREFIXES or not (dash and label):
            raise ProbingError(
                f"{places[at]}: {tag!r} is not a tag of a span; give O, or a type after B- or I-, as in "
                "B-LOC, or choose another column"
            )
        if ended or prefix in _BEGINS or found[-1].label != label:
            found.append(TaggedSpan(at, at + 1, label))
        else:
            found[-1] = found[-1]._replace(end=at + 1)
        ended = prefix in _ENDS
    return found
