"""Check that eager attention, which exposes its weights, agrees with fused attention."""

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
"""Largest allowed difference, as a share of the largest value.

Rounding in float32 stays below 1e-5 in all families tried.
"""
TEXTS = 4
"""Number of texts of a batch that are compared."""
MASKS = ("attention_mask", "decoder_attention_mask")
_AGREEING: WeakSet[PreTrainedModel] = WeakSet()

log = logging.getLogger(__name__)


def check_eager(model: PreTrainedModel, inputs: Mapping[str, Any]) -> None:
    """Reject a model whose attention weights are not those that its fused attention uses.

    This runs a few texts of one batch twice, in float32, and compares hidden states and other outputs at real
    tokens. A model that agreed is not run again. A model that already runs fused attention, or that has no
    fused attention, is not run at all.

    Args:
        model: Any transformers model; it is restored afterwards.
        inputs: Keyword arguments of a forward pass. Without padding, some tokens are masked as padding.

    Raises:
        ProbingError: If outputs differ by more than 1e-3 of the largest value.
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
            "%s: its attention cannot be switched from eager to fused, so the two are not compared",
            model.config.model_type,
        )
    share = max(map(_difference, eager, fused), default=0.0)
    if share > ALLOWED:
        raise ProbingError(
            f"{model.config.model_type}: with eager attention, which exposes attention weights, its hidden "
            f"states differ from those with fused attention by {share:.1e} of the largest value (at most "
            f"{ALLOWED:.0e} is allowed), so the weights are not reliable; avoid them (mask with zero or "
            "mean), or choose another model"
        )
    _AGREEING.add(model)


@contextmanager
def not_compared(model: PreTrainedModel) -> Iterator[None]:
    """Let `check_eager` pass while eager attention is replaced, since it then differs on purpose."""
    new = model not in _AGREEING
    _AGREEING.add(model)
    try:
        yield
    finally:
        if new:
            _AGREEING.discard(model)


def _few(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first texts of a batch; all hidden states of a large one would fill the memory."""
    sizes = {len(value) for value in inputs.values() if isinstance(value, Tensor) and value.ndim}
    if len(sizes) != 1:  # some tensors do not have one row per text
        return dict(inputs)
    return {name: value[:TEXTS] if isinstance(value, Tensor) else value for name, value in inputs.items()}


def _with_padding(inputs: Mapping[str, Any]) -> dict[str, Any]:
    mask = inputs.get("attention_mask")
    lacks = isinstance(mask, Tensor) and bool((mask != 0).all())
    return padded(inputs)[-1] if lacks else dict(inputs)


def _outputs(model: PreTrainedModel, batch: Mapping[str, Any]) -> list[Tensor]:
    """Return hidden states and other outputs per token, at real tokens; all outputs if none is per token."""
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
    """Return the largest difference as a share of the largest value; infinite where only one is finite."""
    if eager.shape != fused.shape or not torch.equal(eager.isfinite(), fused.isfinite()):
        return float("inf")
    finite = fused.isfinite()
    apart = (eager - fused)[finite].abs()
    if not apart.numel() or not apart.max():
        return 0.0
    return float(apart.max() / fused[finite].abs().max())


@contextmanager
def _fused(model: PreTrainedModel) -> Iterator[None]:
    """Let the same module run fused attention; attention modules look up the choice as they run."""
    configs = _configs(model)
    before = [config._attn_implementation for config in configs]
    for config in configs:
        config._attn_implementation = "sdpa"
    try:
        yield
    finally:
        for config, value in zip(configs, before, strict=True):  # a config also sets its nested configs
            config._attn_implementation = value


def _configs(model: PreTrainedModel) -> list[PreTrainedConfig]:
    """Return every configuration that a part of the model reads, outer before inner."""
    found: dict[int, PreTrainedConfig] = {}
    for module in model.modules():
        config = getattr(module, "config", None)
        if isinstance(config, PreTrainedConfig):
            found.setdefault(id(config), config)
    return list(found.values())


@contextmanager
def _single_precision(model: PreTrainedModel) -> Iterator[None]:
    """Convert half precision, whose rounding hides differences, to float32, and back without loss."""
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
    """Torch function mode that counts the calls of fused attention."""

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
