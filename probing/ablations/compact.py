"""Removal of masked heads from a model: cut out if the family allows it, silenced otherwise."""

from __future__ import annotations

import logging
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from probing.errors import ProbingError
from probing.models.heads import Heads, stack_name
from probing.models.removal import Pruned, prune_heads
from probing.models.sites import Side, Site
from probing.models.trace import find_sites
from probing.objectives.objective import Batch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compact:
    """The heads that were removed from a model, and how.

    Attributes:
        pruned: Result for the last stack that was pruned; it lists everything that the model lacks.
        cut: Number of heads that were cut out.
        silenced: Number of heads that could not be cut and have zero weights after them instead.
    """

    pruned: Pruned
    cut: int
    silenced: int


def compact(model: PreTrainedModel, heads: Heads, mask: NDArray[np.bool_]) -> Compact:
    """Remove masked heads from a model in place, so that it computes what the masked model does.

    Args:
        model: The model in which the heads were found.
        heads: Its heads, N in all.
        mask: bool (N,), False for heads to remove; at least one.

    Raises:
        ProbingError: If a head can be neither cut nor silenced.
    """
    wanted: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for site, places in heads.slices.items():
        for head in np.flatnonzero(~mask[places]).tolist():
            wanted[stack_name(site)][site.layer].append(head)
    cut = silenced = 0
    for stack, layers in wanted.items():
        pruned = prune_heads(model, layers, stack=stack)
        cut += sum(map(len, pruned.cut.values()))
        left = {layer: sorted(set(gone) - set(pruned.cut.get(layer, ()))) for layer, gone in layers.items()}
        if any(left.values()):
            silenced += sum(map(len, left.values()))
            silence(model, left, pruned.cut, stack)
            for layer, why in pruned.uncut.items():
                log.warning("layer %s: %s; the weights after its heads are set to zero instead", layer, why)
    return Compact(pruned, cut, silenced)


def silence(
    model: PreTrainedModel, heads: Mapping[int, Sequence[int]], cut: Mapping[int, Sequence[int]], stack: str
) -> None:
    """Set the weights that read some heads to zero, in place.

    Args:
        model: The model.
        heads: Heads by layer, numbered as in the whole model.
        cut: Heads that are already cut out, in the same numbering.
        stack: As in `prune_heads`.

    Raises:
        ProbingError: If a head is read by something other than a module with its own weights.
    """
    sites = {site.layer: site for site in find_sites(model).heads if stack_name(site) == stack}
    for layer, several in heads.items():
        for head in several:
            _silence(model, sites[layer], head - sum(gone < head for gone in cut.get(layer, ())))


def _silence(model: PreTrainedModel, site: Site, head: int) -> None:
    module = model.get_submodule(site.module)
    weight = getattr(module, "weight", None)
    if site.side is not Side.INPUT or not isinstance(weight, nn.Parameter):
        raise ProbingError(f"{site}: no weights after its heads can be set to zero; mask them instead")
    start = site.offset + head * site.head_dim
    with torch.no_grad():
        axis = 0 if isinstance(module, Conv1D) else 1
        weight.narrow(axis, start, site.head_dim).zero_()


def seconds_each(models: Sequence[PreTrainedModel], batches: Sequence[Batch], rounds: int) -> list[float]:
    """Return the median seconds that each model takes for all batches, forward only, measured in turns."""
    times: list[list[float]] = [[] for _ in models]
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for model, found in zip(models, times, strict=True):
                start = time.perf_counter()
                for batch in batches:
                    model(**batch.inputs)
                _wait(model)
                if turn:  # the first round pays for allocation
                    found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def _wait(model: PreTrainedModel) -> None:
    if model.device.type == "cuda":
        torch.cuda.synchronize()
