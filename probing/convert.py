"""From plain values, as YAML has them, to frozen dataclasses; every mistake is named by its key."""

from __future__ import annotations

import importlib
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from probing.errors import ProbingError

T = TypeVar("T")
# a message lists so many names one by one
MOST_NAMED = 30


def make(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make a dataclass from plain values of its fields.

    Args:
        cls: A dataclass.
        values: By field name.
        where: The config group, for messages.

    Raises:
        ProbingError: If a key is unknown or missing, or a value has the wrong type.
    """
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise ProbingError(f"unknown option {where}.{name}; {suggest(name, list(known))}")
    for name, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and name not in values:
            raise ProbingError(f"{where}.{name} is not set; give {where}.{name}=...")
    arguments = {name: convert(hints[name], value, f"{where}.{name}") for name, value in values.items()}
    return cls(**arguments)


def make_target(values: Mapping[str, Any], where: str) -> Any:  # noqa: ANN401
    """Make the dataclass that `_target_` names, from the values beside it."""
    target = str(values.get("_target_", ""))
    module, _, name = target.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise ProbingError(f"{where}._target_ is {target!r}, which cannot be imported ({error})") from error
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise ProbingError(f"{where}._target_ is {target!r}, which is no dataclass")
    return make(cls, {key: value for key, value in values.items() if key != "_target_"}, where)


def convert(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    """Check one value against a type hint, turning lists into tuples and whole numbers into floats.

    Raises:
        ProbingError: If the value does not fit; the message names the key.
    """
    origin, options = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return None if value is None else convert(_without_none(options), value, where)
    if origin is Literal:
        if value not in options:
            raise ProbingError(f"{where} is {value!r}; {suggest(str(value), list(map(str, options)))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ProbingError(f"{where} is {value!r}; give a list, {where}=[...]")
        return tuple(convert(options[0], item, where) for item in value)
    return _plain(hint, value, where)


def suggest(name: str, known: list[str]) -> str:
    """What a message says of the names that there are, the likeliest first."""
    close = get_close_matches(name, known, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    if len(known) <= MOST_NAMED:
        return f"{guess}there is {', '.join(known)}"
    short = list(dict.fromkeys(choice.partition("/")[0] + "/*" * ("/" in choice) for choice in known))
    more = f" and {len(short) - MOST_NAMED} more" if len(short) > MOST_NAMED else ""
    return f"{guess}there is {', '.join(short[:MOST_NAMED])}{more}"


def _without_none(options: tuple[Any, ...]) -> Any:  # noqa: ANN401
    (hint,) = (option for option in options if option is not type(None))
    return hint


def _plain(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Path and isinstance(value, str):
        return Path(value).expanduser()
    if hint is str and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, bool) is not (hint is bool) or not isinstance(value, hint):
        raise ProbingError(f"{where} is {value!r}; give {_NAMES.get(hint, hint.__name__)}")
    return value


_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}
