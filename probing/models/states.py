"""Match the hidden states and attention weights that a model returns to the modules that made them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from probing.models.axes import ordered
from probing.models.default_inputs import Sizes
from probing.models.follow import Mark
from probing.models.recording import Event, Recording
from probing.models.sites import Kind, Layout, Side, Site

STATES = {"hidden_states": "", "encoder_hidden_states": "encoder", "decoder_hidden_states": "decoder"}
TOLERANCE = 1e-2
SHAPES = (Layout.BATCH_SEQ, Layout.SEQ_BATCH, Layout.FEATURES_SEQ)


def hidden_sites(recording: Recording, sizes: Sizes) -> tuple[Site, ...]:
    """Return the sites of all hidden states that the model returned.

    A state is read where it left a module, or else where it entered one. A state that no module carries is
    read from the model's output at the end of the pass.
    """
    found: list[Site] = []
    for field, stack in STATES.items():
        states = _field(recording.output, field)
        start = 0
        for index, state in enumerate(states):
            if not isinstance(state, Tensor):
                continue
            match = _match(recording.events, state, start, sizes.of(stack))
            start = start if match is None else match[0]
            found.append(_hidden(recording, field, index, state, match, sizes))
    return tuple(found)


def attention_sites(
    recording: Recording, sizes: Sizes, heads: Sequence[tuple[Site, Mark | None]], count: object
) -> tuple[Site, ...]:
    """Return the sites of the attention weights of head sites, in a module's output or else in the model's.

    Weights that are not (batch, heads, queries, keys), such as those of blocks or windows, are left out.
    `count` is the number of heads that the config states.
    """
    probabilities = defaultdict(list)
    for event in recording.events:
        if event.side is Side.OUTPUT and event.module and event.mark and not event.mark.dim:
            probabilities[event.mark.origin].append(event)
    found = []
    for site, mark in heads:
        events = probabilities[mark.origin] if mark else []
        counts = (site.heads, count)
        # Fewer queries than tokens are a chunk of them, as in canine's local attention.
        least = (sizes.of(site.stack) or 0) if site.aligned else 0
        events = [event for event in events if event.tensor.ndim == 4 and event.tensor.shape[2] >= least]
        seen = [e for e in events if _is_weights(e.tensor, sizes, counts) and e.unchanged]
        alike = sum(other.stack == site.stack and other.cross == site.cross for other, _ in heads)
        weights = _seen(site, seen[0]) if seen else _returned(recording, site, alike, sizes, counts)
        if weights is not None and weights.side is Side.RESULT:
            returned = _field(recording.output, weights.name)[site.layer]
            weights = weights if returned.shape[2] >= least else None
        if weights is not None:
            found.append(weights)
    return tuple(found)


def _field(output: object, name: str) -> tuple[Tensor, ...]:
    value = getattr(output, name, None)
    return tuple(value) if isinstance(value, list | tuple) else ()


def _is_weights(tensor: object, sizes: Sizes, counts: tuple[object, ...]) -> bool:
    if not isinstance(tensor, Tensor) or tensor.ndim != 4:
        return False
    return tensor.shape[0] == sizes.batch and tensor.shape[1] in counts


def _seen(site: Site, event: Event) -> Site:
    return Site(
        Kind.ATTENTION, site.layer, event.module, event.call, event.tensor.shape[1], 0,
        Side.OUTPUT, event.position, layout=Layout.WEIGHTS, stack=site.stack, cross=site.cross,
        aligned=site.aligned, note=site.note,
    )  # fmt: skip


def _returned(
    recording: Recording, site: Site, layers: int, sizes: Sizes, counts: tuple[object, ...]
) -> Site | None:
    kind = "cross_" if site.cross else f"{site.stack}_" if site.stack else ""
    field = f"{kind}attentions"
    weights = _field(recording.output, field)
    if layers != len(weights) or not _is_weights(weights[site.layer], sizes, counts):
        return None
    # Some models return scores from before the softmax under this name.
    if weights[site.layer].min() < 0 or weights[site.layer].sum(-1).max() > 1 + TOLERANCE:
        return None
    return Site(
        Kind.ATTENTION, site.layer, "", 0, weights[site.layer].shape[1], 0, Side.RESULT, site.layer,
        field, Layout.WEIGHTS, stack=site.stack, cross=site.cross, aligned=site.aligned, note=site.note,
    )  # fmt: skip


def _match(
    events: Sequence[Event], state: Tensor, start: int, length: int | None
) -> tuple[int, Layout] | None:
    """Return the first event from `start` on with the state: the same object, or else the same values."""
    usable = [(i, e) for i, e in enumerate(events) if i >= start and e.module and e.unchanged]
    usable.sort(key=lambda item: item[1].side is Side.INPUT)
    for index, event in usable:
        if event.tensor is state:
            layout = _layout(event.tensor, state, length)
            if layout is not None:
                return index, layout
    for index, event in usable:
        layout = _layout(event.tensor, state, length)
        if layout is not None:
            return index, layout
    return None


def _layout(tensor: Tensor, state: Tensor, length: int | None) -> Layout | None:
    """Return the layout in which a tensor has the state's values; None if it does not have them."""
    if tensor is state and state.ndim == 3:
        return Layout.BATCH_SEQ
    if tensor.ndim == 4 or state.ndim == 4:
        same = tensor.shape == state.shape and torch.equal(tensor, state)
        return Layout.FEATURES_GRID if same else None
    if tensor.ndim != 3:
        return None
    for layout in SHAPES:
        found = ordered(layout, tensor, state.shape[0])[:, :length]
        if found.shape == state.shape and torch.equal(found, state):
            return layout
    return None


def _hidden(
    recording: Recording,
    field: str,
    index: int,
    state: Tensor,
    match: tuple[int, Layout] | None,
    sizes: Sizes,
) -> Site:
    stack = STATES[field]
    length = sizes.of(stack)
    layout = Layout.FEATURES_GRID if state.ndim == 4 else Layout.BATCH_SEQ
    width = state.shape[1] if state.ndim == 4 else state.shape[-1]
    aligned = length is None or state.shape[1] >= length
    note = "" if aligned else "the sequence is pooled: positions are not tokens"
    if match is None:
        return Site(
            Kind.HIDDEN, index - 1, "", 0, 1, width, Side.RESULT, index, field, layout,
            stack=stack, aligned=aligned, note=note,
        )  # fmt: skip
    event = recording.events[match[0]]
    return Site(
        Kind.HIDDEN, index - 1, event.module, event.call, 1, width, event.side, event.position,
        layout=match[1], stack=stack, aligned=aligned, note=note,
    )  # fmt: skip
