"""One run, from the command line and from Python."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import pandas as pd

from probing.config.choices import having
from probing.config.compose import (
    compose_config,
    plain_values,
    run_folder,
    swept_by_experiment,
)
from probing.config.given import as_overrides
from probing.config.overrides import kept, root_of
from probing.config.quoting import exact
from probing.config.run_config import Config, SampleConfig, build_config
from probing.errors import ProbingError, explained
from probing.io.log import log_to_terminal, showing
from probing.runs.execute import execute
from probing.runs.folder import new_run_folder
from probing.runs.prepare import prepare
from probing.validation.arguments import checked
from probing.validation.suggestions import suggest

Overrides = str | Mapping[str, object] | Sequence[str | Mapping[str, object]]
OPTIONS = (*(field.name for field in fields(Config) if field.name != "sample"), "experiment")
"""Names of options and groups at the top of a configuration."""
_OBJECTS = ("data", "tokenizer", "quiet")
_OF_SAMPLES = [field.name for field in fields(SampleConfig)]


@checked()
def run(
    overrides: Overrides = (),
    *,
    data: pd.DataFrame | None = None,
    model: object = None,
    tokenizer: object = None,
    quiet: bool = False,
    **options: object,
) -> pd.DataFrame:
    """Run one experiment, print its grid and draw it, as the command `probing` does.

    Options are given as on the command line, as a dict, or as keyword arguments. Later ones take precedence.
    `run("task=grammar/tense")`, `run({"task": "grammar/tense"})` and `run(task="grammar/tense")` are the same
    run. `run(extract={"device": "cpu"})` sets `extract.device=cpu`. To choose a task and set its
    keys, give the choice first: `run("task=table", task={"path": "reviews.csv", "text": "review"})`.

    Args:
        overrides: Overrides as on the command line, `["model=minilm", "task.limit=200"]`, a dict of options,
            or a list of both.
        data: Your own examples for `task=table`, one per row; `task.text` and `task.label` name columns.
        model: A model in memory, any transformers PreTrainedModel, on any device; or the option `model`. A
            model in memory is saved once, below `paths.root` in `models/given`, and is not changed. The
            option `**{"model.label": "mine"}` names it in results.
        tokenizer: Tokenizer of the model in memory. The default is the tokenizer in the folder that the model
            was loaded from.
        quiet: Whether to print results only, without progress and log, as `probing --quiet` does.
        **options: Options by name. Those of a group are a dict: `task={"limit": 200}`.

    Returns:
        The tidy rows of the run, as `load_results` returns them.

    Raises:
        ProbingError: If the configuration, the data or the model is invalid, or a file cannot be written;
            then no run folder is left behind.

    Example:
        >>> import probing
        >>> frame = probing.run(task="grammar/tense", pooling="mean")  # doctest: +SKIP
        >>> probing.grid(frame)  # doctest: +SKIP
        >>> frame = probing.run(model=model, tokenizer=tokenizer, task="grammar/tense")  # doctest: +SKIP
    """
    given = given_overrides(overrides, options, model)
    with showing(logging.ERROR if quiet else None), log_to_terminal():
        return _run(with_model(given, model, tokenizer), data)


def given_overrides(
    overrides: Overrides, options: Mapping[str, object], model: object, call: str = "run"
) -> list[str]:
    """Return the options of a call as override strings, and refuse names that are not options.

    Args:
        overrides: Overrides as strings and dicts.
        options: Options by name.
        model: A model in memory, which is not an option; or the option `model`.
        call: Name of the call, for messages.

    Raises:
        ProbingError: If there is no such option.
    """
    positional = [overrides] if isinstance(overrides, str) else overrides
    named = {**({} if model is None or not is_option(model) else {"model": model}), **options}
    dicts = [positional] if isinstance(positional, Mapping) else positional
    for name in [key for each in (*dicts, named) if isinstance(each, Mapping) for key in map(str, each)]:
        if root_of(name) not in (*OPTIONS, "hydra"):
            groups = ["task"] if name in _OF_SAMPLES else having(name)
            inside = " or ".join(f'{group}={{"{name}": ...}}' for group in groups)
            hint = f"did you mean {inside}?" if inside else suggest(root_of(name), [*OPTIONS, *_OBJECTS])
            raise ProbingError(f"{call} has no {name}=; {hint}")
    return as_overrides(positional, named)


def is_option(model: object) -> bool:
    """Return whether a model is given as an option or not at all, and not as an object in memory."""
    return model is None or isinstance(model, str | Mapping)


def with_model(overrides: Sequence[str], model: object, tokenizer: object, call: str = "run") -> list[str]:
    """Save a model in memory, and return the overrides together with those that name its folder.

    Args:
        overrides: Overrides of the call.
        model: A model in memory; anything that is an option is among the overrides already.
        tokenizer: Its tokenizer, or None.
        call: Name of the call, for messages.

    Raises:
        ProbingError: If there is a tokenizer without a model, two models, or a model that cannot be saved.
    """
    if is_option(model):
        if tokenizer is not None:
            raise ProbingError(
                f"{call}: tokenizer belongs to a model in memory; pass model=... too, or leave it out"
            )
        return list(overrides)
    named = next((each for each in overrides if _key(each) in ("model", "model.name")), None)
    if named is not None:
        raise ProbingError(f"{call}: {named} names a second model; leave it out, or pass no model=")
    from probing.models.in_memory import label_of, save_in_memory

    found = ["model=hf", *overrides]
    # before anything is written
    config = build_config(plain_values(compose_config([*found, "model.name=."])))
    try:
        folder = save_in_memory(model, tokenizer, config.paths.models / "given")
    except OSError as error:
        raise ProbingError(explained(error)) from error
    if not any(_key(each) == "model.label" for each in overrides):
        found.append(f"model.label={exact(label_of(model, folder))}")
    return [*found, f"model.name={exact(str(folder.absolute()))}"]


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def _run(overrides: Sequence[str], data: pd.DataFrame | None) -> pd.DataFrame:
    composed = compose_config(overrides)
    if swept_by_experiment(composed):
        given = " ".join(overrides)
        raise ProbingError(f"{given} is a sweep; add -m, as in probing -m {given}")
    values = plain_values(composed)
    config = build_config(values)  # before the run's folder, which is usually in paths.root
    planned = run_folder(composed)
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
