"""Words for the two sides of attention: the places that attend, and those that they attend to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from probing.errors import ProbingError
from probing.representations.request import Stack
from probing.validation.suggestions import suggest

STACKS: tuple[Stack, ...] = get_args(Stack)


@dataclass(frozen=True)
class Sides:
    """Words of pages and pictures for one stack.

    Attributes:
        layer: Word before the number of a layer, empty or with a blank at its end.
        query: Heading of the places that attend.
        key: Heading of the places that they attend to.
        rows: A clause that says what rows and columns of a matrix are.
    """

    layer: str
    query: str = "attends"
    key: str = "is attended to"
    rows: str = "rows attend to columns"


SIDES: Mapping[Stack, Sides] = {
    "": Sides(""),
    "encoder": Sides("encoder "),
    "decoder": Sides("decoder "),
    "cross": Sides(
        "cross-attention ",
        "decoder predicts",
        "encoder reads",
        "rows are what the decoder predicts, columns what the encoder reads",
    ),
}


def stack_of(given: Any) -> Stack:  # noqa: ANN401
    """Return a stack as given by the user.

    Raises:
        ProbingError: If there is no such stack.
    """
    found = next((stack for stack in STACKS if stack == given), None)
    if found is None:
        raise ProbingError(f"stack={given} is unknown; {suggest(str(given), list(filter(None, STACKS)))}")
    return found


def check_stack(stack: Stack, settings: Mapping[str, Any], title: str, *, of_task: bool) -> None:
    """Refuse a stack that the model does not have, or next to vectors, which are those of the encoder.

    Args:
        stack: The stack.
        settings: Configuration of the model.
        title: Name of the model.
        of_task: Whether the examples of a task are shown too.

    Raises:
        ProbingError: If so.
    """
    if stack and not settings.get("is_encoder_decoder"):
        raise ProbingError(f"stack={stack}: {title} has one stack of layers; leave out stack=")
    if stack and of_task:
        raise ProbingError(
            f"stack={stack}: the examples of a task are vectors of the encoder's heads; leave out stack=, or "
            "leave out the task and give a text"
        )
