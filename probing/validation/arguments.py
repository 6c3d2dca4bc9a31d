"""Checks of the arguments of public functions against their type hints."""

from __future__ import annotations

import errno
import inspect
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, wraps
from numbers import Integral, Real
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import pandas as pd

from probing.errors import ProbingError
from probing.io.files import local
from probing.validation.ranges import Bound, check_finite, hints_of
from probing.validation.suggestions import suggest

P = ParamSpec("P")
R = TypeVar("R")
_NAMES: dict[Any, str] = {
    int: "a whole number", float: "a number", str: "a text", bool: "True or False", Path: "a path",
    pd.DataFrame: "a pandas DataFrame", type(None): "None", Mapping: "a dict",
    Callable: "a function",
}  # fmt: skip
# system errors for impossible paths, not for a full disk
_OF_PATHS = {
    errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EROFS,
    errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.ENOTEMPTY,
}  # fmt: skip
# Python treats a text as a sequence of texts, but users never mean it so
_SEVERAL = (Sequence, Iterable, Collection)


def checked(**columns: Sequence[str]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a function refuse arguments that do not fit its type hints, and files it cannot read or write.

    Ranges of numbers are part of the hints: `Annotated[int, Range(1)]`. Errors are ProbingErrors that name
    the function and the argument.

    Args:
        columns: Columns that a frame must have, by the name of the argument.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        hints = cache(lambda: hints_of(function))
        name = getattr(function, "__name__", "call")

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                given = signature.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise ProbingError(f"{name}: {error}; see help(probing.{name})") from error
            for argument, value in given.items():
                kind = signature.parameters[argument].kind
                if kind not in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
                    check(hints()[argument], value, f"{name}: {argument}")
                check_columns(value, columns.get(argument, ()), f"{name}: {argument}")
            try:
                return function(*args, **kwargs)
            except OSError as error:
                paths = {each: given[each] for each in given if _takes_path(hints().get(each))}
                if not paths or error.errno not in _OF_PATHS:
                    raise
                path = _path_of(error, paths)
                place = f"{path}={paths[path]}: {error.filename or paths[path]}"
                raise ProbingError(f"{name}: {place}: {error.strerror}; give another path") from error

        return call

    return decorate


def _path_of(error: OSError, paths: Mapping[str, Any]) -> str:
    """Return the argument whose path an error concerns, on the way to it or next to it, or else the first."""
    there = Path(str(error.filename or ""))
    given = {name: Path(path) for name, path in paths.items() if path is not None}
    near = (name for name, path in given.items() if there in path.parents or there.parent == path.parent)
    return next(near, next(iter(paths)))


def check(hint: Any, value: Any, where: str) -> None:  # noqa: ANN401
    """Refuse a value that a hint does not allow; values that cannot be checked are accepted.

    Raises:
        ProbingError: If so. The message names the argument and the expected value.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint in (Any, object) or isinstance(hint, TypeVar):
        return
    if origin in _CHECKS:
        _CHECKS[origin](inner, value, where)
    elif not _fits(origin or hint, value):
        raise ProbingError(f"{where} is {_shown(value)}; give {_name(hint)}")
    elif origin is not None:
        _check_items(origin, inner, value, where)
    elif isinstance(value, float | int) and not isinstance(value, bool):
        check_finite(value, where)
    elif isinstance(value, str) and "\0" in value:
        raise ProbingError(f"{where} is {value!r}; remove the null character")


def _check_items(origin: Any, inner: tuple[Any, ...], value: Any, where: str) -> None:  # noqa: ANN401
    """Check the entries of lists and mappings; iterators, which can be read only once, are not checked."""
    if origin is Mapping:
        for key, item in value.items():
            check(inner[0], key, where)
            check(inner[1], item, f"{where}[{_shown(key)}]")
    elif origin in _SEVERAL and isinstance(value, list | tuple | set | frozenset):
        for item in value:
            check(inner[0], item, where)


def _check_annotated(inner: tuple[Any, ...], value: Any, where: str) -> None:  # noqa: ANN401
    check(inner[0], value, where)
    for bound in inner[1:]:
        if isinstance(bound, Bound):
            bound.check(value, where)


def _check_literal(inner: tuple[Any, ...], value: Any, where: str) -> None:  # noqa: ANN401
    if not any(value is each or (isinstance(value, str) and value == each) for each in inner):
        known = suggest(str(value), list(map(str, inner)))
        raise ProbingError(f"{where} {_shown(value)} is unknown; {known}")


def _check_union(options: tuple[Any, ...], value: Any, where: str) -> None:  # noqa: ANN401
    problems = []
    for option in options:
        try:
            check(option, value, where)
        except ProbingError as error:
            problems.append((option, error))
        else:
            if option is Path or (option is str and Path in options):
                _check_path(value, where)
            return
    near = [error for option, error in problems if _fits(_plain(option), value)]
    if near:
        raise near[0]
    raise ProbingError(f"{where} is {_shown(value)}; give {' or '.join(_name(option) for option in options)}")


def _check_path(value: str | Path, where: str) -> None:
    if not str(value):
        raise ProbingError(f"{where} is ''; give a path")
    local(str(value), where)


def _check_tuple(inner: tuple[Any, ...], value: Any, where: str) -> None:  # noqa: ANN401
    many = len(inner) == 2 and inner[1] is Ellipsis
    if not isinstance(value, tuple | list) or not (many or len(value) == len(inner)):
        raise ProbingError(f"{where} is {_shown(value)}; give {_name(tuple[inner])}")  # type: ignore[valid-type]
    for place, item in enumerate(value):
        check(inner[0 if many else place], item, where)


def check_columns(frame: object, columns: Sequence[str], where: str) -> None:
    """Refuse a frame that lacks columns; any other object is accepted.

    Raises:
        ProbingError: If so. The message names the argument and the first missing column.
    """
    lacking = [column for column in columns if isinstance(frame, pd.DataFrame) and column not in frame]
    if lacking:
        raise ProbingError(f"{where} has no column {lacking[0]!r}; give rows as returned by load_results")


def _plain(hint: Any) -> Any:  # noqa: ANN401
    return get_args(hint)[0] if get_origin(hint) is Annotated else get_origin(hint) or hint


def _takes_path(hint: Any) -> bool:  # noqa: ANN401
    return hint is Path or Path in get_args(hint)


def _fits(kind: Any, value: Any) -> bool:  # noqa: ANN401
    if kind in (int, float):
        return isinstance(value, Integral if kind is int else Real) and not isinstance(value, bool)
    if kind is Callable:
        return callable(value)
    if kind in _SEVERAL and isinstance(value, str | bytes | Mapping):
        return False
    if not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return kind is not Literal
    return isinstance(value, kind)


def _name(hint: Any) -> str:  # noqa: ANN401
    kind = _plain(hint)
    if kind is Literal:
        return " or ".join(repr(each) for each in get_args(hint))
    if kind is tuple:
        return f"({', '.join(_name(each) for each in get_args(hint))})"
    if kind in (Union, types.UnionType):
        return " or ".join(map(_name, get_args(hint)))
    if kind in _SEVERAL:
        return f"a list, each {_name(get_args(hint)[0])}"
    return _NAMES.get(kind) or f"a {getattr(kind, '__name__', str(kind))}"


def _shown(value: object) -> str:
    """Return a value shortened to fit in a line; for a frame or model only its type."""
    if isinstance(value, str | int | float | Path | type(None) | tuple | list):
        text = " ".join(repr(value).split())
        return text if len(text) <= 60 else f"{text[:57]}..."
    return f"a {type(value).__name__}"


_CHECKS: dict[Any, Callable[[tuple[Any, ...], Any, str], None]] = {
    Annotated: _check_annotated,
    Literal: _check_literal,
    Union: _check_union,
    types.UnionType: _check_union,
    tuple: _check_tuple,
}
