"""Options whose values are texts, as declared by the dataclass of a config group."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from probing.validation.ranges import hints_of

# options that are texts or folders although no dataclass declares them so
_OTHERS = {"hydra.run.dir": True, "hydra.sweep.dir": True, "hydra.sweep.subdir": False}
_PATHS = {"model.name"}


@dataclass(frozen=True)
class TextOption:
    """An option that takes a text.

    Attributes:
        listed: Whether it takes a list of texts.
        optional: Whether null leaves it unset.
        path: Whether it is a path, in which ~ is the home folder.
    """

    listed: bool = False
    optional: bool = False
    path: bool = False


def text_option(key: str, classes: Sequence[type]) -> TextOption | None:
    """Return the description of an option if it takes a text in all classes that have it, else None.

    Args:
        key: Option as on the command line, such as `task.path`.
        classes: Dataclasses that the option's group may be converted to.
    """
    if key in _OTHERS:
        return TextOption(path=_OTHERS[key])
    name = key.partition(".")[2]
    having = [cls for cls in classes if is_dataclass(cls) and name in {field.name for field in fields(cls)}]
    found = [_of_hint(hints_of(cls)[name]) for cls in having]
    texts = [option for option in found if option is not None]
    if not texts or len(texts) < len(found):
        return None
    return TextOption(
        listed=all(option.listed for option in texts),
        optional=all(option.optional for option in texts),
        path=key in _PATHS or all(option.path for option in texts),
    )


def _of_hint(hint: Any) -> TextOption | None:  # noqa: ANN401
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _of_hint(inner[0])
    if origin in {Union, types.UnionType}:
        options = [_of_hint(option) for option in inner if option is not type(None)]
        found = options[0] if len(options) == 1 else None
        return found and TextOption(found.listed, type(None) in inner, found.path)
    if origin is tuple:
        found = _of_hint(inner[0])
        return found and TextOption(True, found.optional, found.path)
    if origin is Literal:
        return TextOption() if all(isinstance(option, str) for option in inner) else None
    return TextOption(path=hint is Path) if hint in (str, Path) else None
