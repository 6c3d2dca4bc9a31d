"""Code from outside the package, on which a result may depend."""

from __future__ import annotations

import hashlib
import inspect
import sys
from functools import cache
from pathlib import Path
from types import CodeType

_OURS = __name__.partition(".")[0]
# types that do not affect how a value is computed
_NEUTRAL = {"builtins", "abc", "typing", "typing_extensions", "dataclasses", "enum", "collections.abc"}


def outside_code(*objects: object) -> list[list[str]]:
    """Return the classes of some objects that are not from this package, with digests of their source.

    Returns:
        For each class, and each base class, that comes from outside: module, qualified name, digest.
        Empty where all classes are the package's own, whose changes are in the schema of keys.
    """
    kinds = dict.fromkeys(kind for one in objects for kind in type(one).__mro__)
    return [
        [kind.__module__, kind.__qualname__, _digest(kind)]
        for kind in kinds
        if kind.__module__.partition(".")[0] != _OURS and kind.__module__ not in _NEUTRAL
    ]


@cache
def _digest(kind: type) -> str:
    """Return a digest of the file that defines a class, computed when the class is first used."""
    return hashlib.sha256(_source(kind)).hexdigest()[:16]


def _source(kind: type) -> bytes:
    path = getattr(sys.modules.get(kind.__module__), "__file__", None)
    try:
        if path is not None:
            return Path(path).read_bytes()
        return inspect.getsource(kind).encode()  # defined in a notebook
    except (OSError, TypeError):  # typed at a prompt, so only its bytecode is available
        return repr(_instructions(kind)).encode()


def _instructions(kind: type) -> list[object]:
    found: list[object] = []
    for name, value in sorted(vars(kind).items()):
        function = inspect.unwrap(getattr(value, "fget", None) or getattr(value, "__func__", value))
        code = getattr(function, "__code__", None)
        if code is not None:
            found.append((name, _plain(code)))
        elif isinstance(value, str | int | float | bool | tuple | None):
            found.append((name, value))
    return found


def _plain(code: CodeType) -> tuple[object, ...]:
    constants = tuple(_plain(item) if isinstance(item, CodeType) else repr(item) for item in code.co_consts)
    return code.co_code, code.co_names, constants
