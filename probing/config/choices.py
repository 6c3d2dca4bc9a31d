"""The choices of conf/, and the globs that name several of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probing.errors import ProbingError
from probing.validation.suggestions import suggest

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Glob

_ADDED: ContextVar[Path | None] = ContextVar("added", default=None)


def conf_folder() -> Path:
    """Return the folder of config groups: inside an installed package, next to it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if (inside / "config.yaml").is_file() else package.parent / "conf"


@contextmanager
def also_from(folder: Path | None) -> Iterator[None]:
    """Find groups and choices in another folder too, as Hydra does with `hydra.searchpath`."""
    before = _ADDED.set(folder)
    try:
        yield
    finally:
        _ADDED.reset(before)


def folders() -> list[Path]:
    """Return the folders of config groups; the first one that has a choice counts."""
    added = _ADDED.get()
    return [conf_folder()] if added is None else [conf_folder(), added]


def groups() -> list[str]:
    """Return the config groups."""
    found = {path.name for folder in folders() for path in folder.iterdir() if path.is_dir()}
    return sorted(name for name in found if not name.startswith((".", "_")))


def choices(group: str) -> list[str]:
    """Return the choices of a group, such as `grammar/tense` for one in a subfolder.

    A file whose name starts with `_` has keys that several choices share, and is not a choice.
    """
    found = {
        path.relative_to(folder / group).with_suffix("").as_posix()
        for folder in folders()
        for path in (folder / group).rglob("*.yaml")
        if not path.name.startswith("_")
    }
    return sorted(found)


def file_of(group: str, choice: str) -> Path | None:
    """Return the file of a choice, or of keys that choices share; None if there is none."""
    paths = [folder / group / f"{choice}.yaml" for folder in folders()]
    return next((path for path in paths if path.is_file()), None)


def files_of(group: str, choice: str) -> list[Path]:
    """Return the file of a choice and those that its defaults list names, the ones that count less first."""
    path = file_of(group, choice)
    if path is None:
        return []
    listed = read(path).get("defaults") or []
    bases = [name.partition("@")[0] for name in listed if isinstance(name, str) and name != "_self_"]
    return [*(file for base in bases for file in files_of(group, base.removeprefix(f"/{group}/"))), path]


def values_of(group: str, choice: str) -> dict[str, Any]:
    """Return the values of a choice by key, with those that it inherits; nothing is composed."""
    merged = {key: value for path in files_of(group, choice) for key, value in read(path).items()}
    return {key: value for key, value in merged.items() if key not in ("defaults", "hydra")}


def choices_called(word: str) -> str:
    """Return a question with all choices of a name, with or without their folder; "" if there are none."""
    found = [(group, each) for group in groups() for each in choices(group)]
    meant = [f"{group}={each}" for group, each in found if word in (each, Path(each).name)]
    return f"did you mean {' or '.join(meant)}?" if meant else ""


def having(key: str) -> list[str]:
    """Return the groups in which a choice has a key."""
    return [group for group in groups() if any(key in values_of(group, each) for each in choices(group))]


def read(path: Path) -> dict[str, Any]:
    """Return the content of a YAML file by key, its references unresolved."""
    from omegaconf import OmegaConf

    read = OmegaConf.to_container(OmegaConf.load(path))
    return {str(key): value for key, value in read.items()} if isinstance(read, dict) else {}


def is_glob(value: str) -> bool:
    """Return whether a value is `glob(...)`."""
    return value.strip().startswith("glob(")


def parse_glob(key: str, value: str) -> Glob:
    """Return the patterns of `glob(...)`.

    Raises:
        ProbingError: If the value contains anything else.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    glob = OverridesParser.create().parse_override(f"{key}={value}").value()
    if not isinstance(glob, Glob):
        raise ProbingError(f"{key}={value}: glob(pattern) cannot be combined with others; give it alone")
    return glob


def matching_choices(group: str, value: str) -> list[str]:
    """Return the choices that match `glob(...)`; Hydra's own glob searches only the top folder of a group.

    Raises:
        ProbingError: If no choice matches.
    """
    matching: list[str] = parse_glob(group, value).filter(choices(group))
    if not matching:
        raise ProbingError(f"{group}={value} matches nothing; {suggest(value, choices(group))}")
    return matching
