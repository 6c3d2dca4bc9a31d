"""Type hints in words, with the bounds that they declare."""

from __future__ import annotations

import types
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from probing.validation.ranges import AtLeast, Bound, Entries, Most, Range

_NAMES = {int: "whole number", float: "number", str: "text", Path: "path"}


def in_words(hint: Any) -> str:  # noqa: ANN401
    """Return the values that a type hint allows, such as `whole number from 1 to 100` or `zero or mean`."""
    alternatives = _alternatives(hint)
    if len(alternatives) == 2 and " " in alternatives[0]:
        return ", or ".join(alternatives)
    return _joined(alternatives)


def _alternatives(hint: Any, bounds: Sequence[Bound] = (), *, many: bool = False) -> list[str]:  # noqa: ANN401
    """Return the alternatives of a hint, such as choices and null, each in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        own = [each for each in inner[1:] if isinstance(each, Bound)]
        return _alternatives(inner[0], [*bounds, *own], many=many)
    if origin in {Union, types.UnionType}:
        given = [word for each in inner if each is not type(None) for word in _alternatives(each, bounds)]
        return [*given, "null"] if type(None) in inner else given
    if origin is Literal:
        return list(map(str, inner))
    if origin is tuple:
        return [_list(inner[0], [each for each in bounds if isinstance(each, Entries)])]
    if hint is bool:
        return ["true", "false"]
    return [(_NAMES.get(hint, "any value") + "s" * many) + _between(bounds)]


def _list(entry: Any, bounds: Sequence[Entries]) -> str:  # noqa: ANN401
    """Return the words for a list: the bounds of its length, and its entries."""
    most = next((f"up to {each.most} " for each in bounds if each.most is not None), "")
    different = "different " if any(each.distinct for each in bounds) else ""
    entries = _alternatives(entry, many=True)
    named = entries[0] if len(entries) == 1 else f"{'of ' if most else ''}{_joined(entries)}"
    return f"list of {most}{different}{named}"


def _between(bounds: Sequence[Bound]) -> str:
    """Return the words for bounds of a number, the narrowest at each end."""
    ranges = [each for each in bounds if isinstance(each, Range)]
    lows = [(each.low, each.open_low) for each in ranges if each.low is not None]
    lows += [(each.least, False) for each in bounds if isinstance(each, AtLeast)]
    highs = [(each.high, each.open_high) for each in ranges if each.high is not None]
    highs += [(each.most, False) for each in bounds if isinstance(each, Most)]
    text, to, below = "", " up to", " below"
    if lows:
        low, is_open = max(lows)
        text = f" {'above' if is_open else 'from'} {low:,}"
        to, below = (", up to", ", below") if is_open else (" to", " to below")
    if highs:
        high, is_open = min(highs)
        text += f"{below if is_open else to} {high:,}"
    return text


def _joined(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
