"""Check the indices of embeddings and name a token without a row, before the device fails on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from probing.errors import ProbingError


def guard_embeddings(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Make every embedding check the indices that it receives; its results stay the same.

    On a GPU, an index out of range ends the process. On a CPU, it raises a bare IndexError.

    Args:
        model: Model to guard; from then on, a forward pass raises a ProbingError if a row is missing.
        tokenizer: Tokenizer that names the token in the message.
        name: Name of the model, as the user wrote it.
    """
    words = word_embeddings(model)
    for path, module in model.named_modules():
        if isinstance(module, nn.Embedding):
            of_words = words is not None and module.num_embeddings == words.num_embeddings
            # one with its own forward may compute indices from a shape or a mask, as BART's positions do
            if of_words or type(module).forward is nn.Embedding.forward:
                named = _token(tokenizer) if of_words else _number
                module.register_forward_pre_hook(_look(f"model {name}: {path}", named))


def word_embeddings(model: PreTrainedModel) -> nn.Embedding | None:
    """Return the token embedding; None for a model without one, such as CANINE, which hashes characters."""
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
                f"{where} has {module.num_embeddings} rows, but {named(wrong)}; the tokenizer and "
                "config.json do not belong to these weights: replace them with those of this model"
            )

    return hook


def _token(tokenizer: PreTrainedTokenizerBase) -> Callable[[int], str]:
    def named(number: int) -> str:
        return f"the token {tokenizer.convert_ids_to_tokens(number)!r} has id {number}"

    return named


def _number(number: int) -> str:
    return f"index {number} was requested"
