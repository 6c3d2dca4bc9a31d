"""Numbers that an embedding has no row for are refused by name, before they become an error of the device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.errors import ProbingError


def guard_embeddings(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Let every embedding look at the numbers that it is given; what it computes stays the same.

    On a graphics card a number out of range ends the process; on a processor it is a bare IndexError.

    Args:
        model: The model; a forward pass raises a ProbingError from then on where a row is missing.
        tokenizer: Names the token.
        name: The model, as the user calls it.
    """
    words = word_embeddings(model)
    for path, module in model.named_modules():
        if isinstance(module, nn.Embedding):
            of_words = words is not None and module.num_embeddings == words.num_embeddings
            # one with a forward of its own may make row numbers of a shape or a mask, as BART's positions
            if of_words or type(module).forward is nn.Embedding.forward:
                named = _token(tokenizer) if of_words else _number
                module.register_forward_pre_hook(_look(f"model {name}: {path}", named))


def word_embeddings(model: PreTrainedModel) -> nn.Embedding | None:
    """The embedding of tokens; None of a model that has none, as CANINE, which hashes characters."""
    try:
        found = model.get_input_embeddings()
    except NotImplementedError:
        return None
    return found if isinstance(found, nn.Embedding) else None


def _look(where: str, named: Callable[[int], str]) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    def hook(module: nn.Module, args: tuple[Any, ...]) -> None:
        assert isinstance(module, nn.Embedding)
        if not args or not isinstance(args[0], Tensor) or not args[0].numel():
            return
        low, high = (int(value) for value in args[0].aminmax())
        if low < 0 or high >= module.num_embeddings:
            wrong = low if low < 0 else high
            raise ProbingError(
                f"{where} has {module.num_embeddings} rows, and {named(wrong)}; the tokenizer and "
                "config.json belong to another model than the weights: put those of this model there"
            )

    return hook


def _token(tokenizer: PreTrainedTokenizerBase) -> Callable[[int], str]:
    def named(number: int) -> str:
        return f"the token {tokenizer.convert_ids_to_tokens(number)!r} has number {number}"

    return named


def _number(number: int) -> str:
    return f"it is asked for number {number}"
