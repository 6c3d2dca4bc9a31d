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
from probing.tasks.task import Task

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shared:
    """Tasks that were read and models that were found, shared by runs that are prepared together.

    Models are digested when a digest is first used; runs that share the files of a model share its digests.
    """

    wholes: dict[str, tuple[Task, list[logging.LogRecord]]] = field(default_factory=dict)
    samples: dict[str, Task] = field(default_factory=dict)
    models: dict[ModelConfig, ModelFiles] = field(default_factory=dict)

    def tasks(self, config: Config) -> tuple[Task, Task]:
        """Return the whole task of a configuration and its sample; log lines of reading it are repeated."""
        asked = config.sample
        key = json.dumps([as_plain(config.task), asked.balance and config.seed, asked.balance], default=repr)
        if key not in self.wholes:
            with kept_back() as records:
                self.wholes[key] = sample(config.task.build(), None, asked.balance, config.seed), records
        whole, records = self.wholes[key]
        show(records)
        if asked.limit is None:
            return whole, whole
        key += json.dumps([asked.limit, config.seed])
        if key not in self.samples:
            self.samples[key] = sample(whole, asked.limit, False, config.seed)
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
        whole = sample(config.task.build(), None, asked.balance, config.seed)
        task = sample(whole, asked.limit, False, config.seed)
    else:
        whole, task = shared.tasks(config)
    if len(task) == len(whole):  # no examples were left out, so this is the full run
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
