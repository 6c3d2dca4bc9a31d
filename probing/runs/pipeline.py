"""One run: task, representations, analysis, result; each step only if its outcome is not there yet."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pandas as pd

import probing
from probing.analyses.analysis import Analysis, AttentionAnalysis, Experiment
from probing.analyses.granularity import Granularity, Level
from probing.config.overrides import changed
from probing.config.run_config import BaselineConfig, Config, as_plain
from probing.errors import CorruptFileError, ProbingError
from probing.io.lazy import torch
from probing.models.family import default_pooling
from probing.models.model_files import ModelFiles, find_files
from probing.representations.extract import Overwrite
from probing.representations.request import Request
from probing.results.schema import PREDICTED, with_inner
from probing.results.store import ResultStore
from probing.results.table import part_text
from probing.runs.outside import outside_code
from probing.runs.spec import Question, baseline_task
from probing.runs.supply import Supply
from probing.statistics.counts import truth
from probing.tasks.problem import pose
from probing.tasks.task import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run(Question):
    """What is asked, and how its answer is found or computed.

    Attributes:
        extracted: Whether the vectors have just been extracted, so that `overwrite=always` is done with them.
        inner: Whether another run needs the result on its way, and nobody asked for it.
        overrides: The overrides that compose the configuration; None if there are none that do.
    """

    extracted: bool = False
    inner: bool = False
    overrides: tuple[str, ...] | None = None

    def __call__(self) -> pd.DataFrame:
        """Find the result, or compute what is missing of it.

        Returns:
            The tidy rows.

        Raises:
            ProbingError: If it cannot be computed.
        """
        return self.answered().drop(columns=PREDICTED, errors="ignore")

    def answered(self) -> pd.DataFrame:
        """The same rows with the answers to every test item."""
        always = self.config.overwrite == "always"
        cached = None if always else self._cached(self.store)
        if cached is not None and not self._claims(cached):
            return cached
        with self.store.lock():
            cached = None if always else self._cached(self.store)
            if cached is not None:  # another process has computed it meanwhile, or another run on its way
                return self._claimed(cached)
            if always:
                self.store.drop_parts()
            frame, experiment = self._compute(self.store)
            frame = with_inner(frame, inner=self.inner)
            self.store.write(frame, self._about(experiment))
        log.info("result: %s", self.store.path)
        return frame

    def _claims(self, found: pd.DataFrame) -> bool:
        """Return whether this run asks for a result that another one made on its way."""
        return not self.inner and bool(found["inner"].fillna(value=False).any())

    def _claimed(self, found: pd.DataFrame) -> pd.DataFrame:
        """The result that was found, from now on marked as asked for."""
        if not self._claims(found):
            return found
        try:
            self.store.claim()
        except (ProbingError, OSError) as error:  # the rows are right all the same
            log.warning("%s: still marked as made by another run (%s)", self.store.path, error)
        return with_inner(found, inner=False)

    def _cached(self, store: ResultStore) -> pd.DataFrame | None:
        try:
            found = store.read(predicted=True)
            if found is not None:
                log.info("result: found as %s; nothing to extract or train", store.path)
            return found
        except CorruptFileError as error:
            if self.config.overwrite == "never":
                raise ProbingError(f"{error}; overwrite=missing computes it again") from error
            log.warning("%s; it is computed again", error)
            return None

    def _compute(self, store: ResultStore) -> tuple[pd.DataFrame, Experiment]:
        supply = self._supply()
        extractor = supply.extractor()
        for _ in range(100):  # a damaged shard is dropped and extracted again; each can fail once
            experiment = supply.experiment(extractor)
            try:
                frame = self._parts(experiment, store)
                return self.config.analysis.conclude(experiment, frame), experiment
            except CorruptFileError as error:
                extractor.refill(error)
        raise ProbingError(
            f"{self.config.paths.representations}: files are damaged as fast as they are written"
        )

    def _parts(self, experiment: Experiment, store: ResultStore) -> pd.DataFrame:
        analysis = self.config.analysis
        numbers = analysis.parts(experiment)
        frames = []
        for done, part in enumerate(numbers, start=1):
            frame = store.read_part(part)
            kept = frame is not None
            if frame is None:
                frame = analysis.run_part(experiment, part)
                store.write_part(part, frame)
            note = "kept from an interrupted run" if kept else part_text(frame)
            name = analysis.part_name(experiment, part)
            log.info("%s: %s (%d of %d), %s", analysis.name, name, done, len(numbers), note)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def experiment(self) -> Experiment:
        """The input of the analysis; nothing of it is computed yet."""
        return self._supply().experiment()

    def _supply(self) -> Supply:
        always = self.config.overwrite == "always"
        return Supply(self, "missing" if self.extracted and always else self.config.overwrite, self._beside)

    def _beside(self, unit: Level, draw: int | None = None, analysis: Analysis | None = None) -> pd.DataFrame:
        """The result of the same experiment for another unit or by another analysis, found or computed."""
        config = replace(self.config, granularity=Granularity(unit, self._layers_of(unit)))
        config = replace(config, analysis=analysis or config.analysis)
        if draw is not None:
            config = replace(config, baseline=BaselineConfig("permuted", draw=draw))
        run = self._changed(config)
        # heads are read before any is chosen, and reading them anew would drop the vectors in use
        return replace(run, extracted=run.request == self.request, inner=True).answered()

    def _layers_of(self, unit: Level) -> tuple[int, ...] | None:
        return None if unit == "layer" else self.config.granularity.layers

    def reference(self) -> Run:
        """The run that this one is a baseline of; `overwrite=always` is of the baseline, not of it."""
        overwrite: Overwrite = "missing" if self.config.overwrite == "always" else self.config.overwrite
        config = replace(self.config, baseline=BaselineConfig(), overwrite=overwrite)
        return replace(self._changed(config), inner=True)

    def _changed(self, config: Config) -> Run:
        """The run of a configuration that was derived from this one, on the same task and model."""
        overrides = None if self.overrides is None else changed(self.overrides, self.config, config)
        return replace(resolve(config, self.sampled, self.files), overrides=overrides)

    def _about(self, experiment: Experiment) -> Mapping[str, Any]:
        return {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "card": self.card.as_dict(),
            "config": as_plain(self.config),
            "overrides": self.overrides,
            **(_about_vectors(experiment) if self.config.analysis.uses == "probe" else {}),
            "representations": self.request.key,
            "request": json.loads(self.request.as_json()),
            "settings": self.config.analysis.depends_on(self.means),
            "versions": {
                "probing": probing.__version__,
                "torch": torch.__version__,
                "transformers": version("transformers"),
            },
        }


def resolve(config: Config, sampled: Task, known: ModelFiles | None = None) -> Run:
    """The run of a configuration on a task that has been read.

    Args:
        config: What is asked for.
        sampled: The task, before a baseline gives it other labels.
        known: Files that another run has found and digested; used if they are of the same model.

    Raises:
        ProbingError: If the analysis refuses the task, or the model is not as it should be.
    """
    task = baseline_task(sampled, config.baseline, config.seed)
    model = config.model
    if config.baseline.kind == "untrained":
        if not model.pretrained:
            raise ProbingError("baseline=untrained: the model is untrained already (model.pretrained=false)")
        model = replace(model, pretrained=False)
    files = known if known is not None and known.config == model else find_files(model)
    run = Run(config, sampled, task, files, _request(config, files))
    config.analysis.check(task, run.means)
    if config.analysis.uses == "objective":
        run.means.objective.check(task)
    return run


def _request(config: Config, files: ModelFiles) -> Request:
    """The vectors that the run reads, or the statistic of attention that its analysis is about."""
    request = Request(
        model=files.identity,
        site=config.granularity.site,
        reduction=default_pooling(files) if config.pooling.how == "auto" else config.pooling.how,
        max_length=config.extract.max_length,
        dtype=config.extract.dtype,
        storage=config.extract.storage,
        transformers=int(version("transformers").split(".")[0]),
    )
    if not isinstance(config.analysis, AttentionAnalysis):
        return request
    statistic = config.analysis.statistic
    code = tuple(map(tuple, outside_code(statistic)))
    return replace(request, site="attention", reduction=statistic, storage="float32", code=code)


def _about_vectors(experiment: Experiment) -> dict[str, Any]:
    """What is known only where vectors are read."""
    return {
        **truth(pose(experiment.task, experiment.seed)),
        "truncated": experiment.representations.truncated,
        "dropped": experiment.dropped,
    }
