"""Sentences in messages that name the available choices."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

# maximum number of names that a message lists
MOST_NAMED = 30
_MOST = 8
_SYNONYMS = {"cls": "first", "average": "mean", "avg": "mean", "tex": "latex", "md": "markdown"}


def suggest(name: str, known: list[str], shown: list[str] | None = None) -> str:
    """Return a sentence with the available names, the likeliest first.

    Args:
        name: Unknown name.
        known: Available names.
        shown: Names to list, if they differ from those that may be the likeliest.
    """
    close = nearest(name, known)
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    known = known if shown is None else shown
    if len(known) <= MOST_NAMED:
        return f"{guess}expected one of {', '.join(known)}"
    short = list(dict.fromkeys(choice.partition("/")[0] + "/*" * ("/" in choice) for choice in known))
    more = f" and {len(short) - MOST_NAMED} more" if len(short) > MOST_NAMED else ""
    return f"{guess}expected one of {', '.join(short[:MOST_NAMED])}{more}"


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Return the likeliest of some names: all that end in `/name`, otherwise the most similar one, if any."""
    same = [each for each in known if each.rpartition("/")[2] == name or each == _SYNONYMS.get(name)]
    return same or get_close_matches(name, known, n=1)


def name_one(what: str, names: Sequence[str], texts: Sequence[str]) -> str:
    """Return the sentence for several objects where one is expected.

    Args:
        what: Name of the object that should occur once.
        names: Columns that distinguish the objects, starting with the one to be named.
        texts: Values of this column, as a user would write them.
    """
    name, *more = names
    texts = list(dict.fromkeys(texts))
    some = ", ".join(texts[:_MOST]) + (f" and {len(texts) - _MOST} more" if len(texts) > _MOST else "")
    also = f" ({', '.join(more)} differ{'' if len(more) > 1 else 's'} too)" if more else ""
    return f"more than one {what}: {name} is any of {some}; name one, {name}=...{also}"
