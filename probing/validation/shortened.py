"""Short forms of texts and lists, for what objects show at a prompt."""

from __future__ import annotations

from collections.abc import Iterable


def shortened(text: str, most: int = 60) -> str:
    """Return a text in one line of at most `most` characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 3]}..."


def some(names: Iterable[object], most: int = 4) -> str:
    """Return the first few names, and the number of the others: "a, b and 7 more"."""
    shown = [shortened(str(name), 24) for name in names]
    more = len(shown) - most
    return ", ".join(shown) if more <= 0 else f"{', '.join(shown[:most])} and {more} more"
