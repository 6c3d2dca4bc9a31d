"""The input of an analysis: vectors, the model, and other results."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from probing.analyses.analysis import AttentionAnalysis, Beside, Experiment
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.objectives.divide import divided
from probing.objectives.objective import Evaluator, ObjectiveContext
from probing.representations.extract import Extractor, Overwrite
from probing.representations.manifest import write_manifest
from probing.representations.reader import Representations
from probing.representations.request import Request
from probing.runs.spec import Question
from probing.tasks.task import Unit

if TYPE_CHECKING:
    from probing.models.loading import Attention, LoadedModel, Purpose

    Load = Callable[[Purpose, Attention], LoadedModel]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Supply:
    """Loads the model and finds or computes vectors, neither before it is asked to.

    Attributes:
        question: The question that the run answers.
        overwrite: What to do with cached vectors.
        beside: Other results that the analysis may ask for.
    """

    question: Question
    overwrite: Overwrite
    beside: Beside

    def experiment(self, extractor: Extractor | None = None) -> Experiment:
        """The experiment of the question; nothing of it is computed yet.

        Args:
            extractor: Finds or computes vectors; None makes one.
        """
        asked, config = self.question, self.question.config
        extractor = extractor or self.extractor()

        def represent() -> Representations:
            analysis, layers = config.analysis, config.granularity.layers
            if isinstance(analysis, AttentionAnalysis):
                return extractor.extract(analysis.units(divided(asked.task, config.seed)), layers)
            found = extractor.extract(asked.task.all_units, layers)
            self._note_examples()
            return found

        labels = {
            **asked.names,
            "limit": config.sample.limit,
            "question": asked.question,
            "key": asked.key,
        }
        setting = partial(self._setting, cache(self._load))
        return Experiment(
            labels,
            asked.task,
            config.probe,
            config.seed,
            config.extract.torch_device(),
            represent,
            config.granularity,
            cast("Beside", cache(self.beside)),
            setting,
            cache(lambda attention: self._ready(setting(attention))),
            config.paths.models / asked.store.path.stem,
        )

    def extractor(self) -> Extractor:
        """Finds or computes the vectors, or the statistic of attention, of the question."""
        attention: Attention = "sdpa" if self.question.request.statistic is None else "eager"
        return self._extractor(self.question.request, partial(self._load, "read", attention))

    def _extractor(self, request: Request, load: Callable[[], LoadedModel]) -> Extractor:
        config = self.question.config
        return Extractor(config.paths.representations, request, config.extract, load, self.overwrite)

    def _ready(self, setting: ObjectiveContext) -> Evaluator:
        from probing.objectives.sound import check_sound

        objective = self.question.means.objective
        return check_sound(objective.prepare(setting), self.question.config.extract.dtype)

    def _setting(self, load: Load, attention: Attention) -> ObjectiveContext:
        """The input of the objective; it reads hidden states from the same cache as probes do."""
        asked, config = self.question, self.question.config
        request = replace(asked.request, site="hidden")

        def vectors(units: Sequence[Unit], layer: int) -> NDArray[np.float32]:
            extractor = self._extractor(request, partial(load, "read", "sdpa"))
            found: NDArray[np.float32] = extractor.extract(units, [layer]).layer(layer)[0]
            return found

        return ObjectiveContext(
            divided(asked.task, config.seed),
            load,
            config.extract,
            asked.request.pooling,
            vectors,
            config.seed,
            attention,
        )

    def _note_examples(self) -> None:
        """Write down the example behind each row of the cache, under the names of heads and layers."""
        asked = self.question
        if asked.task is not asked.sampled:  # another run, on the labels as they are, notes them
            return
        unit = "layer" if asked.config.granularity.unit == "layer" else "head"
        names = {**asked.names, "granularity": unit, "model": asked.files.title}
        path = write_manifest(asked.config.paths.representations, asked.request, asked.task, names)
        log.info("examples with labels and splits: %s", path)

    def _load(self, purpose: Purpose, attention: Attention) -> LoadedModel:
        from probing.models.loading import load_model

        settings, files = self.question.config.extract, self.question.files
        dtype: torch.dtype = getattr(torch, settings.dtype)
        device = settings.torch_device()
        loaded = load_model(files, device=device, dtype=dtype, attention=attention, purpose=purpose)
        if purpose == "read":
            self._check_words(loaded)
        return loaded

    def _check_words(self, loaded: LoadedModel) -> None:
        """Refuse words where the tokenizer does not say which characters a token has."""
        task, files = self.question.task, self.question.files
        if loaded.tokenizer.is_fast or not any(unit.span for unit in task.all_units):
            return
        raise ProbingError(
            f"task {task.name}: its examples are words, which need a fast tokenizer; "
            f"{type(loaded.tokenizer).__name__} of model {files.title} does not say which characters a "
            "token has; choose another model, or a task of whole texts"
        )
