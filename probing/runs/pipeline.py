"""One run: task, representations, analysis, result. A step runs only if its outcome does not exist yet."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pandas as pd

import probing
from probing.analyses.analysis import Analysis, Context, SeveralStatistics
from probing.analyses.granularity import Granularity, Level
from probing.config.overrides import changed
from probing.config.run_config import BaselineConfig, Config, as_plain
from probing.errors import CorruptFileError, ProbingError
from probing.io.lazy import torch
from probing.io.progress import SECONDS, about
from probing.objectives.divide import divided
from probing.representations.extract import Extractor, Overwrite
from probing.results.schema import PREDICTED, with_inner
from probing.results.store import ResultStore
from probing.results.table import part_text
from probing.runs.context import RunContext
from probing.runs.effort import Effort
from probing.runs.extractors import extractor_of
from probing.runs.resolve import attention_request, resolve
from probing.runs.spec import RunSpec
from probing.statistics.counts import truth
from probing.tasks.problem import make_problem

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """One run, whose result is found or computed.

    Attributes:
        spec: The run spec.
        extracted: Whether the vectors have just been extracted, so `overwrite=always` does not repeat it.
        inner: Whether only another run needs the result, and the user did not request it.
        overrides: Overrides that compose the configuration; None if no overrides do.
    """

    spec: RunSpec
    extracted: bool = False
    inner: bool = False
    overrides: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        """Return the run spec, and whether only another run needs the result."""
        return f"Run({self.spec!r}{', inner' if self.inner else ''})"

    @property
    def config(self) -> Config:
        """The configuration of the run."""
        return self.spec.config

    def __call__(self) -> pd.DataFrame:
        """Find the result, or compute what is missing of it.

        Returns:
            The tidy rows.

        Raises:
            ProbingError: If it cannot be computed.
        """
        return self.answered().drop(columns=PREDICTED, errors="ignore")

    def answered(self) -> pd.DataFrame:
        """Return the same rows with the answers to every test item."""
        always = self.config.overwrite == "always"
        cached = None if always else self._cached(self.spec.store)
        if cached is not None and not self._claims(cached):
            return cached
        with self.spec.store.lock():
            cached = None if always else self._cached(self.spec.store)
            if cached is not None:  # computed meanwhile by another process, or earlier as an inner run
                return self._claimed(cached)
            if always:
                self.spec.store.drop_parts()
            frame, about = self._compute(self.spec.store)
            frame = with_inner(frame, inner=self.inner)
            self.spec.store.write(frame, about)
        log.info("result: %s", self.spec.store.path)
        return frame

    def _claims(self, found: pd.DataFrame) -> bool:
        """Return whether the user now requests the result of an inner run."""
        return not self.inner and bool(found["inner"].fillna(value=False).any())

    def _claimed(self, found: pd.DataFrame) -> pd.DataFrame:
        """Return the result that was found, and mark it as requested."""
        if not self._claims(found):
            return found
        try:
            self.spec.store.claim()
        except (ProbingError, OSError) as error:  # the rows are still correct
            log.warning("%s: still marked as an inner run (%s)", self.spec.store.path, error)
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
            log.warning("%s; computing it again", error)
            return None

    def _compute(self, store: ResultStore) -> tuple[pd.DataFrame, Mapping[str, Any]]:
        """Return the rows, and the note about them."""
        effort = Effort()
        keys: set[str] = set()
        extractor = replace(self._extractor(), done=effort.note_extraction, found=keys.add)
        for _ in range(100):  # a damaged shard is dropped and extracted again; each can fail once
            context = RunContext(self.spec, extractor, effort.outside(self._other))
            try:
                frame = self._parts(context, store, effort)
                frame = self.config.analysis.conclude(context, frame)
                if effort.resumed:  # the parts that were kept are of these
                    keys.update(_named_keys(self.spec))
                known = {"read": sorted(keys), "effort": effort.note(self.spec)}
                return frame, {**self._about(context), **known}
            except CorruptFileError as error:
                extractor.refill(error)
        raise ProbingError(
            f"{self.config.paths.representations}: files keep being damaged after they are written"
        )

    def _parts(self, context: Context, store: ResultStore, effort: Effort) -> pd.DataFrame:
        analysis = self.config.analysis
        numbers = analysis.parts(context)
        frames = []
        start = time.perf_counter()
        for done, part in enumerate(numbers, start=1):
            frame = store.read_part(part)
            kept = frame is not None
            effort.resumed |= kept
            if frame is None:
                frame = analysis.run_part(context, part)
                store.write_part(part, frame)
            note = "kept from an interrupted run" if kept else part_text(frame)
            name = analysis.part_name(context, part)
            elapsed = time.perf_counter() - start
            remaining = elapsed / done * (len(numbers) - done)
            note += f", {about(remaining)} remaining" if elapsed > SECONDS and done < len(numbers) else ""
            log.info("%s: %s (%d of %d), %s", analysis.name, name, done, len(numbers), note)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def context(self) -> RunContext:
        """Return the context of the analysis; nothing is computed yet."""
        return RunContext(self.spec, self._extractor(), self._other)

    def _extractor(self) -> Extractor:
        done = self.extracted and self.config.overwrite == "always"
        return extractor_of(self.spec, "missing" if done else self.config.overwrite)

    def _other(self, level: Level, draw: int | None, analysis: Analysis | None) -> pd.DataFrame:
        """Find or compute the result for another granularity or analysis."""
        layers = None if level == "layer" else self.config.granularity.layers
        config = replace(self.config, granularity=Granularity(level, layers))
        config = replace(config, analysis=analysis or config.analysis)
        if draw is not None:
            config = replace(config, baseline=BaselineConfig("permuted", draw=draw))
        run = self._changed(config)
        # heads are read before any is selected, and reading them again would drop the vectors in use
        return replace(run, extracted=run.spec.request == self.spec.request, inner=True).answered()

    def reference(self) -> Run:
        """Return the run that this one is a baseline of; `overwrite=always` applies only to the baseline."""
        overwrite: Overwrite = "missing" if self.config.overwrite == "always" else self.config.overwrite
        config = replace(self.config, baseline=BaselineConfig(), overwrite=overwrite)
        return replace(self._changed(config), inner=True)

    def _changed(self, config: Config) -> Run:
        """Return the run of a configuration derived from this one, on the same task and model."""
        overrides = None if self.overrides is None else changed(self.overrides, self.config, config)
        return Run(resolve(config, self.spec.sampled, self.spec.files), overrides=overrides)

    def _about(self, context: Context) -> Mapping[str, Any]:
        spec = self.spec
        return {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "card": spec.card.as_dict(),
            "config": as_plain(self.config),
            "overrides": self.overrides,
            **(_about_vectors(context) if self.config.analysis.uses == "probe" else {}),
            "representations": spec.request.key,
            "request": json.loads(spec.request.as_json()),
            "settings": self.config.analysis.depends_on(spec.methods),
            "versions": {
                "probing": probing.__version__,
                "torch": torch.__version__,
                "transformers": version("transformers"),
            },
        }


def _named_keys(spec: RunSpec) -> Iterator[str]:
    """Yield the keys of the further statistics that an analysis names."""
    analysis = spec.config.analysis
    if isinstance(analysis, SeveralStatistics):
        for statistic, _ in analysis.further(divided(spec.task, spec.config.seed)):
            yield attention_request(spec.request, analysis, statistic).key


def _about_vectors(context: Context) -> dict[str, Any]:
    """Return the columns that are known only if vectors are read."""
    reading = context.reading
    return {
        **truth(make_problem(reading.task, context.seed)),
        "truncated": reading.representations.truncated,
        "dropped": reading.dropped,
    }
