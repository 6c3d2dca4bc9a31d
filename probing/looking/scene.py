"""The choices that make one picture of a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from probing.config.convert import convert
from probing.errors import ProbingError
from probing.looking.finds import Direction
from probing.validation.ranges import hints_of

View = Literal["lines", "matrix", "layer", "model", "arcs", "semantic"]
VIEWS: tuple[View, ...] = get_args(View)
_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True)
class Scene:
    """The choices of one picture.

    Attributes:
        layer: Layer from 0.
        head: Head from 0.
        view: Kind of picture.
        passage: Number of the text, from 0.
        weights: Name of the weights.
        unit: Whether words or tokens attend to each other.
        special: Whether tokens that the tokenizer adds, such as [CLS], are shown.
        scale: Whether one scale of colours covers all heads, or the largest weight of each head ends its own.
        direction: Whether the dependent attends to its governor, or the governor to its dependent.
    """

    layer: int = 0
    head: int = 0
    view: View = "model"
    passage: int = 0
    weights: str = "attention"
    unit: Literal["words", "tokens"] = "words"
    special: bool = True
    scale: Literal["shared", "own"] = "shared"
    direction: Direction = "dependent"


def scene_values(given: Mapping[str, str]) -> dict[str, Any]:
    """Return fields of a scene from words of the command line.

    Args:
        given: Values by name, as typed; all names are fields.

    Raises:
        ProbingError: If a value is not among the choices.
    """
    hints = hints_of(Scene)
    found: dict[str, Any] = {}
    for name, text in given.items():
        value: Any = _SWITCH.get(text, text)
        if hints[name] is int:
            value = whole_number(name, text)
        found[name] = convert(hints[name], value, name)
    return found


def whole_number(name: str, text: str) -> int:
    """Return a number from 0 as typed.

    Args:
        name: Word of the command that takes it.
        text: The number.

    Raises:
        ProbingError: If it is not a whole number from 0.
    """
    if not text.strip().isdecimal():
        raise ProbingError(f"{name}={text}; give a whole number from 0")
    return int(text)


def check_head(heads: Mapping[int, int], layer: int, head: int) -> None:
    """Refuse a head that the model does not have.

    Args:
        heads: Number of heads of each layer.
        layer: Layer from 0.
        head: Head from 0.

    Raises:
        ProbingError: If there is no such head.
    """
    if layer not in heads:
        known = ", ".join(map(str, heads))
        raise ProbingError(f"layer={layer}: the model has attention in layers {known}; give one of them")
    if not 0 <= head < heads[layer]:
        raise ProbingError(f"head={head}: layer {layer} has heads 0 to {heads[layer] - 1}; give one of them")
