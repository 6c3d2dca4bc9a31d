"""Conversion of plain values, as in YAML, to frozen dataclasses; errors name the key."""

from __future__ import annotations

import importlib
import inspect
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from probing.errors import ProbingError
from probing.io.files import expanded
from probing.validation.ranges import check_bounds, check_finite, hints_of, shown
from probing.validation.suggestions import suggest

T = TypeVar("T")


def make(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Make a dataclass from plain values of its fields.

    Args:
        cls: A dataclass.
        values: Values by field name.
        where: Config group, for messages.

    Raises:
        ProbingError: If a key is unknown or missing, or a value has the wrong type or is out of its range.
    """
    hints = hints_of(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise ProbingError(f"unknown option {where}.{name}; {suggest(name, list(known))}")
    for name, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and name not in values:
            raise ProbingError(f"{where}.{name} is not set; give {where}.{name}=...")
    arguments = {name: convert(hints[name], value, f"{where}.{name}") for name, value in values.items()}
    try:
        return cls(**arguments)
    except ValueError as error:  # raised by a user's own class for invalid values
        raise ProbingError(f"{where}: {error}") from error


def make_target(values: Mapping[str, Any], where: str, kind: type[Any], *others: type[Any]) -> Any:  # noqa: ANN401
    """Make the dataclass that `_target_` names, from the other values.

    Args:
        values: Values by field name, and `_target_`.
        where: Config group, for messages.
        kind: Protocol whose members the class must have.
        others: Classes that are accepted without these members.

    Raises:
        ProbingError: If the class cannot be imported, is of another kind, or does not accept the values.
    """
    target = str(values.get("_target_", ""))
    cls = import_dataclass(target, where)
    own = {field.name for field in fields(cls)}
    lacking = [name for name in _members(kind) if name not in own and not hasattr(cls, name)]
    if lacking and cls not in others:
        raise ProbingError(
            f"{where}._target_ is {target!r}, which has no {lacking[0]}; choose one of probing --help"
        )
    return make(cls, {key: value for key, value in values.items() if key != "_target_"}, where)


def import_dataclass(target: str, where: str) -> type[Any]:
    """Return the dataclass of a dotted name.

    Raises:
        ProbingError: If there is no such class, or its module cannot be imported.
    """
    if not target:
        raise ProbingError(f"{where} is not set; give {where}=..., see probing --help")
    module, _, name = target.rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), name)
    except Exception as error:  # importing a module runs arbitrary code
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ProbingError(
            f"{where}._target_ is {target!r}, which cannot be imported ({reason[0]})"
        ) from error
    if not (isinstance(cls, type) and is_dataclass(cls)):
        raise ProbingError(f"{where}._target_ is {target!r}, which is not a dataclass")
    return cls


def _members(protocol: type[Any]) -> list[str]:
    """Return the methods and properties of a protocol, in alphabetical order."""
    members = inspect.getmembers(
        protocol, lambda each: inspect.isfunction(each) or isinstance(each, property)
    )
    return [name for name, _ in members if not name.startswith("_")]


def convert(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    """Check one value against a type hint, turning lists into tuples and whole numbers into floats.

    Raises:
        ProbingError: If the value does not fit, or is out of its bounds; the message names the key.
    """
    made = _converted(hint, value, where)
    check_bounds(hint, made, where)
    return made


def _converted(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    origin, options = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _converted(options[0], value, where)
    if origin in {Union, types.UnionType}:
        return None if value is None else _converted(_without_none(options), value, where)
    if origin is Literal:
        if value not in options:
            raise ProbingError(f"{where} is {value!r}; {suggest(str(value), list(map(str, options)))}")
        return value
    if origin is tuple:
        if not isinstance(value, list | tuple):
            one = "..." if isinstance(value, Mapping) else value
            raise ProbingError(f"{where} is {value!r}; give a list, {where}=[{one}]")
        return tuple(_converted(options[0], item, where) for item in value)
    return _plain(hint, value, where)


def _without_none(options: tuple[Any, ...]) -> Any:  # noqa: ANN401
    (hint,) = (option for option in options if option is not type(None))
    return hint


def _plain(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401
    if isinstance(value, int | float) and not isinstance(value, bool) and hint in (int, float, str, Path):
        return _number(hint, value, where)
    if hint is Path and isinstance(value, str) and value:
        return expanded(value)
    if isinstance(value, bool) is not (hint is bool) or not isinstance(value, hint):
        raise ProbingError(f"{where} is {value!r}; give {_NAMES.get(hint, hint.__name__)}")
    return value


def _number(hint: Any, value: float, where: str) -> Any:  # noqa: ANN401
    check_finite(value, where)
    if hint is int and not isinstance(value, int):
        raise ProbingError(f"{where} is {shown(value)}; give {_NAMES[int]}")
    return hint(value)


_NAMES = {int: "a whole number", float: "a number", str: "a text", bool: "true or false", Path: "a path"}
