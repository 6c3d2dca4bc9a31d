"""The context of an analysis: vectors, the model, and other results, each made on first use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Analysis, AttentionAnalysis, Context, Methods, SeveralStatistics
from probing.analyses.granularity import Level
from probing.analyses.reading import Reading
from probing.objectives.divide import divided
from probing.objectives.objective import Evaluator, ObjectiveContext
from probing.representations.extract import Extractor
from probing.representations.manifest import write_manifest
from probing.representations.reader import Representations
from probing.representations.together import Wanted, extract_together
from probing.runs.extractors import extractor_of, load
from probing.runs.resolve import attention_request
from probing.runs.spec import RunSpec
from probing.tasks.task import Task, Unit

if TYPE_CHECKING:
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

    from probing.models.loading import Attention, LoadedModel, Purpose
    from probing.representations.reductions.statistic import Statistic

    Load = Callable[[Purpose, Attention], LoadedModel]

log = logging.getLogger(__name__)
_T = TypeVar("_T")
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
        """Columns that are the same in every row of the result; an objective names the stack of each row."""
        spec = self.spec
        own = {"limit": spec.config.sample.limit, "stack": spec.request.stack or None}
        return {**spec.names, **own, "setup": spec.setup, "key": spec.key}

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
    def task(self) -> Task:
        """The task with train, dev and test."""
        return divided(self.spec.task, self.seed)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer of the model."""
        from probing.models.tokenizer import load_tokenizer

        return load_tokenizer(self.spec.files)

    def evaluator(self, attention: Attention = "sdpa") -> Evaluator:
        """Return the model made ready for the objective, once for each implementation of attention."""
        return self._evaluators(attention)

    def attention(self, statistic: Statistic, units: Sequence[Unit] | None = None) -> Representations:
        """Return a statistic of attention, from the cache or the model."""
        if units is None:
            return self._readings[statistic]
        return self._statistics(statistic, tuple(units))

    def once(self, make: Callable[[Context], _T]) -> _T:
        """Return what a function makes of this context, made on the first call."""
        return cast("_T", self._made(make))

    @cached_property
    def _made(self) -> Callable[[Callable[[Context], Any]], Any]:
        return cache(lambda make: make(self))

    def word_vectors(self, words: Sequence[str]) -> NDArray[np.float64]:
        """Return the model's own input embeddings of words."""
        from probing.representations.word_vectors import input_embeddings

        return input_embeddings(self.extractor.load(), words)

    @cached_property
    def _readings(self) -> Mapping[Statistic, Representations]:
        """The statistics that the analysis names, from the cache or from one pass of the model."""
        analysis, task = self._attention_analysis, self.task
        further = analysis.further(task) if isinstance(analysis, SeveralStatistics) else ()
        named = dict([(analysis.statistic, analysis.units(task)), *further])
        wanted = [Wanted(self._extractor_of(statistic), tuple(units)) for statistic, units in named.items()]
        found = extract_together(wanted, self.spec.config.granularity.layers)
        return dict(zip(named, found, strict=True))

    @property
    def _attention_analysis(self) -> AttentionAnalysis:
        analysis = self.spec.config.analysis
        assert isinstance(analysis, AttentionAnalysis)
        return analysis

    def _extractor_of(self, statistic: Statistic) -> Extractor:
        analysis = self.spec.config.analysis
        return replace(self.extractor, request=attention_request(self.spec.request, analysis, statistic))

    @cached_property
    def _statistics(self) -> Callable[[Statistic, tuple[Unit, ...]], Representations]:
        def found(statistic: Statistic, units: tuple[Unit, ...]) -> Representations:
            return self._extractor_of(statistic).extract(units, self.spec.config.granularity.layers)

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
            return self._readings[analysis.statistic]
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

        return ObjectiveContext(
            self.task, models, config.extract, spec.request.pooling, vectors, config.seed, attention
        )


def note_examples(spec: RunSpec) -> None:
    """Record the example behind each row of the cache, under the names of heads and layers."""
    if spec.task is not spec.sampled:  # the run on the original labels records them
        return
    level = "layer" if spec.config.granularity.unit == "layer" else "head"
    names = {**spec.names, "granularity": level, "model": spec.files.title}
    path = write_manifest(spec.config.paths.representations, spec.request, spec.task, names)
    log.info("examples with labels and splits: %s", path)
