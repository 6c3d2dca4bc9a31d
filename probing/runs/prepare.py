"""Preparation of a run: read the task, find the model, and warn about unusual settings."""

from __future__ import annotations

import logging
from dataclasses import replace

from probing.config.run_config import Config, SampleConfig
from probing.models.family import default_pooling
from probing.runs.pipeline import Run
from probing.runs.resolve import resolve
from probing.runs.spec import RunSpec
from probing.tasks.sampling import sample
from probing.tasks.task import PartialSource, Task, TaskSource

log = logging.getLogger(__name__)


def prepare(config: Config) -> Run:
    """Resolve a configuration: read the task, find the model, and check both; nothing is written.

    Raises:
        ProbingError: If the task or the model is invalid.
    """
    config.extract.check_device()
    asked = config.sample
    read, complete = _read(config.task, asked)
    whole = sample(read, None, asked.balance, config.seed)
    task = sample(whole, asked.limit, False, config.seed)
    if complete and len(task) == len(whole):  # no examples were left out, so this is the full run
        config = replace(config, sample=replace(asked, limit=None))
    spec = resolve(config, task)
    _caution(spec)
    return Run(spec)


def _read(source: TaskSource, wanted: SampleConfig) -> tuple[Task, bool]:
    """Read the task, or a part from which the limit can be drawn, and return whether it is complete."""
    # balancing needs the sizes of all classes
    if isinstance(source, PartialSource) and wanted.limit is not None and not wanted.balance:
        return source.build_part(wanted.limit)
    return source.build(), True


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
