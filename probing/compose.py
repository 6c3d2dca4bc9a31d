"""Composing configurations with Hydra, and saying in one line what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import ConfigCompositionException, HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from probing.convert import suggest
from probing.errors import ProbingError

VERSION_BASE = "1.3"


def conf_folder() -> Path:
    """The folder of config groups: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if (inside / "config.yaml").is_file() else package.parent / "conf"


@contextmanager
def hydra_session() -> Iterator[GlobalHydra]:
    """Hydra, looking for configurations in `conf_folder`; errors come out as one-line ProbingErrors."""
    GlobalHydra.instance().clear()
    try:
        with initialize_config_dir(str(conf_folder()), version_base=VERSION_BASE, job_name="probing"):
            yield GlobalHydra.instance()
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ProbingError(explain(error)) from error


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """Compose one configuration, Hydra's own part included.

    Raises:
        ProbingError: If a group, a choice or a key does not exist, or a value is missing.
    """
    with hydra_session():
        return compose("config", overrides=tidy(overrides), return_hydra_config=True)


def tidy(overrides: Sequence[str]) -> list[str]:
    """Paths as people type them: ~ is the home folder, and a space needs no quotes within quotes."""
    tidied = []
    for override in overrides:
        key, equals, value = override.partition("=")
        if value.startswith("~"):
            value = str(Path(value).expanduser())
        if " " in value and not set(value) & set("'\"[]{}(),\\"):
            value = f"'{value}'"
        tidied.append(key + equals + value)
    return tidied


def plain_values(config: DictConfig) -> dict[str, Any]:
    """The composed configuration without Hydra's part, as plain containers with every reference resolved.

    Raises:
        ProbingError: If a mandatory value is not set; the message names its key.
    """
    own = _own_part(config)
    missing = sorted(OmegaConf.missing_keys(own))
    if missing:
        raise ProbingError(f"{missing[0]} is not set; give {missing[0]}=... on the command line")
    values = OmegaConf.to_container(own, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def composed_yaml(overrides: Sequence[str]) -> str:
    """The composed configuration as YAML, without Hydra's part; what `probing --cfg` prints."""
    composed = compose_config(overrides)
    return OmegaConf.to_yaml(
        OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])
    )


def _own_part(config: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])


def explain(error: Exception) -> str:
    """One line for an error of Hydra's: what is wrong, and what there is instead."""
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, wanted = str(error.missing_cfg_file).partition("/")
        if group not in groups():
            return f"there is no {group}/{wanted}; {suggest(wanted, list(error.options))}"
        return f"there is no {group}={wanted}; {suggest(wanted, choices(group) or list(error.options))}"
    text = str(error)
    if isinstance(error, ConfigCompositionException):
        key = re.search(r"Could not override '([^']+)'", text)
        if key:
            return f"unknown option {key[1]}; see probing --help, and probing --cfg for all keys"
        group_name = re.search(r"No match in the defaults list for '([^']+)'", text)
        if group_name:
            return f"unknown config group {group_name[1]}; {suggest(group_name[1], groups())}"
    swept = re.search(r"(?:Sweep parameters|Ambiguous value for argument) '(.+?)'(?: requires|\n|$)", text)
    if swept:
        return f"{swept[1]} is a sweep; run it with: probing -m"
    if "LexerNoViableAlt" in text:
        text = f"cannot be read: {text.partition(':')[2].strip()}; put the value in quotes within quotes"
    return re.sub(r"\s+", " ", text.strip().splitlines()[0] if text.strip() else type(error).__name__)


def groups() -> list[str]:
    """The config groups."""
    return sorted(path.name for path in conf_folder().iterdir() if path.is_dir())


def choices(group: str) -> list[str]:
    """The choices of a group, `grammar/tense` for one in a folder of its own."""
    folder = conf_folder() / group
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))
