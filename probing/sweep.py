"""Sweeps: many runs from one command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig

from probing.choices import groups, is_glob, matching_choices, parse_glob
from probing.compose import plain_values
from probing.errors import ProbingError
from probing.models.checkpoints import matching_models
from probing.words import exact, quoted

# what a sweep as a whole depends on: where it writes, how jobs start, what an experiment sweeps over
_OF_ALL_JOBS = {"hydra", "paths", "experiment"}
MODEL_NAME = "model.name"

Plugins.instance()  # executes the modules of Hydra's own plugins anew, so theirs must be imported after
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: E402


class GlobSweeper(BasicSweeper):
    """Hydra's basic sweeper, for which `task=glob(grammar/*)` also looks into folders of a group.

    And `model.name=glob(runs/checkpoint-*)` into folders on disk.
    """

    def __init__(self, max_batch_size: int | None, params: Mapping[str, str] | None) -> None:
        """Expand the globs of an experiment's own sweep."""
        expanded = {group: expand(group, str(value)) for group, value in (params or {}).items()}
        super().__init__(max_batch_size, expanded)
        self._checked = False

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose every job of a batch and resolve its references, unless that has been done."""
        if self._checked:
            return
        assert self.hydra_context is not None
        assert self.config is not None
        for job in batch:
            plain_values(self.hydra_context.config_loader.load_sweep_config(self.config, list(job)))

    def sweep(self, arguments: list[str]) -> Any:  # noqa: ANN401
        """Run the product of all choices; every one is composed before anything is written.

        Raises:
            ProbingError: If there is nothing to run.
        """
        expanded = []
        for argument in arguments:
            group, equals, value = argument.partition("=")
            expanded.append(group + equals + expand(group, value))
        assert self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        parsed = parser.parse_overrides([*self._parse_config(), *expanded])
        batches = self.split_arguments(parsed, None)
        if not any(batches):
            raise ProbingError(f"{' '.join(arguments)}: a choice matches nothing, so there is no job to run")
        for batch in batches:
            self.validate_batch_is_legal(batch)
        self._checked = True
        return super().sweep(expanded)


def multirun(session: Hydra, job: Callable[[DictConfig], Any], overrides: list[str]) -> list[JobReturn]:
    """Run a sweep as Hydra does, with `GlobSweeper` in the place of its basic sweeper.

    Returns:
        What Hydra says of every job, in order.
    """
    # task.path=... is of the tasks that are swept over, not of the default one; every job composes it
    own = [override for override in overrides if _root(override) in _OF_ALL_JOBS]
    config = session.compose_config("config", own, RunMode.MULTIRUN, with_log_configuration=False)
    context = HydraContext(config_loader=session.config_loader, callbacks=Callbacks(config))
    sweeper: Sweeper
    if config.hydra.sweeper._target_.endswith(".BasicSweeper"):
        sweeper = GlobSweeper(config.hydra.sweeper.max_batch_size, config.hydra.sweeper.params)
        sweeper.setup(config=config, hydra_context=context, task_function=job)
    else:
        sweeper = Plugins.instance().instantiate_sweeper(
            config=config, hydra_context=context, task_function=job
        )
    batches = sweeper.sweep([override for override in overrides if _root(override) != "hydra"]) or []
    return [result for batch in batches for result in batch]


def _root(override: str) -> str:
    """The group or first key that an override is about."""
    return re.split(r"[.=/@:]", override.lstrip("+~"), maxsplit=1)[0]


def expand(key: str, value: str) -> str:
    """Replace glob(...) by what it matches, between commas: choices of a config group, or model folders.

    Hydra's own glob looks into the top folder of a group only.

    Args:
        key: A config group, or `model.name`, whose folders come in the order of their training steps.
        value: Anything; what is no glob is left as it is.

    Raises:
        ProbingError: If it matches none.
    """
    if is_glob(value) and key == MODEL_NAME:
        glob = parse_glob(key, _quoted_inside(value.strip()))
        return ",".join(map(exact, matching_models(glob.include, glob.exclude)))
    return ",".join(matching_choices(key, value)) if is_glob(value) and key in groups() else value


def _quoted_inside(value: str) -> str:
    """One pattern without quotes, whatever characters of a path it has."""
    inside = value.removeprefix("glob(").removesuffix(")")
    several = set(inside) & set(",'\"") or re.match(r"\s*(include|exclude)\s*=", inside)
    return value if several else f"glob({quoted(inside)})"
