"""Options given in Python, as keywords and dicts, turned into the overrides of a command line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from probing.config.choices import is_glob
from probing.config.quoting import exact
from probing.errors import ProbingError
from probing.io.files import expanded

Given = Sequence[str | Mapping[str, object]] | Mapping[str, object]
"""Options as one argument: override strings and dicts in a list, or one dict."""

_KEY = re.compile(r"[^\s=,]+")


def as_overrides(positional: Given, options: Mapping[str, object], *, swept: bool = False) -> list[str]:
    """Return override strings, in the order in which the options are given.

    A text is taken literally and quoted if necessary; `~/` at its start is the home folder. None becomes
    `null`. The keys of a dict within a dict are joined by dots, so `{"extract": {"device": "cpu"}}` is
    `extract.device=cpu`.

    Args:
        positional: Override strings, which are not changed, and dicts of options.
        options: Further options, such as keyword arguments; `{"task": "grammar/tense", "task.limit": 200}`.
        swept: Whether the items of a list are the values of a sweep. If not, a list is one value. A list
            within a list of a sweep is one value, and texts such as `glob(grammar/*)` match several choices.

    Raises:
        ProbingError: If a key or a value cannot be written as an override.
    """
    if isinstance(positional, str):
        raise ProbingError(f"overrides: {positional!r} is one text; give a list such as ['task.limit=200']")
    found: list[str] = []
    for given in (*([positional] if isinstance(positional, Mapping) else positional), options):
        if isinstance(given, str):
            found.append(given)
        elif isinstance(given, Mapping):
            found.extend(f"{key}={_value(key, value, swept)}" for key, value in _flat(given, ""))
        else:
            raise ProbingError(
                f"overrides: {given!r} is neither a text nor a dict; give a list such as ['task.limit=200']"
            )
    return found


def _flat(options: Mapping[str, object], above: str) -> Iterator[tuple[str, object]]:
    """Yield keys joined by dots, and values that are not dicts."""
    for key, value in options.items():
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ProbingError(f"{above}{key!r} is not the name of an option; see probing --help")
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _value(key: str, value: object, swept: bool) -> str:
    value = _plain(value)
    if not swept:
        return _shown(key, value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if not value:
            raise ProbingError(f"{key}: the list of values to sweep over is empty; give at least one")
        return ",".join(_shown(key, _plain(item)) for item in value)
    # a glob selects choices, or checkpoints by their path
    return value if isinstance(value, str) and is_glob(value) else _shown(key, value)


def _plain(value: object) -> object:
    """Return arrays and numbers of numpy, pandas and PyTorch as Python's own."""
    return value.tolist() if hasattr(value, "tolist") else value


def _shown(key: str, value: object) -> str:
    """Return one value in the grammar of Hydra's command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str | Path):
        return _text(str(value))
    if isinstance(value, Sequence):
        return f"[{','.join(_shown(key, _plain(item)) for item in value)}]"
    raise ProbingError(
        f"{key}: a value of type {type(value).__name__} cannot be an option; give a text, a number, a bool, "
        "None or a list"
    )


def _text(text: str) -> str:
    if text == "~":  # the home folder for an option that takes a path, otherwise the character
        return text
    return exact(str(expanded(text)) if text.startswith("~/") else text)
