"""Functions that read weights of attention on one input: attention itself, and weighted by values."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from probing.errors import ProbingError
from probing.representations.request import Stack

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from probing.models.sites import Site

log = logging.getLogger(__name__)
LARGEST = 1 << 26
"""Maximum number of weights of one input, L · H · n²; a page of more is too large for a browser."""
MapReader = Callable[["PreTrainedModel", Mapping[str, Any]], Mapping[int, "Tensor"]]
"""Function that runs a model on one input, and returns (heads, queries, keys) for each layer."""


def attention_maps(
    model: PreTrainedModel, inputs: Mapping[str, Any], stack: Stack = ""
) -> Mapping[int, Tensor]:
    """Return the attention weights of every layer of a stack, (heads, queries, keys).

    Raises:
        ProbingError: If the model does not expose them.
    """
    from probing.models.capture import capture
    from probing.models.sites import Kind
    from probing.models.trace import find_sites

    sites = _of_stack(find_sites(model).of(Kind.ATTENTION), stack)
    length = inputs["input_ids"].shape[1]
    _check_size(sum(site.heads for site in sites), length)
    found: dict[int, Tensor] = {}

    def read(site: Site, weights: Tensor) -> None:  # (1, heads, queries, keys)
        found[site.layer] = weights[0].float().cpu()

    with capture(model, sites, read) as run:
        run(**inputs)
    return found


def value_weighted_maps(
    model: PreTrainedModel, inputs: Mapping[str, Any], stack: Stack = ""
) -> Mapping[int, Tensor]:
    """Return A_ij ‖v_j W_O‖ (Kobayashi et al. 2020) of every layer of a stack, (heads, queries, keys).

    It is empty for a model whose values cannot be reached.
    """
    from probing.models.attended import Attended, capture_values
    from probing.models.trace import find_sites

    found: dict[int, Tensor] = {}

    def read(site: Site, attended: Attended) -> None:
        found[site.layer] = attended.weighted[0].float().cpu()

    try:
        sites = _of_stack(find_sites(model).heads, stack)
        with capture_values(model, sites, read) as run:
            run(**inputs)
    except ProbingError as error:
        log.info("no value-weighted attention: %s", error)
        return {}
    return found


def _of_stack(sites: Sequence[Site], stack: Stack) -> list[Site]:
    """Return the sites of a stack; those of self-attention if it is not named."""
    if not stack:
        return [site for site in sites if not site.cross]
    from probing.models.heads import stack_name

    return [site for site in sites if stack_name(site) == stack]


READERS = {"attention": attention_maps, "value-weighted": value_weighted_maps}
"""The weights of every page, where a model gives them; `probing.look(maps=...)` adds others."""


def readers_of(stack: Stack) -> dict[str, MapReader]:
    """Return the readers of a stack."""
    return {name: partial(read, stack=stack) for name, read in READERS.items()}


def _check_size(heads: int, length: int) -> None:
    if heads * length**2 > LARGEST:
        most = int((LARGEST / heads) ** 0.5)
        raise ProbingError(
            f"look: {heads} heads and {length} tokens have {heads * length**2:,} weights, too many for a "
            f"page; give a shorter text, or extract.max_length={most}"
        )
