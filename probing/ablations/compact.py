"""A model without masked heads: cut out where the family allows it, silenced where it does not."""

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
    """What became of the heads that were to go.

    Attributes:
        pruned: What was cut, in the last stack that was; it says all that the model lacks.
        cut: How many heads are gone.
        silenced: How many could not be cut, and have weights of zero after them instead.
    """

    pruned: Pruned
    cut: int
    silenced: int


def compact(model: PreTrainedModel, heads: Heads, mask: NDArray[np.bool_]) -> Compact:
    """Take masked heads out of a model in place, so that it computes what the masked model does.

    Args:
        model: The model in which the heads were found.
        heads: Its heads, N in all.
        mask: bool (N,), False where a head goes; one at least.

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
                log.warning("layer %s: %s; weights of zero take its heads away", layer, why)
    return Compact(pruned, cut, silenced)


def silence(
    model: PreTrainedModel, heads: Mapping[int, Sequence[int]], cut: Mapping[int, Sequence[int]], stack: str
) -> None:
    """Set the weights that read some heads to zero, in place.

    Args:
        model: The model.
        heads: By layer, numbered as in the whole model.
        cut: Heads that are gone already, numbered so.
        stack: As of `prune_heads`.

    Raises:
        ProbingError: If a head is read by something that is no module with weights of its own.
    """
    sites = {site.layer: site for site in find_sites(model).heads if stack_name(site) == stack}
    for layer, several in heads.items():
        for head in several:
            _silence(model, sites[layer], head - sum(gone < head for gone in cut.get(layer, ())))


def _silence(model: PreTrainedModel, site: Site, head: int) -> None:
    module = model.get_submodule(site.module)
    weight = getattr(module, "weight", None)
    if site.side is not Side.INPUT or not isinstance(weight, nn.Parameter):
        raise ProbingError(f"{site}: what reads its heads has no weights to be set to zero; mask it instead")
    start = site.offset + head * site.head_dim
    with torch.no_grad():
        axis = 0 if isinstance(module, Conv1D) else 1
        weight.narrow(axis, start, site.head_dim).zero_()


def seconds_each(models: Sequence[PreTrainedModel], batches: Sequence[Batch], rounds: int) -> list[float]:
    """Median seconds that each model takes for all batches, forward only, in turns."""
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
