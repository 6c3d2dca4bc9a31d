"""Values of the command line as text: splitting them, and quoting them so that Hydra reads them unchanged."""

from __future__ import annotations

import re

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Quote, QuotedString

from probing.io.yaml import escaped

_LITERAL = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_WHOLE_LITERAL = re.compile(_LITERAL, re.DOTALL)
# a literal that is a whole element of a list
_ELEMENT = re.compile(rf"(?:{_LITERAL})(?=\s*(?:[,\])}}]|$))", re.DOTALL)
# words that Hydra reads as text without quotes, which excludes numbers, true, false and null
_PLAIN = re.compile(r"(?:\.{0,2}/)?[A-Za-z_][\w/.:@+-]*", re.ASCII)
_NOT_TEXT = {"null", "true", "false", "inf", "nan"}


def is_plain(value: str) -> bool:
    """Return whether Hydra reads a value as the text that it is, without quotes."""
    return bool(_PLAIN.fullmatch(value)) and value.lower() not in _NOT_TEXT


def is_literal(value: str) -> bool:
    """Return whether a value is one text in quotes in Hydra's own grammar."""
    return bool(_WHOLE_LITERAL.fullmatch(value))


def unquoted(value: str) -> str:
    """Return the text of a value, without the quotes that Hydra would remove."""
    if not is_literal(value):
        return value
    return str(OverridesParser.create().parse_override(f"key={value}").value())


def quoted(text: str) -> str:
    """Return a text in a form that Hydra reads back unchanged, quoted if necessary."""
    return text if is_plain(text) else QuotedString(text, Quote.single).with_quotes()


def exact(text: str) -> str:
    """Return a text in a form that Hydra reads back unchanged, with `${` kept literal."""
    return quoted(escaped(text))


def split(value: str) -> list[str]:
    """Return the parts of a value between commas; commas within brackets or quotes do not separate parts.

    Unbalanced brackets are ordinary characters.
    """
    parts, depth, begin, place, opens = [], 0, 0, 0, True
    while place < len(value):
        literal = _ELEMENT.match(value, place) if opens else None
        if literal:
            place, opens = literal.end(), False
            continue
        char = value[place]
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            parts.append(value[begin:place])
            begin = place + 1
        elif depth < 0:
            return value.split(",")
        opens = char in ",([{" or (opens and char.isspace())
        place += 1
    return value.split(",") if depth else [*parts, value[begin:]]
