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
from probing.config.run_config import Config, PathsConfig, build_config
from probing.errors import ProbingError
from probing.io.files import local
from probing.models.checkpoints import matching_models

# options of a sweep as a whole: its folders, how jobs start, and the values that an experiment sweeps over
_OF_ALL_JOBS = {"hydra", "paths", "experiment"}
MODEL_NAME = "model.name"
Before = Callable[[Sequence[Config | None]], object]

Plugins.instance()  # executes the modules of Hydra's plugins again, so they must be imported afterwards
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper  # noqa: E402


class GlobSweeper(BasicSweeper):
    """Hydra's basic sweeper with globs that reach into the subfolders of a group, as `task=glob(grammar/*)`.

    `model.name=glob(runs/checkpoint-*)` matches folders on disk.
    """

    def __init__(
        self, max_batch_size: int | None, params: Mapping[str, str] | None, before: Before | None = None
    ) -> None:
        """Expand the globs of an experiment's own sweep.

        Args:
            max_batch_size: Maximum number of jobs that are launched together; None launches all.
            params: Values that an experiment sweeps over.
            before: Called before the first job starts, with the configuration of every job, or None for one
                that is invalid.
        """
        expanded = {group: expand(group, str(value)) for group, value in (params or {}).items()}
        super().__init__(max_batch_size, expanded)
        self._before = before
        self._built: list[Config | ProbingError] | None = None

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose every job and resolve its references; the second call, before the first launch, does not.

        Raises:
            ProbingError: If this fails for one job, or no job has a valid configuration.
        """
        if self._built is None:
            self._built = [_built(self._composed(job)) for job in batch]
            problems = [each for each in self._built if isinstance(each, ProbingError)]
            if problems and len(problems) == len(self._built):
                raise problems[0]
        elif self._before is not None:
            self._before([None if isinstance(each, ProbingError) else each for each in self._built])
            self._before = None

    def _composed(self, job: Sequence[str]) -> DictConfig:
        """Return the configuration of a job as it will be at launch."""
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
                f"{' '.join(job)}: the experiment already sweeps over {min(unswept)}; run one at a time"
            )
        return config

    def sweep(self, arguments: list[str]) -> Any:  # noqa: ANN401
        """Run the product of all choices; every job is composed before anything is written.

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
        self.validate_batch_is_legal([job for batch in batches for job in batch])
        return super().sweep(expanded)


def multirun(
    session: Hydra, job: Callable[[DictConfig], Any], overrides: list[str], before: Before | None = None
) -> list[JobReturn]:
    """Run a sweep as Hydra does, with `GlobSweeper` instead of its basic sweeper.

    Args:
        session: Hydra, initialised.
        job: Function that runs one job.
        overrides: Overrides as Hydra reads them.
        before: Called before the first job starts, with the configuration of every job, or None for one that
            is invalid. Other sweepers, which choose jobs as they go, do not call it.

    Returns:
        Hydra's return value of every job, in order.
    """
    # task.path=... belongs to the tasks that are swept over, not to the default one; every job composes it
    own = [override for override in overrides if root_of(override) in _OF_ALL_JOBS]
    with composing():
        config = session.compose_config("config", own, RunMode.MULTIRUN, with_log_configuration=False)
    make(PathsConfig, {"root": str(config.paths.root)}, "paths")  # before anything is written there
    local(str(config.hydra.sweep.dir), "hydra.sweep.dir")
    context = HydraContext(config_loader=session.config_loader, callbacks=Callbacks(config))
    with composing():
        sweeper = _sweeper(config, context, job, before)
    batches = sweeper.sweep([override for override in overrides if root_of(override) != "hydra"]) or []
    return [result for batch in batches for result in batch]


def _sweeper(
    config: DictConfig, context: HydraContext, job: Callable[[DictConfig], Any], before: Before | None
) -> Sweeper:
    chosen = config.hydra.sweeper
    if not chosen._target_.endswith(".BasicSweeper"):
        return Plugins.instance().instantiate_sweeper(config=config, hydra_context=context, task_function=job)
    if chosen.max_batch_size is not None and chosen.max_batch_size < 1:
        raise ProbingError(f"hydra.sweeper.max_batch_size is {chosen.max_batch_size}; give 1 or more")
    sweeper = GlobSweeper(chosen.max_batch_size, chosen.params, before)
    sweeper.setup(config=config, hydra_context=context, task_function=job)
    return sweeper


def _built(config: DictConfig) -> Config | ProbingError:
    """Return the configuration of one job, or the error in it; other jobs continue."""
    values = plain_values(config)
    try:
        return build_config(values)
    except ProbingError as error:
        return error


def expand(key: str, value: str) -> str:
    """Replace glob(...) by its matches, separated by commas: choices of a config group, or model folders.

    Hydra's own glob searches only the top folder of a group.

    Args:
        key: A config group, or `model.name`, whose folders are sorted by training step.
        value: Any value; a value without a glob is returned unchanged.

    Raises:
        ProbingError: If nothing matches.
    """
    if is_glob(value) and key == MODEL_NAME:
        glob = parse_glob(key, _quoted_inside(value.strip()))
        return ",".join(map(exact, matching_models(glob.include, glob.exclude)))
    return ",".join(matching_choices(key, value)) if is_glob(value) and key in groups() else value


def _quoted_inside(value: str) -> str:
    """Return one pattern without quotes, which may contain any character of a path."""
    inside = value.removeprefix("glob(").removesuffix(")")
    several = set(inside) & set(",'\"") or re.match(r"\s*(include|exclude)\s*=", inside)
    return value if several else f"glob({quoted(inside)})"
