"""Preparation of a run: read the task, find the model, and warn about unusual settings."""

from __future__ import annotations

import logging
from dataclasses import replace

from probing.config.run_config import Config
from probing.models.family import default_pooling
from probing.runs.pipeline import Run, resolve
from probing.tasks.sampling import sample

log = logging.getLogger(__name__)


def prepare(config: Config) -> Run:
    """Resolve a configuration: read the task, find the model, and check both; nothing is written.

    Raises:
        ProbingError: If the task or the model is invalid.
    """
    config.extract.check_device()
    asked = config.sample
    whole = sample(config.task.build(), None, asked.balance, config.seed)
    task = sample(whole, asked.limit, False, config.seed)
    if len(task) == len(whole):  # no examples were left out, so this is the full run
        config = replace(config, sample=replace(asked, limit=None))
    run = resolve(config, task)
    _caution(run)
    return run


def _caution(run: Run) -> None:
    """Warn about settings that are seldom intended, once for each requested run."""
    if run.names["pooling"] == "first" and default_pooling(run.files) == "last":
        log.warning(
            "pooling=first: in a causal model the first token sees only itself, so all heads of a "
            "key-value group have the same output there; use pooling=last or mean"
        )
    if run.config.analysis.uses == "objective" and run.means.objective.name == "lm":
        log.warning(
            "objective=lm: scores are losses in nats of predicting the task's texts; the labels, metric and "
            "majority on the task's card are not used"
        )
