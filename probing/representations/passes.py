"""One pass of the model over texts, for all requests that want something of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from probing.errors import ProbingError
from probing.models.attended import Attended, capture_values
from probing.models.broken import AT_RANDOM, SAME
from probing.models.capture import capture
from probing.models.sites import Site
from probing.representations.decoder import arguments_of, tokens_after_start, units_after_start
from probing.representations.encode import EncodedBatch, Encoder
from probing.representations.forward import ModelReader, PooledRows
from probing.representations.shard import Vectors
from probing.representations.threads import ThreadChoice, torch_threads
from probing.representations.token_rows import token_batch
from probing.representations.tokens import characters, source_of
from probing.tasks.task import Unit

SAMPLE = 16  # texts used to estimate the time


def read(readers: Sequence[ModelReader], wanted: Sequence[Sequence[Unit]]) -> Iterator[list[PooledRows]]:
    """Run a model over the units that its readers want; a text that several want is read once.

    Args:
        readers: Readers of one loaded model, at one kind of site and stack; all of attention weighted by
            values, or none.
        wanted: The units of each reader, each once.

    Yields:
        The vectors of one batch for each reader, which may have none; units come in no particular order.

    Raises:
        ProbingError: If a vector is not finite.
    """
    units = list(dict.fromkeys(unit for each in wanted for unit in each))
    place_of = {unit: place for place, unit in enumerate(units)}
    own = [{place_of[unit]: place for place, unit in enumerate(each)} for each in wanted]
    trial = ThreadChoice(readers[0].thread_candidates())
    for batch in _batches(readers, units):
        parts = [_only(batch, places) for places in own]
        if batch.units:
            start = time.perf_counter()
            with torch_threads(trial.count):
                found = vectors(readers, parts, wanted)
            trial.note(batch.inputs["input_ids"].numel(), time.perf_counter() - start)
        else:
            found = [reader.no_vectors() for reader in readers]
        yield [_rows(part, values) for part, values in zip(parts, found, strict=True)]


@torch.inference_mode()
def vectors(
    readers: Sequence[ModelReader], parts: Sequence[EncodedBatch], wanted: Sequence[Sequence[Unit]]
) -> list[dict[int, Vectors]]:
    """Run one batch; return the vectors of the units of each reader for each layer, on the CPU.

    Args:
        readers: Readers of one loaded model.
        parts: The same texts for each reader, each with its own units.
        wanted: All units of each reader, which `units` of its part refers to.

    Raises:
        ProbingError: If a vector is not finite.
    """
    model = readers[0].loaded.model
    parts = [part.to(model.device) for part in parts]
    statistics = any(reader.request.statistic is not None for reader in readers)
    inputs = token_batch(parts[0], readers[0].loaded.tokenizer) if statistics else None
    batch, stack = parts[0], readers[0].request.stack
    arguments = arguments_of(model, batch, stack)
    if inputs is not None and stack == "decoder":
        inputs = tokens_after_start(inputs, arguments["decoder_input_ids"])
    reducers = [reader.reducer(part, inputs) for reader, part in zip(readers, parts, strict=True)]
    found: list[dict[int, Tensor]] = [{} for _ in readers]

    def reduce(site: Site, states: Tensor) -> None:
        shared: dict[str, Any] = {}
        for reader, part, reducer, values in zip(readers, parts, reducers, found, strict=True):
            if part.units and site in reader.visited:
                values[site.layer] = reducer(site, states, shared)

    def reduce_weighted(site: Site, attended: Attended) -> None:
        weighted = attended.weighted
        reduce(site, weighted / weighted.sum(3, keepdim=True))

    sites = tuple(dict.fromkeys(site for reader in readers for site in reader.visited))
    reading = (
        capture_values(model, sites, reduce_weighted, factors=_factors(readers))
        if readers[0].request.weighted
        else capture(model, sites, reduce)
    )
    with reading as run:
        run(**arguments, **readers[0].options)
    return [
        reader.checked(values, part, units) if part.units else reader.no_vectors()
        for reader, values, part, units in zip(readers, found, parts, wanted, strict=True)
    ]


def estimate(readers: Sequence[ModelReader], units: Sequence[Unit]) -> float:
    """Return the estimated seconds to read these units, from two passes over a sample of all lengths.

    Raises:
        ProbingError: If a vector is not finite, if the model cannot be read, or if two passes give different
            vectors.
    """
    # words take time too, spans do not
    whole = {source_of(unit): replace(unit, span=None, second_span=None) for unit in units}
    sources = sorted(whole, key=characters)
    sampled = sources[:: max(1, len(sources) // SAMPLE)]
    sample = [whole[source] for source in sampled]
    start = 0.0
    passes: list[list[dict[int, Vectors]]] = []
    for _ in range(2):  # the first pass pays for allocation
        start = time.perf_counter()
        found = [
            vectors(readers, [batch] * len(readers), [sample] * len(readers))
            for batch in _batches(readers, sample)
        ]
        passes.append([each for of_batch in found for each in of_batch])
    seconds = time.perf_counter() - start
    _check_same(*passes)
    return seconds * sum(map(characters, sources)) / sum(map(characters, sampled))


def _encoder(readers: Sequence[ModelReader]) -> Encoder:
    """Return the encoder with the smallest batches, which fit into memory for every reader."""
    return min((reader.encoder() for reader in readers), key=lambda encoder: encoder.pair_budget or np.inf)


def _batches(readers: Sequence[ModelReader], units: Sequence[Unit]) -> Iterator[EncodedBatch]:
    """Yield batches of units, whose tokens are where the stack reads them."""
    later = readers[0].request.stack == "decoder"
    for batch in _encoder(readers).batches(units):
        yield units_after_start(batch) if later else batch


def _factors(readers: Sequence[ModelReader]) -> dict[Site, Tensor]:
    """Return the factors of the output projections of all sites, which each reader computes once."""
    return {site: factor for reader in readers for site, factor in reader.factors.items()}


def _check_same(first: list[dict[int, Vectors]], second: list[dict[int, Vectors]]) -> None:
    for before, after in zip(first, second, strict=True):
        for layer, values in before.items():
            apart = np.abs(values - after[layer]).max(initial=0)
            size = np.abs(values).max(initial=0)
            if apart > SAME * size:
                raise ProbingError(
                    f"layer {layer}: two passes over the same texts give vectors that differ by "
                    f"{apart / size:.1e} relative to their size: {AT_RANDOM}"
                )


def _only(batch: EncodedBatch, places: Mapping[int, int]) -> EncodedBatch:
    """Return the same texts with the units of one reader, numbered as in its own list."""
    rows = [row for row, place in enumerate(batch.units) if place in places]
    texts = torch.arange(len(batch.units)) if batch.texts is None else batch.texts
    same = batch.texts is None and len(rows) == len(batch.units)
    return replace(
        batch,
        units=tuple(places[batch.units[row]] for row in rows),
        tokens=batch.tokens[rows],
        texts=None if same else texts[rows],
        second=None if batch.second is None else batch.second[rows],
        truncated=tuple(places[place] for place in batch.truncated if place in places),
        missing=tuple(places[place] for place in batch.missing if place in places),
    )


def _rows(batch: EncodedBatch, found: Mapping[int, Vectors]) -> PooledRows:
    """Return vectors followed by rows of NaN for the units without one."""
    absent = len(batch.missing)
    padded = {
        layer: np.concatenate([array, np.full((absent, *array.shape[1:]), np.nan, dtype=array.dtype)])
        for layer, array in found.items()
    }
    places = batch.units + batch.missing
    return PooledRows(places, padded if absent else dict(found), batch.truncated, batch.missing)
