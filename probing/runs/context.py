"""The context of an analysis: vectors, the model, and other results, each made on first use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Analysis, AttentionAnalysis, Methods
from probing.analyses.granularity import Level
from probing.analyses.reading import Reading
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.objectives.divide import divided
from probing.objectives.objective import Evaluator, ObjectiveContext
from probing.representations.extract import Extractor, Overwrite
from probing.representations.manifest import write_manifest
from probing.representations.reader import Representations
from probing.representations.request import Request
from probing.runs.resolve import attention_request
from probing.runs.spec import RunSpec
from probing.tasks.task import Unit

if TYPE_CHECKING:
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

    from probing.models.loading import Attention, LoadedModel, Purpose
    from probing.representations.reductions.statistic import Statistic

    Load = Callable[[Purpose, Attention], LoadedModel]

log = logging.getLogger(__name__)
Others = Callable[[Level, int | None, Analysis | None], pd.DataFrame]
"""Function that returns the rows of another run on the same task and model; see `Context.result`."""


@dataclass(frozen=True)
class RunContext:
    """The `Context` of one run.

    Attributes:
        spec: The run spec.
        extractor: Extractor that finds or computes the vectors, or the statistic of attention, of the run.
        others: Function that finds or computes the results of other runs.
    """

    spec: RunSpec
    extractor: Extractor
    others: Others

    @property
    def labels(self) -> Mapping[str, object]:
        """Columns that are the same in every row of the result."""
        spec = self.spec
        limit = spec.config.sample.limit
        return {**spec.names, "limit": limit, "setup": spec.setup, "key": spec.key}

    @property
    def methods(self) -> Methods:
        """The probe, the objective and the granularity."""
        return self.spec.methods

    @property
    def seed(self) -> int:
        """Seed of everything random."""
        return self.spec.config.seed

    @property
    def folder(self) -> Path:
        """Folder for files of the analysis itself."""
        return self.spec.config.paths.models / self.spec.store.path.stem

    @cached_property
    def reading(self) -> Reading:
        """The task with its vectors."""
        return Reading(self.spec.task, self.spec.config.extract.torch_device(), self._represent)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer of the model."""
        from probing.models.tokenizer import load_tokenizer

        return load_tokenizer(self.spec.files)

    def evaluator(self, attention: Attention = "sdpa") -> Evaluator:
        """Return the model made ready for the objective, once for each implementation of attention."""
        return self._evaluators(attention)

    def attention(self, statistic: Statistic, units: Sequence[Unit]) -> Representations:
        """Return a statistic of attention, from the cache or the model."""
        return self._statistics(statistic, tuple(units))

    @cached_property
    def _statistics(self) -> Callable[[Statistic, tuple[Unit, ...]], Representations]:
        def found(statistic: Statistic, units: tuple[Unit, ...]) -> Representations:
            request = attention_request(self.spec.request, statistic)
            extractor = replace(self.extractor, request=request)
            return extractor.extract(units, self.spec.config.granularity.layers)

        return cast("Callable[[Statistic, tuple[Unit, ...]], Representations]", cache(found))

    def result(self, level: Level, draw: int | None = None, analysis: Analysis | None = None) -> pd.DataFrame:
        """Return the rows of another run on the same task and model."""
        return self._results(level, draw, analysis)

    @cached_property
    def _results(self) -> Others:
        return cast("Others", cache(self.others))

    @cached_property
    def _evaluators(self) -> Callable[[Attention], Evaluator]:
        from probing.objectives.sound import check_sound

        models: Load = cache(partial(load, self.spec))

        def made(attention: Attention) -> Evaluator:
            given = self._objective_context(models, attention)
            evaluator = self.spec.methods.objective.prepare(given)
            return check_sound(evaluator, self.spec.config.extract.dtype)

        return cache(made)

    def _represent(self) -> Representations:
        spec = self.spec
        analysis, layers = spec.config.analysis, spec.config.granularity.layers
        if isinstance(analysis, AttentionAnalysis):
            return self.extractor.extract(analysis.units(divided(spec.task, spec.config.seed)), layers)
        found = self.extractor.extract(spec.task.all_units, layers)
        note_examples(spec)
        return found

    def _objective_context(self, models: Load, attention: Attention) -> ObjectiveContext:
        """Return the input of the objective, which reads hidden states from the same cache as probes do."""
        spec, config = self.spec, self.spec.config
        hidden = replace(spec.request, site="hidden")
        overwrite = self.extractor.overwrite

        def vectors(units: Sequence[Unit], layer: int) -> NDArray[np.float32]:
            extractor = extractor_of(spec, overwrite, hidden, partial(models, "read", "sdpa"))
            found: NDArray[np.float32] = extractor.extract(units, [layer]).layer(layer)[0]
            return found

        task = divided(spec.task, config.seed)
        return ObjectiveContext(
            task, models, config.extract, spec.request.pooling, vectors, config.seed, attention
        )


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
        model = partial(load, spec, "read", attention)
        # an analysis may read further statistics of attention, all from one model
        model = model if spec.request.statistic is None else cache(model)
    return Extractor(config.paths.representations, request or spec.request, config.extract, model, overwrite)


def note_examples(spec: RunSpec) -> None:
    """Record the example behind each row of the cache, under the names of heads and layers."""
    if spec.task is not spec.sampled:  # the run on the original labels records them
        return
    level = "layer" if spec.config.granularity.unit == "layer" else "head"
    names = {**spec.names, "granularity": level, "model": spec.files.title}
    path = write_manifest(spec.config.paths.representations, spec.request, spec.task, names)
    log.info("examples with labels and splits: %s", path)


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
    if purpose == "read":
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
