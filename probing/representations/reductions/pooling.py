"""Pooling of one vector per token to one vector per unit of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from probing.errors import ProbingError
from probing.io.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

Pooling = Literal["first", "last", "mean", "max"]


def pool(states: Tensor, tokens: Tensor, how: Pooling, texts: Tensor | None = None) -> Tensor:
    """Pool the tokens of every unit, wherever padding and other units are.

    A sentence's tokens are those of its attention mask, and a word's are those inside its character span.
    Only the tokens marked here are read, so padding on any side, and any gap, has no effect.

    Args:
        states: (batch, seq, *features), the vectors that the model computed for every token.
        tokens: bool (units, seq), the tokens that belong to each unit; at least one each.
        how: The pooling of these tokens.
        texts: int64 (units,), the batch row of each unit; None where unit i is in row i.

    Returns:
        float (units, *features), a new tensor that does not keep `states` in memory.

    Raises:
        ProbingError: If the model changed the length of its input, so that no token has a vector.
    """
    if states.shape[1] != tokens.shape[1]:
        raise ProbingError(
            f"the model pools its input, with {states.shape[1]} positions for {tokens.shape[1]} tokens here; "
            "choose layers before that (granularity.layers)"
        )
    if how in {"first", "last"}:
        rows = torch.arange(len(tokens), device=states.device) if texts is None else texts
        return states[rows, first_token(tokens) if how == "first" else last_token(tokens)]
    flat = states.flatten(2)
    if texts is not None:
        pooled = _bags(flat, tokens, texts, how)
    else:
        pooled = _mean(flat, tokens) if how == "mean" else _max(flat, tokens)
    return pooled.reshape(len(tokens), *states.shape[2:])


def first_token(tokens: Tensor) -> Tensor:
    """Return the position of each unit's first token; bool (units, seq) -> int64 (units,)."""
    return tokens.int().argmax(1)


def last_token(tokens: Tensor) -> Tensor:
    """Return the position of each unit's last token, from the end; bool (units, seq) -> int64 (units,)."""
    return tokens.shape[1] - 1 - tokens.int().flip(1).argmax(1)


def _bags(states: Tensor, tokens: Tensor, texts: Tensor, how: Pooling) -> Tensor:
    """Return the mean or maximum over each unit's own tokens; the text is not copied for each unit."""
    units, positions = tokens.nonzero(as_tuple=True)
    sizes = tokens.sum(1)
    every_token = states.flatten(0, 1).float()
    return torch.nn.functional.embedding_bag(
        texts[units] * tokens.shape[1] + positions, every_token, sizes.cumsum(0) - sizes, mode=how
    )


def _mean(states: Tensor, tokens: Tensor) -> Tensor:
    # multiplying by zero would not remove a NaN that a model leaves on padding
    states = states.masked_fill(~tokens.unsqueeze(2), 0.0)
    return states.sum(1, dtype=torch.float32) / tokens.sum(1, keepdim=True)


def _max(states: Tensor, tokens: Tensor) -> Tensor:
    return states.masked_fill(~tokens.unsqueeze(2), -torch.inf).amax(1)
