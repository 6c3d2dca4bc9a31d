"""Merge adapters into the weights of a model, which then is as plain as a model without adapters."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.adapter import PREFIX, Adapter

log = logging.getLogger(__name__)
_DEEPEST = 3
"""Maximum number of name parts after the adapted module, such as `lora_A.default.weight`."""


class _Around(nn.Module):
    """A model under the name that it has inside a model with a task head."""

    def __init__(self, name: str, model: nn.Module) -> None:
        super().__init__()
        self.add_module(name, model)


@dataclass(frozen=True)
class _Host:
    """A module whose names the tensors of an adapter may use.

    Attributes:
        module: The model, the model inside its task head, or a wrapper around it.
        names: Dotted names of all its submodules.
    """

    module: nn.Module
    names: frozenset[str]

    @classmethod
    def of(cls, module: nn.Module) -> _Host:
        return cls(module, frozenset(name for name, _ in module.named_modules() if name))

    def fits(self, tensor: str) -> bool:
        """Return whether a tensor of an adapter belongs to a module of the model."""
        parts = tensor.split(".")
        return any(".".join(parts[:-deep]) in self.names for deep in range(1, _DEEPEST + 1))

    def outside(self, tensor: str) -> bool:
        """Return whether a tensor belongs to a part that the module does not have, such as a task head."""
        return tensor.partition(".")[0] not in self.names


def merge_adapter(model: PreTrainedModel, adapter: Adapter) -> None:
    """Merge an adapter into a model's weights, in place (Hu et al. 2022, section 4.1).

    The adapter may have been trained on the model with or without a task head. Tensors of a head that this
    model does not have are ignored; every other tensor must fit a module.

    Raises:
        ProbingError: If the adapter does not fit the model, or cannot be merged.
    """
    import peft

    try:
        config = copy.copy(peft.PeftConfig.from_pretrained(str(adapter.folder)))
        _check_kind(adapter, config)
        weights = cast("dict[str, Tensor]", peft.utils.load_peft_weights(str(adapter.folder), device="cpu"))
        host, kept = _choose(model, list(weights))
        config.task_type = None
        if getattr(config, "modules_to_save", None):
            there = {part for name in host.names for part in name.split(".")}
            config.modules_to_save = [name for name in config.modules_to_save if name in there] or None
        with (
            warnings.catch_warnings(),
            torch.random.fork_rng(devices=[]),
        ):  # adapters start from random weights
            warnings.simplefilter("ignore")
            _merge(host.module, config, {name: weights[name] for name in kept})
        left = [name for name, module in model.named_modules() if type(module).__module__.startswith("peft.")]
        if left:
            raise ValueError(f"{left[0]} cannot be merged into plain weights")
    except (
        ValueError,
        KeyError,
        TypeError,
        RuntimeError,
        OSError,
        AttributeError,
        NotImplementedError,
    ) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ProbingError(
            f"adapter {adapter.folder}: does not fit its model: {reason}; merge it with peft "
            "(merge_and_unload), save the merged model, and use that"
        ) from error
    others = f"; further adapters in {', '.join(adapter.unread)} are not read" if adapter.unread else ""
    log.info("adapter: %s of %s merged into the weights%s", adapter.kind, adapter.folder, others)


def _check_kind(adapter: Adapter, config: Any) -> None:  # noqa: ANN401
    if (
        config.is_prompt_learning
        or config.is_adaption_prompt
        or adapter.settings.get("alora_invocation_tokens")
    ):
        raise ProbingError(
            f"adapter {adapter.folder}: {adapter.kind} changes the input, not the weights, and is not "
            "supported; use an adapter that can be merged, such as LoRA"
        )


def _choose(model: PreTrainedModel, tensors: Sequence[str]) -> tuple[_Host, list[str]]:
    """Return the module whose names the adapter uses, and the tensors of the adapter that fit it."""
    prefix = model.base_model_prefix
    inner = getattr(model, prefix, None)
    hosts = [_Host.of(model)]
    if isinstance(inner, nn.Module) and inner is not model:
        hosts.append(_Host.of(inner))
    elif prefix:
        hosts.append(_Host.of(_Around(prefix, model)))
    plain = {name: name.removeprefix(PREFIX) for name in tensors}
    counts = [sum(host.fits(name) for name in plain.values()) for host in hosts]
    host = hosts[counts.index(max(counts))]
    kept = [name for name, own in plain.items() if host.fits(own)]
    lost = [own for own in plain.values() if not host.fits(own) and not host.outside(own)]
    if lost or not kept:
        named = (lost or list(plain.values()) or ["nothing"])[0]
        raise ValueError(f"it adapts {named}, which {type(model).__name__} does not have")
    return host, kept


def _merge(host: nn.Module, config: Any, weights: Mapping[str, Tensor]) -> None:  # noqa: ANN401
    import peft

    adapted: Any = peft.get_peft_model(cast("Any", host), config)
    expected = set(peft.get_peft_model_state_dict(adapted, save_embedding_layers=False))
    result: Any = peft.set_peft_model_state_dict(adapted, dict(weights))
    strange = list(result.unexpected_keys or ())
    missing = sorted(expected - set(weights))
    if strange or missing:
        raise ValueError(f"{(strange or missing)[0]} is {'unexpected' if strange else 'missing'}")
    with torch.no_grad():
        adapted.merge_and_unload(safe_merge=True)
