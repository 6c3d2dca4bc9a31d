"""One order of axes for every model: views of its own tensors, and copies written through such views."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from probing.errors import ProbingError
from probing.models.default_inputs import Sizes
from probing.models.sites import Kind, Layout, Site

ORDERS: dict[Layout, Callable[[Tensor, int], Tensor]] = {
    Layout.SEQ_BATCH: lambda tensor, _: tensor.transpose(0, 1),
    Layout.FEATURES_SEQ: lambda tensor, _: tensor.transpose(1, 2),
    Layout.FLAT: lambda tensor, batch: tensor.reshape(batch, -1, tensor.shape[-1]),
    Layout.WINDOWS: lambda tensor, batch: tensor.reshape(batch, -1, tensor.shape[-1]),
    Layout.GRID: lambda tensor, _: tensor.flatten(1, 2),
    Layout.FEATURES_GRID: lambda tensor, _: tensor.flatten(2).transpose(1, 2),
}
"""Conversions from the model's order of axes to (batch, seq, features)."""


def view(site: Site, tensor: Tensor, sizes: Sizes) -> Tensor:
    """Return the site's tensor in the common order of axes, sharing the model's memory.

    Returns:
        Heads (batch, seq, heads, head_dim), hidden states (batch, seq, features), or attention weights
        (batch, heads, queries, keys). Padding that the model appended by itself is cropped.

    Raises:
        ProbingError: If the shape differs from the traced one.
    """
    if site.kind is Kind.ATTENTION:
        return _checked(site, tensor, tensor.ndim == 4 and tensor.shape[1] == site.heads)
    length = sizes.of(site.stack)
    if site.layout is Layout.SEQ_BATCH_HEADS:
        return tensor.transpose(0, 1)[:, :length]
    found = ordered(site.layout, tensor, sizes.batch)[:, :length]
    width = site.heads * site.head_dim
    _checked(site, tensor, found.shape[0] == sizes.batch and found.shape[-1] >= site.offset + width)
    if site.kind is Kind.HIDDEN:
        return found
    features = found[..., site.offset : site.offset + width]
    return features.reshape(*found.shape[:-1], site.heads, site.head_dim)


def written(site: Site, tensor: Tensor, sizes: Sizes, new: Tensor) -> Tensor:
    """Return a copy of the tensor with `new` in place of the site's view; gradients flow into both.

    Raises:
        ProbingError: If `new` does not have the shape of the view.
    """
    # Contiguous, so that `view` gives a view and not a copy in every layout.
    whole = tensor.clone(memory_format=torch.contiguous_format)
    target = view(site, whole, sizes)
    if target.shape != new.shape:
        raise ProbingError(
            f"{site}: the replacement has shape {tuple(new.shape)}; it must be {tuple(target.shape)}"
        )
    target.copy_(new)
    return whole


def ordered(layout: Layout, tensor: Tensor, batch: int) -> Tensor:
    """Return the tensor as (batch, seq, features), as a view where possible."""
    reorder = ORDERS.get(layout)
    return tensor if reorder is None else reorder(tensor, batch)


def recognised(tensor: Tensor, batch: int, *, features_first: bool = False) -> Layout | None:
    """Return the layout of a tensor with a given number of sequences; None if no layout fits."""
    shape = tensor.shape
    if tensor.ndim == 2:
        return Layout.FLAT if shape[0] % batch == 0 else None
    if tensor.ndim == 4:
        return Layout.FEATURES_GRID if features_first else Layout.GRID
    if tensor.ndim != 3:
        return None
    if shape[0] == batch:
        return Layout.FEATURES_SEQ if features_first else Layout.BATCH_SEQ
    if shape[1] == batch:
        return Layout.SEQ_BATCH
    return Layout.WINDOWS if shape[0] % batch == 0 else None


def _checked(site: Site, tensor: Tensor, right: bool) -> Tensor:
    if not right:
        raise ProbingError(
            f"{site}: shape {tuple(tensor.shape)} differs from the traced one; call find_sites again"
        )
    return tensor
