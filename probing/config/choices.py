"""The choices of conf/, and the globs that name several of them."""

from __future__ import annotations

from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob

from probing.errors import ProbingError
from probing.validation.suggestions import suggest


def conf_folder() -> Path:
    """Return the folder of config groups: inside an installed package, next to it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "conf"
    return inside if (inside / "config.yaml").is_file() else package.parent / "conf"


def groups() -> list[str]:
    """Return the config groups."""
    return sorted(path.name for path in conf_folder().iterdir() if path.is_dir())


def choices(group: str) -> list[str]:
    """Return the choices of a group, such as `grammar/tense` for one in a subfolder."""
    folder = conf_folder() / group
    return sorted(str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.yaml"))


def is_glob(value: str) -> bool:
    """Return whether a value is `glob(...)`."""
    return value.strip().startswith("glob(")


def parse_glob(key: str, value: str) -> Glob:
    """Return the patterns of `glob(...)`.

    Raises:
        ProbingError: If the value contains anything else.
    """
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
