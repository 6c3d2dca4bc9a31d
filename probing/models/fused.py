"""Check that eager attention, which shows its weights, computes the same as fused attention."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedConfig, PreTrainedModel

from probing.errors import ProbingError
from probing.models.recording import as_it_was, implementation
from probing.models.unchanged import float_tensors, padded

ALLOWED = 1e-3
"""Allowed share of the largest value; rounding in float32 stays below 1e-5 in all families tried."""
TEXTS = 4
"""Number of texts of a batch that are compared."""
MASKS = ("attention_mask", "decoder_attention_mask")
_AGREEING: WeakSet[PreTrainedModel] = WeakSet()

log = logging.getLogger(__name__)


def check_eager(model: PreTrainedModel, inputs: Mapping[str, Any]) -> None:
    """Refuse a model whose attention weights are not those that its fused attention uses.

    Runs a few texts of one batch twice, in float32, and compares hidden states and other outputs at real
    tokens. A model that agreed is not run again; one that is fused, or cannot be, is not run at all.

    Args:
        model: Any transformers model; left as it was found.
        inputs: Keyword arguments of a forward pass; of a batch without padding some tokens become it.

    Raises:
        ProbingError: If they differ by more than 1e-3 of the largest value.
    """
    if implementation(model) != "eager" or not getattr(model, "_supports_sdpa", False) or model in _AGREEING:
        return
    batch = _with_padding(_few(inputs))
    with as_it_was(model), _single_precision(model):
        eager = _outputs(model, batch)
        with _fused(model), _Calls() as calls:
            fused = _outputs(model, batch)
    if not calls.count:
        log.warning(
            "%s: its attention cannot be switched from eager to fused, and is not compared",
            model.config.model_type,
        )
    share = max(map(_difference, eager, fused), default=0.0)
    if share > ALLOWED:
        raise ProbingError(
            f"{model.config.model_type}: with eager attention, which gives attention weights, its hidden "
            f"states differ from those with fused attention by {share:.1e} of their size (allowed is "
            f"{ALLOWED:.0e}), so that its weights cannot be relied on; ask without them (mask with zero or "
            "mean), or choose another model"
        )
    _AGREEING.add(model)


@contextmanager
def not_compared(model: PreTrainedModel) -> Iterator[None]:
    """Let `check_eager` pass while eager attention is being replaced, and differs for that reason."""
    new = model not in _AGREEING
    _AGREEING.add(model)
    try:
        yield
    finally:
        if new:
            _AGREEING.discard(model)


def _few(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The first texts of a batch: the hidden states of all layers of a large one would fill the memory."""
    sizes = {len(value) for value in inputs.values() if isinstance(value, Tensor) and value.ndim}
    if len(sizes) != 1:  # not all of them have a row for each text
        return dict(inputs)
    return {name: value[:TEXTS] if isinstance(value, Tensor) else value for name, value in inputs.items()}


def _with_padding(inputs: Mapping[str, Any]) -> dict[str, Any]:
    mask = inputs.get("attention_mask")
    lacks = isinstance(mask, Tensor) and bool((mask != 0).all())
    return padded(inputs)[-1] if lacks else dict(inputs)


def _outputs(model: PreTrainedModel, batch: Mapping[str, Any]) -> list[Tensor]:
    """Hidden states and whatever else is per token, at real tokens; without any, all outputs."""
    parameters = signature(model.forward).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    flags = {"output_hidden_states": True, "use_cache": False}
    given = {name: on for name, on in flags.items() if name in parameters or (anything and on)}
    torch.manual_seed(0)
    found = float_tensors(model(**{**batch, **given}))
    masks = [batch[name] for name in MASKS if isinstance(batch.get(name), Tensor)]
    per_token = [_real(tensor, masks) for tensor in found if _fits(tensor, masks)]
    return per_token or found


def _fits(tensor: Tensor, masks: list[Tensor]) -> bool:
    return tensor.ndim == 3 and any(tensor.shape[:2] == mask.shape for mask in masks)


def _real(tensor: Tensor, masks: list[Tensor]) -> Tensor:
    real = torch.ones(tensor.shape[:2], dtype=torch.bool, device=tensor.device)
    for mask in masks:
        if mask.shape == real.shape:
            real &= mask.bool().to(real.device)
    return tensor[real]


def _difference(eager: Tensor, fused: Tensor) -> float:
    """The largest difference as a share of the largest value; infinite where only one is finite."""
    if eager.shape != fused.shape or not torch.equal(eager.isfinite(), fused.isfinite()):
        return float("inf")
    finite = fused.isfinite()
    apart = (eager - fused)[finite].abs()
    if not apart.numel() or not apart.max():
        return 0.0
    return float(apart.max() / fused[finite].abs().max())


@contextmanager
def _fused(model: PreTrainedModel) -> Iterator[None]:
    """Let the same module run fused attention: attention modules look the choice up as they run."""
    configs = _configs(model)
    before = [config._attn_implementation for config in configs]
    for config in configs:
        config._attn_implementation = "sdpa"
    try:
        yield
    finally:
        for config, value in zip(configs, before, strict=True):  # a config also sets those within it
            config._attn_implementation = value


def _configs(model: PreTrainedModel) -> list[PreTrainedConfig]:
    """Every configuration that a part of the model reads, outer before inner."""
    found: dict[int, PreTrainedConfig] = {}
    for module in model.modules():
        config = getattr(module, "config", None)
        if isinstance(config, PreTrainedConfig):
            found.setdefault(id(config), config)
    return list(found.values())


@contextmanager
def _single_precision(model: PreTrainedModel) -> Iterator[None]:
    """Compute in float32 what is in half precision, whose rounding hides differences; back without loss."""
    half: list[Tensor] = [t for t in model.parameters() if t.dtype in (torch.float16, torch.bfloat16)]
    half += [t for t in model.buffers() if t.dtype in (torch.float16, torch.bfloat16)]
    kinds = [tensor.dtype for tensor in half]
    for tensor in half:
        tensor.data = tensor.data.float()
    try:
        yield
    finally:
        for tensor, dtype in zip(half, kinds, strict=True):
            tensor.data = tensor.data.to(dtype)


class _Calls(TorchFunctionMode):
    """Counts calls of fused attention."""

    count = 0

    def __torch_function__(
        self,
        func: Any,  # noqa: ANN401
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        self.count += getattr(func, "__name__", "") == "scaled_dot_product_attention"
        return func(*args, **dict(kwargs or {}))
