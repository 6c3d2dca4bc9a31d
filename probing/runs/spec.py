"""The run spec: a configuration with its task read and its model found, and the names derived from them."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from probing.analyses.analysis import Analysis, Methods
from probing.config.run_config import BaselineConfig, Config, baseline_title, title
from probing.models.model_files import ModelFiles
from probing.objectives.auto import Auto, suitable
from probing.objectives.saved import with_saved_head
from probing.representations.request import Request
from probing.results.schema import COMPUTED
from probing.results.store import ResultStore
from probing.runs.outside import outside_code
from probing.tasks.card import TaskCard
from probing.tasks.card import card as make_card
from probing.tasks.control import control_task, permuted_task
from probing.tasks.task import Task
from probing.validation.shortened import shortened


@dataclass(frozen=True)
class RunSpec:
    """One experiment with everything resolved but nothing computed.

    Attributes:
        config: The configuration.
        sampled: The task with its own labels.
        task: The task as it is analysed, with the labels of a baseline if there is one.
        files: Files of the model.
        request: Request for the vectors.
    """

    config: Config
    sampled: Task
    task: Task
    files: ModelFiles
    request: Request

    def __repr__(self) -> str:
        """Return the names of the run, and the key of its result."""
        shown = ("analysis", "model", "task", "granularity", "probe", "objective", "baseline")
        named = [
            shortened(str(self.names[name])) for name in shown if self.names.get(name) not in (None, "none")
        ]
        return f"RunSpec({' | '.join(named)}; key {self.key})"

    @property
    def names(self) -> dict[str, object]:
        """Columns that name the rows of the result."""
        uses = self.config.analysis.uses
        pools = uses == "probe" or (uses == "objective" and self.methods.objective.pools)
        of_objective = {"objective": title(self.methods.objective)} if uses == "objective" else {}
        return {
            "analysis": self.config.analysis.name,
            **_plugin(self.config.analysis),
            # a randomly initialised model is filed under the name of its trained model
            "model": replace(self.files, config=self.config.model).title,
            "step": self.config.model.step,
            "task": self.task.name,
            "granularity": self.config.granularity.unit,
            "pooling": self.request.pooling if pools else None,
            "probe": title(self.config.probe) if uses == "probe" else None,
            **of_objective,
            "seed": self.config.seed,
            "baseline": baseline_title(self.config.baseline),
        }

    @cached_property
    def methods(self) -> Methods:
        """Methods of the analysis; if no objective is named, the one that suits the model."""
        objective = self.config.objective
        chosen = suitable(self.files) if isinstance(objective, Auto) else objective
        chosen = with_saved_head(chosen, self.files)
        return Methods(self.config.probe, chosen, self.config.granularity)

    @cached_property
    def key(self) -> str:
        """Digest of everything that the result depends on, including the names in its rows."""
        content = {
            "schema": COMPUTED,
            "names": self.names,
            "request": json.loads(self.request.as_json()),
            "granularity": self.config.granularity.used,
            "baseline": asdict(self.config.baseline),
            "task": self.task.digest,
            **self.config.analysis.depends_on(self.methods),
        }
        if self.code:  # the name of outside code does not determine its results
            content["code"] = self.code
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @cached_property
    def code(self) -> list[list[str]]:
        """Classes from outside the package that the result depends on, with digests of their source."""
        config = self.config
        return outside_code(config.analysis, config.probe, config.task, self.task, self.methods.objective)

    @cached_property
    def setup(self) -> str:
        """Digest of everything that a result shares with its baselines: examples, labels, reading, code."""
        request = self.request
        pooling = None if request.statistic else request.pooling
        read = (pooling, request.max_length, request.dtype, request.kept_as)
        content = (self.sampled.digest, *read, *self.code, *self._beside_stack)
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:8]

    @property
    def _beside_stack(self) -> list[dict[str, Any]]:
        """The settings that runs of several stacks share, for an analysis that can read a stack."""
        analysis: Any = self.config.analysis
        if not hasattr(analysis, "stack"):
            return []
        return [{name: value for name, value in asdict(analysis).items() if name != "stack"}]

    @cached_property
    def card(self) -> TaskCard:
        """Contents of the task."""
        return make_card(self.task)

    @property
    def store(self) -> ResultStore:
        """Store of the result."""
        named_by = ["model", "task", "granularity", "pooling", "probe", "objective"]
        named_by += [] if self.config.baseline.kind == "none" else ["baseline"]
        named_by += [] if self.config.analysis.uses == "probe" else ["analysis"]
        parts = [str(self.names[name]) for name in named_by if self.names.get(name)]
        return ResultStore(self.config.paths.results, self.key, ".".join(parts))


def _plugin(analysis: Analysis) -> dict[str, object]:
    """Return the module, with the finding, of an analysis from outside the package."""
    modules = [kind.__module__ for kind in type(analysis).__mro__]
    module = next((name for name in modules if hasattr(sys.modules.get(name), "FINDING")), modules[0])
    return {} if module == f"probing.analyses.{analysis.name}" else {"plugin": module}


def baseline_task(task: Task, baseline: BaselineConfig, seed: int) -> Task:
    """Return the task with the labels of a baseline, if the baseline has its own.

    Raises:
        ProbingError: If the task cannot have such labels.
    """
    if baseline.kind == "control":
        return control_task(task, baseline.by, baseline.draw)
    return permuted_task(task, baseline.draw, seed) if baseline.kind == "permuted" else task
