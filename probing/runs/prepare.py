"""Preparation of a run: read the task, find the model, and warn about unusual settings."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field, replace

from probing.config.run_config import Config, as_plain
from probing.io.log import kept_back, show
from probing.models.family import default_pooling
from probing.models.model_choice import ModelConfig
from probing.models.model_files import ModelFiles, find_files
from probing.runs.pipeline import Run
from probing.runs.resolve import resolve
from probing.runs.spec import RunSpec
from probing.tasks.sampling import sample
from probing.tasks.source import PartialSource
from probing.tasks.task import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Whole:
    """A task before its limit is drawn, and whether all examples were read."""

    task: Task
    complete: bool


def _partial(config: Config) -> PartialSource | None:
    """Return the source if only a part of it is read; balancing needs the sizes of all classes."""
    limited = config.sample.limit is not None and not config.sample.balance
    return config.task if limited and isinstance(config.task, PartialSource) else None


def _whole(config: Config) -> _Whole:
    """Read a task, or a part from which the limit can be drawn."""
    source, limit = _partial(config), config.sample.limit
    if source is not None and limit is not None:
        return _Whole(*source.build_part(limit))
    return _Whole(sample(config.task.build(), None, config.sample.balance, config.seed), complete=True)


@dataclass(frozen=True)
class Shared:
    """Tasks that were read and models that were found, shared by runs that are prepared together.

    Models are digested when a digest is first used; runs that share the files of a model share its digests.
    """

    wholes: dict[str, tuple[_Whole, list[logging.LogRecord]]] = field(default_factory=dict)
    samples: dict[str, Task] = field(default_factory=dict)
    models: dict[ModelConfig, ModelFiles] = field(default_factory=dict)

    def tasks(self, config: Config) -> tuple[_Whole, Task]:
        """Return the whole task of a configuration and its sample; log lines of reading it are repeated."""
        limit, balance = config.sample.limit, config.sample.balance
        part = limit if _partial(config) else None
        key = json.dumps([as_plain(config.task), balance and config.seed, balance, part], default=repr)
        if key not in self.wholes:
            with kept_back() as records:
                self.wholes[key] = _whole(config), records
        whole, records = self.wholes[key]
        show(records)
        if limit is None:
            return whole, whole.task
        key += json.dumps([limit, config.seed])
        if key not in self.samples:
            self.samples[key] = sample(whole.task, limit, False, config.seed)
        return whole, self.samples[key]

    def files(self, model: ModelConfig) -> ModelFiles:
        """Return the files of a model."""
        if model not in self.models:
            self.models[model] = find_files(model)
        return self.models[model]


def prepare(config: Config, shared: Shared | None = None) -> Run:
    """Resolve a configuration: read the task, find the model, and check both; nothing is written.

    Args:
        config: The configuration.
        shared: Tasks and models of runs that were prepared before, to which those of this run are added.

    Raises:
        ProbingError: If the task or the model is invalid.
    """
    config.extract.check_device()
    asked = config.sample
    if shared is None:
        whole = _whole(config)
        task = sample(whole.task, asked.limit, False, config.seed)
    else:
        whole, task = shared.tasks(config)
    if whole.complete and len(task) == len(whole.task):  # no examples were left out, so this is the full run
        config = replace(config, sample=replace(asked, limit=None))
    spec = resolve(config, task, find=find_files if shared is None else shared.files)
    _caution(spec)
    return Run(spec)


def _caution(spec: RunSpec) -> None:
    """Warn about settings that are seldom intended, once for each requested run."""
    if spec.names["pooling"] == "first" and default_pooling(spec.files) == "last":
        log.warning(
            "pooling=first: in a causal model the first token sees only itself, so all heads of a "
            "key-value group have the same output there; use pooling=last or mean"
        )
    if spec.config.analysis.uses == "objective" and spec.methods.objective.name == "lm":
        log.warning(
            "objective=lm: scores are losses in nats of predicting the task's texts; the labels, metric and "
            "majority on the task's card are not used"
        )
