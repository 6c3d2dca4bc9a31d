"""Comparison of a model's outputs before and after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.models.recording import as_it_was

TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}
"""Share of the largest value that a different order of summation in one projection may change."""
DEEPER = 10
"""Factor by which rounding errors may have grown after further layers."""
SHORTER = 4
"""Number of tokens that are padding in the second batch."""
Outputs = dict[tuple[str, int, int], Tensor]
"""Outputs of projections by module, batch and index; the model's own outputs are under ""."""


def padded(inputs: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Return the inputs, and a second batch with padding if they have an attention mask."""
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
    """Return the outputs of the model and of some of its modules, always from the same random state."""
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
    """Return a description of a difference larger than rounding; "" if there is none.

    Args:
        before: Expected outputs.
        after: Actual outputs.
        exact: Name of the module that was changed; rounding may have grown in the modules after it.
    """
    if before.keys() != after.keys():
        return "a different number of outputs"
    for key, expected in before.items():
        found = after[key]
        if expected.shape != found.shape:
            return f"outputs of shape {tuple(found.shape)} instead of {tuple(expected.shape)}"
        allowed = TOLERANCE.get(expected.dtype, 2e-5) * (1 if key[0] == exact else DEEPER)
        scale = float(expected.abs().nan_to_num(posinf=0).max()) if expected.numel() else 0.0
        if not torch.allclose(found, expected, rtol=0, atol=allowed * scale, equal_nan=True):
            share = float((found - expected).abs().max()) / scale if scale else float("inf")
            return f"outputs that differ by {share:.1e} of the largest value"
    return ""


@contextmanager
def _no_traces(model: nn.Module) -> Iterator[None]:
    """Restore what modules stored in their attributes if a forward pass fails half way."""
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
    """Return the float tensors of an output, except attention weights, whose shape depends on the heads."""
    if isinstance(output, Tensor):
        return [output] if output.is_floating_point() else []
    if isinstance(output, Mapping):
        output = [value for name, value in output.items() if "attentions" not in str(name)]
    return (
        [tensor for value in output for tensor in float_tensors(value)]
        if isinstance(output, list | tuple)
        else []
    )
