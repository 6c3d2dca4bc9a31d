"""Replace parameters with smaller ones, and restore the whole ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

Ranges = tuple[tuple[int, int], ...]
"""Increasing runs of indices, each as its first index and the index after its last."""
Undo = Callable[[], None]


@dataclass(frozen=True)
class Cut:
    """The part of a parameter that is kept.

    Attributes:
        parameter: Dotted name.
        axis: Axis along which it becomes smaller.
        kept: Indices that are kept.
    """

    parameter: str
    axis: int
    kept: Ranges


@dataclass(frozen=True)
class HeadCount:
    """A count that a module stores about its heads.

    Attributes:
        module: Dotted name.
        attribute: Name of the attribute.
        value: Value after the cut.
    """

    module: str
    attribute: str
    value: int


def as_ranges(indices: Iterable[int]) -> Ranges:
    """Return the runs in indices that are given in increasing order."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and runs[-1][1] == index:
            runs[-1][1] += 1
        else:
            runs.append([index, index + 1])
    return tuple((first, last) for first, last in runs)


def as_indices(ranges: Ranges) -> list[int]:
    """Return all indices in some runs."""
    return [index for first, last in ranges for index in range(first, last)]


def apply(model: nn.Module, cuts: Sequence[Cut], counts: Sequence[HeadCount]) -> list[Undo]:
    """Cut parameters and set counts in place.

    Returns:
        Steps that undo the changes, for `roll_back`, which restores the same objects as before.

    Raises:
        IndexError: If a parameter does not have the indices to keep; then nothing is changed.
        AttributeError: If the model does not have a module or parameter; then nothing is changed.
    """
    undo: list[Undo] = []
    try:
        for cut in cuts:
            undo += _cut(model, cut)
        for count in counts:
            undo.append(_set(model.get_submodule(count.module), count.attribute, count.value))
    except BaseException:
        roll_back(undo)
        raise
    return undo


def roll_back(undo: Iterable[Undo]) -> None:
    """Undo the changes of `apply`, the last one first."""
    for step in reversed(list(undo)):
        step()


def owners(model: PreTrainedModel) -> dict[int, list[str]]:
    """Return all names of every parameter by its id; it has several if modules share it."""
    found: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        found.setdefault(id(parameter), []).append(name)
    return found


def sliceable(module: nn.Module) -> bool:
    """Return whether the rows and columns of a module's weight are known: it is a plain float matrix."""
    weight = module._parameters.get("weight")
    if not isinstance(weight, Tensor) or not weight.is_floating_point():
        return False
    if isinstance(module, nn.Conv1d):
        return module.groups == 1 and module.kernel_size == (1,)
    return isinstance(module, nn.Linear | Conv1D)


def axes(module: nn.Module) -> tuple[int, int]:
    """Return the axes of a linear module's weight that belong to its outputs and to its inputs."""
    return (1, 0) if isinstance(module, Conv1D) else (0, 1)


def _cut(model: nn.Module, cut: Cut) -> list[Undo]:
    path, _, name = cut.parameter.rpartition(".")
    module = model.get_submodule(path)
    whole = module._parameters.get(name)
    if whole is None:
        raise AttributeError(f"no parameter {cut.parameter}")
    size = whole.shape[cut.axis] if cut.axis < whole.ndim else 0
    if cut.kept and cut.kept[-1][1] > size:
        raise IndexError(f"{cut.parameter} has {size} entries along axis {cut.axis}")
    kept = torch.tensor(as_indices(cut.kept), dtype=torch.long, device=whole.device)
    smaller = whole.detach().index_select(cut.axis, kept).contiguous()
    module._parameters[name] = nn.Parameter(smaller, requires_grad=whole.requires_grad)
    undo: list[Undo] = [lambda: module._parameters.update({name: whole})]
    undo += [_set(module, attribute, len(kept)) for attribute in _sizes(module, name, cut.axis)]
    return undo


def _sizes(module: nn.Module, name: str, axis: int) -> tuple[str, ...]:
    """Return the attributes in which a module stores the size of its weight along an axis."""
    if name != "weight":
        return ()
    if isinstance(module, Conv1D):
        return (("nx",), ("nf",))[axis]
    if isinstance(module, nn.Linear):
        return (("out_features",), ("in_features",))[axis]
    if isinstance(module, nn.Conv1d) and axis < 2:
        return (("out_channels",), ("in_channels",))[axis]
    return ()


def _set(module: nn.Module, name: str, value: int) -> Undo:
    before = getattr(module, name)
    setattr(module, name, value)
    return lambda: setattr(module, name, before)
