"""One run, from the command line and from Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from probing.config.compose import (
    compose_config,
    plain_values,
    run_folder,
    swept_by_experiment,
)
from probing.config.overrides import kept
from probing.config.run_config import Config, build_config
from probing.errors import ProbingError, explained
from probing.io.log import log_to_terminal
from probing.runs.execute import execute
from probing.runs.folder import new_run_folder
from probing.runs.prepare import prepare
from probing.validation.arguments import checked


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
                return execute(start, values, folder)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise ProbingError(explained(error)) from error


def _with_data(config: Config, data: pd.DataFrame) -> Config:
    from probing.datasets.table import TableTask

    if not isinstance(config.task, TableTask):
        raise ProbingError(f"data= needs task=table, but the task is {config.task.name}")
    return replace(config, task=replace(config.task, frame=data))
