"""One run or a sweep, from the command line and from Python."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from probing.config.compose import (
    compose_config,
    hydra_session,
    plain_values,
    run_folder,
    swept_by_experiment,
)
from probing.config.overrides import kept
from probing.config.run_config import Config, build_config
from probing.config.sweep import multirun
from probing.config.typed import as_typed
from probing.errors import ProbingError, explained
from probing.io.files import replace_file
from probing.io.log import LOG, log_to_file, log_to_terminal
from probing.io.yaml import as_yaml
from probing.runs.console import Outcome, finish, present
from probing.runs.folder import CARD, CONFIG, marked, new_run_folder
from probing.runs.pipeline import Run
from probing.runs.prepare import prepare
from probing.tasks.card_text import card_text
from probing.validation.arguments import checked

log = logging.getLogger(__name__)


@checked()
def run(overrides: Sequence[str] = (), *, data: pd.DataFrame | None = None) -> pd.DataFrame:
    """Run one experiment, print its grid and draw it, as the command `probing` does.

    Args:
        overrides: Overrides as on the command line: `["model=minilm", "task=grammar/tense"]`.
        data: Your own examples for `task=table`, one per row; `task.text` and `task.label` name columns.

    Returns:
        The tidy rows of the run, as `load_results` returns them.

    Raises:
        ProbingError: If the configuration, the data or the model is invalid, or a file cannot be written;
            then no run folder is left behind.

    Example:
        >>> import probing
        >>> frame = probing.run(["model=minilm", "task=grammar/tense"])  # doctest: +SKIP
        >>> probing.grid(frame)  # doctest: +SKIP
    """
    composed = compose_config(overrides)
    if swept_by_experiment(composed):
        raise ProbingError(f"{' '.join(overrides)} is a sweep; run it with: probing -m {' '.join(overrides)}")
    values = plain_values(composed)
    config = build_config(values)  # before the run's folder, which is usually in paths.root
    planned = run_folder(composed)
    with log_to_terminal():
        start = prepare(config if data is None else _with_data(config, data))
        if data is None:  # overrides cannot describe a frame
            start = replace(start, overrides=kept(overrides))
        try:
            with new_run_folder(planned, config.paths.root) as folder:
                return _execute(start, values, folder)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise ProbingError(explained(error)) from error


def _with_data(config: Config, data: pd.DataFrame) -> Config:
    from probing.datasets.table import TableTask

    if not isinstance(config.task, TableTask):
        raise ProbingError(f"data= needs task=table, but the task is {config.task.name}")
    return replace(config, task=replace(config.task, frame=data))


def run_sweep(overrides: Sequence[str]) -> list[Outcome]:
    """Run all combinations of a sweep; a failing job does not stop the others.

    Returns:
        The outcomes, in the order of the jobs.

    Raises:
        ProbingError: If one of the combinations cannot be composed. Then none is run.
    """
    with hydra_session() as session:
        assert session.hydra is not None
        jobs = multirun(session.hydra, _job, as_typed(overrides, swept=True))
        outcomes: list[Outcome] = [job.return_value for job in jobs]
    if outcomes:
        finish(outcomes)
    return outcomes


def _job(composed: DictConfig) -> Outcome:
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    title = " ".join(hydra.overrides.task)
    with log_to_file(folder / LOG):
        log.info("[%s] %s", hydra.job.num, title)
        try:
            values = plain_values(composed)
            given = kept([*hydra.overrides.hydra, *hydra.overrides.task])
            start = replace(prepare(build_config(values)), overrides=given)
            with marked(folder, start.config.paths.root):
                frame = _execute(start, values, folder)
            return Outcome(title, folder, frame, order=start.config.figure.order)
        except BrokenPipeError:  # the reader of the output has gone, so no other job needs to start
            raise
        except (ProbingError, OSError) as error:
            problem = explained(error) if isinstance(error, OSError) else str(error)
            log.debug("%s", traceback.format_exc())
            log.error("failed: %s", problem)
            return Outcome(title, folder, problem=problem)
        except Exception as error:
            log.error("failed: %s", traceback.format_exc())
            return Outcome(title, folder, problem=f"{type(error).__name__}: {error}", ours=True)


def _execute(start: Run, values: dict[str, Any], folder: Path) -> pd.DataFrame:
    """Run in an existing folder: write the log and configuration, print the grid, write table and picture."""
    with log_to_file(folder / LOG):
        log.info("%s", " | ".join(str(start.spec.names[name]) for name in ("model", "task", "granularity")))
        for name, content in ((CONFIG, values), (CARD, start.spec.card.as_dict())):
            replace_file(folder / name, as_yaml(content).encode())
        log.info("%s", card_text(start.spec.card))
        log.debug("folder of the run: %s", folder)
        log.debug("file of the result: %s", start.spec.store.path)
        log.debug("configuration:\n%s", as_yaml(values))
        frame = start()
        present(start, frame, folder)
    return frame
