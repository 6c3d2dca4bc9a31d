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
from omegaconf import DictConfig, open_dict

from probing.config.choices import groups, is_glob, matching_choices, parse_glob
from probing.config.compose import composing, plain_values
from probing.config.convert import make
from probing.config.overrides import root_of
from probing.config.quoting import exact, quoted
from probing.config.run_config import PathsConfig, build_config
from probing.errors import ProbingError
from probing.io.files import local
from probing.models.checkpoints import matching_models

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
        """Compose every job of a batch and resolve its references, unless that has been done.

        Raises:
            ProbingError: If that fails for one job, or none of them has a configuration that can be used.
        """
        if self._checked:
            return
        problems = [_problem(self._composed(job)) for job in batch]
        if problems and problems[0] is not None and None not in problems:
            raise problems[0]

    def _composed(self, job: Sequence[str]) -> DictConfig:
        """The configuration of a job, as it will be when it is launched."""
        assert self.hydra_context is not None
        assert self.config is not None
        with composing():
            config = self.hydra_context.config_loader.load_sweep_config(self.config, list(job))
            with open_dict(config):
                config.hydra.job.num, config.hydra.job.id = 0, "0"
            _ = config.hydra.sweep.subdir
        unswept = set(config.hydra.sweeper.params or ()) - {override.partition("=")[0] for override in job}
        if unswept:
            raise ProbingError(
                f"{' '.join(job)}: the experiment is a sweep over {min(unswept)} itself; run one at a time"
            )
        return config

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
    own = [override for override in overrides if root_of(override) in _OF_ALL_JOBS]
    with composing():
        config = session.compose_config("config", own, RunMode.MULTIRUN, with_log_configuration=False)
    make(PathsConfig, {"root": str(config.paths.root)}, "paths")  # before anything is written there
    local(str(config.hydra.sweep.dir), "hydra.sweep.dir")
    context = HydraContext(config_loader=session.config_loader, callbacks=Callbacks(config))
    with composing():
        sweeper = _sweeper(config, context, job)
    batches = sweeper.sweep([override for override in overrides if root_of(override) != "hydra"]) or []
    return [result for batch in batches for result in batch]


def _sweeper(config: DictConfig, context: HydraContext, job: Callable[[DictConfig], Any]) -> Sweeper:
    chosen = config.hydra.sweeper
    if not chosen._target_.endswith(".BasicSweeper"):
        return Plugins.instance().instantiate_sweeper(config=config, hydra_context=context, task_function=job)
    if chosen.max_batch_size is not None and chosen.max_batch_size < 1:
        raise ProbingError(f"hydra.sweeper.max_batch_size is {chosen.max_batch_size}; give 1 or more")
    sweeper = GlobSweeper(chosen.max_batch_size, chosen.params)
    sweeper.setup(config=config, hydra_context=context, task_function=job)
    return sweeper


def _problem(config: DictConfig) -> ProbingError | None:
    """The error in the configuration of one job; other jobs go on."""
    values = plain_values(config)
    try:
        build_config(values)
    except ProbingError as error:
        return error
    return None


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
