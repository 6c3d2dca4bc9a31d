"""Sentences in messages that name the available choices."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

# maximum number of names that a message lists
MOST_NAMED = 30
_MOST = 8


def suggest(name: str, known: list[str], shown: list[str] | None = None) -> str:
    """Return a sentence with the available names, the likeliest first.

    Args:
        name: Unknown name.
        known: Available names.
        shown: Names to list, if they differ from those that may be the likeliest.
    """
    close = get_close_matches(name, known, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    known = known if shown is None else shown
    if len(known) <= MOST_NAMED:
        return f"{guess}there is {', '.join(known)}"
    short = list(dict.fromkeys(choice.partition("/")[0] + "/*" * ("/" in choice) for choice in known))
    more = f" and {len(short) - MOST_NAMED} more" if len(short) > MOST_NAMED else ""
    return f"{guess}there is {', '.join(short[:MOST_NAMED])}{more}"


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
