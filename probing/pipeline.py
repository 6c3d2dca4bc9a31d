"""One run: task, representations, analysis, result; each step only if its outcome is not there yet."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

import probing
from probing.analyses.experiment import Analysis, Beside, Experiment
from probing.analyses.granularity import Granularity
from probing.analyses.granularity import Unit as Granule
from probing.config import BaselineConfig, Config, as_plain
from probing.errors import CorruptFileError, ProbingError
from probing.models.family import default_pooling
from probing.models.files import ModelFiles, find_files
from probing.objectives.divide import divided
from probing.objectives.objective import Ready, Setting
from probing.probes.pose import pose, truth
from probing.question import Question, baseline_task
from probing.representations.extract import Extractor, Overwrite
from probing.representations.manifest import write_manifest
from probing.representations.reader import Representations
from probing.representations.request import Request
from probing.results.schema import PREDICTED
from probing.results.store import ResultStore
from probing.results.table import part_text
from probing.tasks.sample import sample
from probing.tasks.task import Task, Unit

if TYPE_CHECKING:
    from probing.models.load import Attention, LoadedModel, Purpose

    Load = Callable[[Purpose, Attention], LoadedModel]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run(Question):
    """What is asked, and how its answer is found or computed.

    Attributes:
        extracted: Whether the vectors have just been extracted, so that `overwrite=always` is done with them.
        inner: Whether another run needs the result on its way, and nobody asked for it.
    """

    extracted: bool = False
    inner: bool = False

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
            frame = _marked(frame, inner=self.inner)
            self.store.write(frame, self._about(experiment))
        log.info("result: %s", self.store.path)
        return frame

    def _claims(self, found: pd.DataFrame) -> bool:
        """Whether this run asks for a result that another one made on its way."""
        return not self.inner and bool(found["inner"].fillna(value=False).any())

    def _claimed(self, found: pd.DataFrame) -> pd.DataFrame:
        """The result that was found, from now on marked as asked for."""
        if not self._claims(found):
            return found
        try:
            self.store.claim()
        except (ProbingError, OSError) as error:  # the rows are right all the same
            log.warning("%s: still marked as made by another run (%s)", self.store.path, error)
        return _marked(found, inner=False)

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
        extractor = self._extractor(self.request, partial(self._load, "read", "sdpa"))
        for _ in range(100):  # a damaged shard is dropped and extracted again; each can fail once
            experiment = self.experiment(extractor)
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

    def experiment(self, extractor: Extractor | None = None) -> Experiment:
        """What the analysis is given; nothing of it is computed yet.

        Args:
            extractor: Finds or computes vectors; None makes one.
        """
        extractor = extractor or self._extractor(self.request, partial(self._load, "read", "sdpa"))

        def represent() -> Representations:
            found = extractor.extract(self.task.all_units, self.config.granularity.layers)
            self._note_examples()
            return found

        config = self.config
        device = config.extract.torch_device()
        labels = {
            **self.names,
            "limit": config.sample.limit,
            "question": self.question,
            "key": self.key,
        }
        setting = partial(self._setting, cache(self._load))
        return Experiment(
            labels,
            self.task,
            config.probe,
            config.seed,
            device,
            represent,
            config.granularity,
            cast("Beside", cache(self._beside)),
            setting,
            cache(lambda attention: self._ready(setting(attention))),
            config.paths.models / self.store.path.stem,
        )

    def _ready(self, setting: Setting) -> Ready:
        from probing.objectives.sound import check_sound

        return check_sound(self.means.objective.prepare(setting), self.config.extract.dtype)

    def _setting(self, load: Load, attention: Attention) -> Setting:
        """What the objective is given; it reads hidden states from the same cache as probes do."""
        request = replace(self.request, site="hidden")

        def vectors(units: Sequence[Unit], layer: int) -> NDArray[np.float32]:
            extractor = self._extractor(request, partial(load, "read", "sdpa"))
            found: NDArray[np.float32] = extractor.extract(units, [layer]).layer(layer)[0]
            return found

        return Setting(
            divided(self.task, self.config.seed),
            load,
            self.config.extract,
            self.request.pooling,
            vectors,
            self.config.seed,
            attention,
        )

    def _note_examples(self) -> None:
        """Write down which rows of the cache are which examples, under the names of heads and layers."""
        if self.task is not self.sampled:  # another run, on the labels as they are, notes them
            return
        unit = "layer" if self.config.granularity.unit == "layer" else "head"
        names = {**self.names, "granularity": unit, "model": self.files.title}
        path = write_manifest(self.config.paths.representations, self.request, self.task, names)
        log.info("examples with labels and splits: %s", path)

    def _beside(
        self, unit: Granule, draw: int | None = None, analysis: Analysis | None = None
    ) -> pd.DataFrame:
        """The result of the same experiment for another unit or by another analysis, found or computed."""
        config = replace(self.config, granularity=Granularity(unit, self._layers_of(unit)))
        config = replace(config, analysis=analysis or config.analysis)
        if draw is not None:
            config = replace(config, baseline=BaselineConfig("permuted", draw=draw))
        run = resolve(config, self.sampled, self.files)
        # heads are read before any is chosen, and reading them anew would drop the vectors in use
        return replace(run, extracted=run.request == self.request, inner=True).answered()

    def _layers_of(self, unit: Granule) -> tuple[int, ...] | None:
        return None if unit == "layer" else self.config.granularity.layers

    def reference(self) -> Run:
        """The run that this one is a baseline of; `overwrite=always` is of the baseline, not of it."""
        overwrite: Overwrite = "missing" if self.config.overwrite == "always" else self.config.overwrite
        config = replace(self.config, baseline=BaselineConfig(), overwrite=overwrite)
        return replace(resolve(config, self.sampled, self.files), inner=True)

    def _load(self, purpose: Purpose, attention: Attention) -> LoadedModel:
        from probing.models.load import load_model

        settings = self.config.extract
        dtype: torch.dtype = getattr(torch, settings.dtype)
        device = settings.torch_device()
        loaded = load_model(self.files, device=device, dtype=dtype, attention=attention, purpose=purpose)
        if purpose == "read":
            self._check_words(loaded)
        return loaded

    def _check_words(self, loaded: LoadedModel) -> None:
        """Refuse words where the tokenizer does not say which characters a token has."""
        if loaded.tokenizer.is_fast or not any(unit.span for unit in self.task.all_units):
            return
        raise ProbingError(
            f"task {self.task.name}: its examples are words, which need a fast tokenizer; "
            f"{type(loaded.tokenizer).__name__} of model {self.files.title} does not say which characters a "
            "token has; choose another model, or a task of whole texts"
        )

    def _extractor(self, request: Request, load: Callable[[], LoadedModel]) -> Extractor:
        return Extractor(
            self.config.paths.representations,
            request,
            self.config.extract,
            load,
            "missing" if self.extracted and self.config.overwrite == "always" else self.config.overwrite,
        )

    def _about(self, experiment: Experiment) -> Mapping[str, Any]:
        return {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "card": self.card.as_dict(),
            "config": as_plain(self.config),
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


def prepare(config: Config) -> Run:
    """Resolve a configuration: read the task, find the model, and check both; nothing is written.

    Raises:
        ProbingError: If the task or the model is not as it should be.
    """
    config.extract.torch_device()
    asked = config.sample
    whole = sample(config.task.build(), None, asked.balance, config.seed)
    task = sample(whole, asked.limit, False, config.seed)
    if len(task) == len(whole):  # nothing was left out, so this is the full run
        config = replace(config, sample=replace(asked, limit=None))
    run = resolve(config, task)
    _caution(run)
    return run


def _caution(run: Run) -> None:
    """Warn of what is seldom meant, once for each run that is asked for."""
    if run.names["pooling"] == "first" and default_pooling(run.files) == "last":
        log.warning(
            "pooling=first: in a causal model the first token sees itself alone, and all heads of a "
            "key-value group give the same for it; use pooling=last or mean"
        )
    if run.config.analysis.uses == "objective" and run.means.objective.name == "lm":
        log.warning(
            "objective=lm: scores are losses in nats, of predicting the task's texts; the labels, metric and "
            "majority on the task's card play no part"
        )


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
    pooling = default_pooling(files) if config.pooling.how == "auto" else config.pooling.how
    request = Request(
        model=files.identity,
        site=config.granularity.site,
        pooling=pooling,
        max_length=config.extract.max_length,
        dtype=config.extract.dtype,
        storage=config.extract.storage,
        transformers=int(version("transformers").split(".")[0]),
    )
    run = Run(config, sampled, task, files, request)
    config.analysis.check(task, run.means)
    if config.analysis.uses == "objective":
        run.means.objective.check(task)
    return run


def _marked(frame: pd.DataFrame, *, inner: bool) -> pd.DataFrame:
    return frame.assign(inner=pd.array([inner] * len(frame), dtype="boolean"))


def _about_vectors(experiment: Experiment) -> dict[str, Any]:
    """What is known only where vectors are read."""
    return {
        **truth(pose(experiment.task, experiment.seed)),
        "truncated": experiment.representations.truncated,
        "dropped": experiment.dropped,
    }
