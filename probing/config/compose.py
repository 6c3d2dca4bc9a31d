"""Composition of configurations with Hydra, with errors in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from probing.config.choices import conf_folder
from probing.config.explain import explain
from probing.config.quoting import unquoted
from probing.config.typed import as_typed
from probing.errors import ProbingError
from probing.io.files import expanded, local
from probing.validation.suggestions import suggest

VERSION_BASE = "1.3"


@contextmanager
def hydra_session() -> Iterator[GlobalHydra]:
    """Initialise Hydra with configurations from `conf_folder`; errors become one-line ProbingErrors."""
    GlobalHydra.instance().clear()
    place = str(conf_folder())
    with _explained(), initialize_config_dir(place, version_base=VERSION_BASE, job_name="probing"):
        yield GlobalHydra.instance()


@contextmanager
def composing() -> Iterator[None]:
    """Report any error that Hydra raises on a user's words in one line; use it within `hydra_session`."""
    try:
        yield
    except (ProbingError, HydraException, OmegaConfBaseException):
        raise  # explained by the session
    except Exception as error:  # odd keys of hydra raise AssertionError, RuntimeError, ...
        raise ProbingError(f"{explain(error)}; check the options for hydra") from error


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise ProbingError(explain(error)) from error


def compose_config(overrides: Sequence[str]) -> DictConfig:
    """Compose one configuration, Hydra's own part included.

    Raises:
        ProbingError: If a group, a choice or a key does not exist, or a value is missing.
    """
    with hydra_session():
        typed = as_typed(overrides)
        with composing():
            return compose("config", overrides=typed, return_hydra_config=True)


def plain_values(config: DictConfig) -> dict[str, Any]:
    """Return the composed configuration without Hydra's part, as plain containers with resolved references.

    Raises:
        ProbingError: If a mandatory value is not set, or a reference cannot be resolved; the message names
            its key.
    """
    own = _own_part(config)
    with _explained():
        missing = sorted(OmegaConf.missing_keys(own))
    if missing:
        raise ProbingError(f"{missing[0]} is not set; give {missing[0]}=... on the command line")
    with _explained():
        values = OmegaConf.to_container(own, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def run_folder(config: DictConfig) -> Path:
    """Return the folder of a run, `hydra.run.dir`.

    Raises:
        ProbingError: If it contains an invalid reference, or is not a local path.
    """
    with _explained():
        folder = OmegaConf.select(config, "hydra.run.dir")
    if not isinstance(folder, str) or not folder:
        raise ProbingError(f"hydra.run.dir is {folder!r}; give a folder")
    return local(folder, "hydra.run.dir")


def swept_by_experiment(config: DictConfig) -> bool:
    """Return whether a choice in conf/experiment names several runs, and the overrides do not select one."""
    with _explained():
        swept = OmegaConf.select(config, "hydra.sweeper.params") or {}
    # as they were typed, since an override may contain an invalid reference
    typed = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    assert isinstance(typed, list)
    given = {str(override).lstrip("+").partition("=")[0] for override in typed}
    return not given.issuperset(swept)


def path_as_run(value: str, key: str = "paths.root") -> Path:
    """Return a path as a run reads it: with ~, references, and quotes within quotes resolved.

    Raises:
        ProbingError: If it contains an invalid reference, or is not a path.
    """
    with _explained():
        text = unquoted(value)
        made = OmegaConf.to_container(OmegaConf.create({key: text}), resolve=True)
    found = made[key] if isinstance(made, dict) else None
    if value == "null" or not isinstance(found, str) or not found:
        raise ProbingError(f"{key}={value} is not a path; give a folder")
    return expanded(local(found, key))


def composed_yaml(
    overrides: Sequence[str], part: str = "job", package: str = "", *, resolve: bool = False
) -> str:
    """Return the composed configuration as YAML, as `probing --cfg` prints it.

    Args:
        overrides: Overrides as on the command line.
        part: `job` is the configuration of the run, `hydra` that of Hydra, and `all` is both.
        package: Key of the part to return, such as `task`; "" returns everything.
        resolve: Whether to replace references by their values.

    Raises:
        ProbingError: If a group, a choice, a key or the package does not exist, or a reference is invalid.
    """
    composed = compose_config(overrides)
    with _explained():
        OmegaConf.to_container(_own_part(composed), resolve=True, throw_on_missing=False)
    if resolve:
        OmegaConf.set_readonly(composed.hydra, None)
        with _explained():
            OmegaConf.resolve(composed)
    shown = _own_part(composed) if part == "job" else composed
    shown = OmegaConf.masked_copy(composed, ["hydra"]) if part == "hydra" else shown
    with _explained():
        chosen = OmegaConf.select(shown, package) if package else shown
    if chosen is None:
        return _null(shown, package)
    if not OmegaConf.is_config(chosen):
        return f"{chosen!s}\n"
    header = f"# @package {package}\n" if package else ""
    return header + OmegaConf.to_yaml(chosen)


def _null(shown: DictConfig, package: str) -> str:
    """Return the text of a key whose value is null.

    Raises:
        ProbingError: If the key does not exist; the message suggests those next to it.
    """
    above, _, key = package.rpartition(".")
    parent = OmegaConf.select(shown, above) if above else shown
    if not isinstance(parent, DictConfig):
        above, parent = "", shown
    if key in parent and above == package.rpartition(".")[0]:
        return "null\n"
    known = [f"{above}.{each!s}".lstrip(".") for each in parent if each != "_target_"]
    raise ProbingError(f"--package {package}: there is no such key; {suggest(package, known)}")


def _own_part(config: DictConfig) -> DictConfig:
    return OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
