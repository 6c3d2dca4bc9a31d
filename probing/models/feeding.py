"""Features and parameters of an attention block that feed each head, found by their gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.models.capture import capture
from probing.models.recording import as_it_was, is_linear
from probing.models.sites import Site


@dataclass(frozen=True)
class FeedingAxis:
    """One axis of a parameter, and the heads that each index along it feeds.

    Attributes:
        parameter: Dotted name. For outputs of a linear module, it is the name of the module.
        linear: Whether these are outputs of a linear module: rows of its weight and entries of its bias.
        axis: Axis of a bare parameter; 0 otherwise.
        users: bool (size, heads): True where the output of a head changes with the index.
    """

    parameter: str
    linear: bool
    axis: int
    users: Tensor


@dataclass(frozen=True)
class Feeding:
    """Features and parameters that feed the heads of one site.

    Attributes:
        parts: Outputs of linear modules, and bare parameters that belong to single heads.
        block: Dotted name of the smallest module that contains the projection and those linear modules.
    """

    parts: tuple[FeedingAxis, ...]
    block: str

    @property
    def groups(self) -> list[frozenset[int]]:
        """Disjoint groups of heads that share features, but not with all heads, such as those of one key."""
        sets: list[frozenset[int]] = []
        for part in self.parts:
            for row in torch.unique(part.users, dim=0):
                heads = frozenset(torch.nonzero(row).flatten().tolist())
                if 1 < len(heads) < len(row):
                    touching = [other for other in sets if other & heads]
                    sets = [other for other in sets if not other & heads] + [heads.union(*touching)]
        return sorted(sets, key=min)


def feeding(
    model: PreTrainedModel, sites: Sequence[Site], inputs: Mapping[str, Tensor]
) -> dict[Site, Feeding | None]:
    """Trace every head back to the linear modules that feed it.

    The outputs of all linear modules are detached from their inputs, so that the gradient of a head's output
    reaches only the nearest ones. A feature whose gradient is exactly zero does not feed the head.

    Args:
        model: Model in which the sites were found.
        sites: Sites of the heads.
        inputs: Keyword arguments of the forward pass.

    Returns:
        Feeding of each site; None if its heads cannot be traced.
    """
    search = _Search(model)
    with as_it_was(model), warnings.catch_warnings(), torch.enable_grad(), _all_differentiable(model):
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        try:
            with search.watching(), capture(model, sites, search.read) as run:
                run(**inputs)
        except RuntimeError:  # an in-place write that autograd does not allow
            search.found.clear()
    return {site: search.found.get(site) for site in sites}


class _Search:
    """Record of the outputs of linear modules, to trace every site back to them."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._modules = dict(model.named_modules())
        self._model = model
        self._given: list[tuple[str, Tensor]] = []
        self.found: dict[Site, Feeding | None] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        with ExitStack() as hooks:
            for name, module in self._modules.items():
                if is_linear(module):
                    hooks.callback(module.register_forward_hook(self._cut_off(name)).remove)
            yield

    def _cut_off(self, name: str) -> Callable[..., Any]:
        def hook(_: nn.Module, __: Any, output: Any) -> Any:  # noqa: ANN401
            if not isinstance(output, Tensor):
                return None
            leaf = output.detach().requires_grad_()
            self._given.append((name, leaf))
            return leaf.clone()  # may be written in place, unlike a leaf

        return hook

    def read(self, site: Site, tensor: Tensor) -> None:
        try:
            self.found[site] = self._look_back(site, tensor)
        except RuntimeError:
            self.found[site] = None

    def _look_back(self, site: Site, tensor: Tensor) -> Feeding:
        pull = torch.randn_like(tensor.detach())
        leaves = [leaf for _, leaf in self._given]
        users = _users(tensor, pull, leaves)
        rows: dict[str, Tensor] = {}
        for (name, leaf), used in zip(self._given, users, strict=True):
            if used.any():
                axis = 1 if isinstance(self._modules[name], nn.Conv1d) else leaf.ndim - 1
                of_row = _along(used, axis)
                rows[name] = rows[name] | of_row if name in rows else of_row
        block = _common([site.module, *rows])
        parts = [FeedingAxis(name, True, 0, used) for name, used in rows.items()]
        return Feeding((*parts, *self._bare(tensor, pull, block)), block)

    def _bare(self, tensor: Tensor, pull: Tensor, block: str) -> Iterator[FeedingAxis]:
        """Yield the parameters outside linear modules that have an axis divided among the heads."""
        heads = tensor.shape[2]
        named = dict(_outside_linear(self._modules[block], block))
        if heads == 1 or not named:
            return
        for name, used in zip(named, _users(tensor, pull, list(named.values())), strict=True):
            for axis in range(named[name].ndim):
                of_index = _along(used, axis)
                if of_index.any() and not of_index.all(1).any():
                    yield FeedingAxis(name, False, axis, of_index)
                    break


def _users(tensor: Tensor, pull: Tensor, sources: Sequence[Tensor]) -> list[Tensor]:
    """Return bool (heads, *shape) for each source: True where it changes the head's output."""
    found = [torch.zeros(tensor.shape[2], *source.shape, dtype=torch.bool) for source in sources]
    for head in range(tensor.shape[2]):
        gradients = torch.autograd.grad(
            tensor[:, :, head], list(sources), pull[:, :, head], retain_graph=True, allow_unused=True
        )
        for used, gradient in zip(found, gradients, strict=True):
            if gradient is not None:
                used[head] = (gradient != 0).cpu()
    return found


def _along(users: Tensor, axis: int) -> Tensor:
    """Reduce (heads, *shape) to bool (size, heads), the users of each index along one axis of the shape."""
    moved = users.movedim(axis + 1, 1)
    return moved.reshape(*moved.shape[:2], -1).any(2).T


def _outside_linear(module: nn.Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
    for path, part in module.named_modules(prefix=prefix):
        if not is_linear(part):
            for name, parameter in part.named_parameters(recurse=False):
                if parameter.is_floating_point():
                    yield f"{path}.{name}" if path else name, parameter


def _common(names: Sequence[str]) -> str:
    """Return the innermost module that contains all of the named modules."""
    parents = [name.split(".")[:-1] for name in names]
    shared = []
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)


@contextmanager
def _all_differentiable(model: PreTrainedModel) -> Iterator[None]:
    frozen = [p for p in model.parameters() if p.is_floating_point() and not p.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
