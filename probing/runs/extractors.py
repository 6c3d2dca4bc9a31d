"""The extractors of a run, and the model that they read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.representations.extract import Extractor, Overwrite
from probing.representations.request import Request
from probing.runs.spec import RunSpec

if TYPE_CHECKING:
    from probing.models.loading import Attention, LoadedModel, Purpose


def extractor_of(
    spec: RunSpec,
    overwrite: Overwrite,
    request: Request | None = None,
    model: Callable[[], LoadedModel] | None = None,
) -> Extractor:
    """Return the extractor that finds or computes the vectors, or the statistic of attention, of a run.

    Args:
        spec: The run spec.
        overwrite: Treatment of cached vectors.
        request: Request for other vectors than those of the run.
        model: Function that returns the model, which may have been loaded already.
    """
    config = spec.config
    attention: Attention = "sdpa" if spec.request.statistic is None else "eager"
    if model is None:
        # only the whole model has a decoder
        purpose: Purpose = "lm" if spec.request.stack else "read"
        model = partial(load, spec, purpose, attention)
        # an analysis may read further statistics of attention, all from one model
        model = model if spec.request.statistic is None else cache(model)
    return Extractor(config.paths.representations, request or spec.request, config.extract, model, overwrite)


def load(spec: RunSpec, purpose: Purpose, attention: Attention) -> LoadedModel:
    """Load the model of a run.

    Raises:
        ProbingError: If it cannot be loaded, or its tokenizer cannot find the words of the task.
    """
    from probing.models.loading import load_model

    settings = spec.config.extract
    dtype: torch.dtype = getattr(torch, settings.dtype)
    device = settings.torch_device()
    loaded = load_model(spec.files, device=device, dtype=dtype, attention=attention, purpose=purpose)
    if purpose == "read" or spec.request.stack:
        _check_words(spec, loaded)
    return loaded


def _check_words(spec: RunSpec, loaded: LoadedModel) -> None:
    """Refuse words if the tokenizer does not report the characters of a token."""
    if loaded.tokenizer.is_fast or not any(unit.span for unit in spec.task.all_units):
        return
    raise ProbingError(
        f"task {spec.task.name}: its examples are words, which need a fast tokenizer; "
        f"{type(loaded.tokenizer).__name__} of model {spec.files.title} does not say which characters a "
        "token has; choose another model, or a task of whole texts"
    )
