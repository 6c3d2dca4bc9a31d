"""Whether a model computes the same after a change as it did before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.models.recording import as_it_was

TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}
"""Of the largest value: what the order of sums in one projection may change."""
DEEPER = 10
"""By how much rounding may have grown after further layers."""
SHORTER = 4
"""Tokens that are padding in the second batch."""
Outputs = dict[tuple[str, int, int], Tensor]
"""What projections gave, by module, batch and number; the model's own outputs under ""."""


def padded(inputs: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """The inputs, and with padding where the model has a mask for it."""
    batches = [dict(inputs)]
    mask = inputs.get("attention_mask")
    if mask is not None and mask.ndim == 2 and mask.shape[1] > SHORTER:
        shorter = mask.clone()
        shorter[0, -SHORTER:] = 0
        batches.append({**inputs, "attention_mask": shorter})
    return batches


def outputs_of(
    model: PreTrainedModel, batches: Sequence[Mapping[str, Tensor]], projections: Sequence[str]
) -> Outputs:
    """What the model and some of its modules give, always from the same random state."""
    found: Outputs = {}
    with as_it_was(model), _no_traces(model):
        for batch, inputs in enumerate(batches):
            given: dict[str, list[Tensor]] = {name: [] for name in projections}
            with ExitStack() as hooks:
                for name, kept in given.items():
                    hooks.callback(model.get_submodule(name).register_forward_hook(_keep(kept)).remove)
                torch.manual_seed(0)
                given[""] = float_tensors(model(**inputs))
            found |= {(name, batch, i): t for name, several in given.items() for i, t in enumerate(several)}
    return found


def difference(before: Outputs, after: Outputs, exact: str) -> str:
    """What differs by more than rounding: "" if nothing does.

    Args:
        before: Outputs as they should be.
        after: Outputs as they are.
        exact: The module that was changed itself; what lies behind it may have rounded further.
    """
    if before.keys() != after.keys():
        return "another number of outputs"
    for key, expected in before.items():
        found = after[key]
        if expected.shape != found.shape:
            return f"outputs of shape {tuple(found.shape)} instead of {tuple(expected.shape)}"
        allowed = TOLERANCE.get(expected.dtype, 2e-5) * (1 if key[0] == exact else DEEPER)
        scale = float(expected.abs().nan_to_num(posinf=0).max()) if expected.numel() else 0.0
        if not torch.allclose(found, expected, rtol=0, atol=allowed * scale, equal_nan=True):
            share = float((found - expected).abs().max()) / scale if scale else float("inf")
            return f"outputs that differ by {share:.1e} of their size"
    return ""


@contextmanager
def _no_traces(model: nn.Module) -> Iterator[None]:
    """Take back what modules noted of a forward pass that failed half way."""
    plain = (int, float, str, type(None))
    notes = [
        (module, {k: v for k, v in vars(module).items() if type(v) in plain}) for module in model.modules()
    ]
    try:
        yield
    except BaseException:
        for module, values in notes:
            vars(module).update(values)
        raise


def _keep(given: list[Tensor]) -> Callable[..., None]:
    def hook(_: nn.Module, __: Any, output: Any) -> None:  # noqa: ANN401
        given.extend(tensor.clone() for tensor in float_tensors(output))

    return hook


def float_tensors(output: Any) -> list[Tensor]:  # noqa: ANN401
    """Float tensors of an output, other than attention weights, whose shape follows the heads."""
    if isinstance(output, Tensor):
        return [output] if output.is_floating_point() else []
    if isinstance(output, Mapping):
        output = [value for name, value in output.items() if "attentions" not in str(name)]
    return (
        [tensor for value in output for tensor in float_tensors(value)]
        if isinstance(output, list | tuple)
        else []
    )
