"""The overrides that compose a run's configuration again, kept in its result file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from probing.config.choices import values_of
from probing.config.quoting import exact
from probing.config.run_config import Config, as_plain
from probing.representations.request import Request

# groups that a run changes for its inner runs, and the field that names their choice
_CHANGED = {"granularity": "unit", "analysis": "name", "baseline": "kind"}
# options for output folders, recomputation and drawing, which do not change a result
_ASIDE = {"paths", "figure", "overwrite"}


def kept(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return the overrides that a result depends on, in their order.

    Args:
        overrides: All overrides of a run or of a job of a sweep.
    """
    return tuple(override for override in overrides if not _is_aside(override))


def changed(overrides: Sequence[str], before: Config, after: Config) -> tuple[str, ...]:
    """Return the overrides of a configuration that was derived from another one.

    Args:
        overrides: The overrides of the configuration before the change.
        before: The configuration before the change.
        after: The configuration with another granularity, analysis or baseline.
    """
    found = tuple(overrides)
    for group, named_by in _CHANGED.items():
        settings = getattr(after, group)
        if settings != getattr(before, group):
            others = [override for override in found if root_of(override) != group]
            choice = str(getattr(settings, named_by))
            # an experiment may set keys of this group, so each of them is given
            whole = any(root_of(override) == "experiment" for override in others)
            found = (*others, f"{group}={choice}", *_settings(group, choice, settings, whole=whole))
    return found


def root_of(override: str) -> str:
    """Return the config group, or the first part of the key, that an override sets."""
    return re.split(r"[.=/@:]", override.lstrip("+~"), maxsplit=1)[0]


def _is_aside(override: str) -> bool:
    root, key = root_of(override), override.lstrip("+~").partition("=")[0]
    if root == "hydra":
        return key != "hydra.searchpath"  # the choices may come from there
    if root == "extract":
        return "." in key and key.partition(".")[2] not in {field.name for field in fields(Request)}
    return root in _ASIDE


def _settings(group: str, choice: str, settings: Any, *, whole: bool) -> Iterator[str]:  # noqa: ANN401
    """Return overrides for settings that differ from the choice's defaults, or for all in its file."""
    in_file = values_of(group, choice)  # empty if the choice is outside conf/
    known = {field.name: as_plain(field.default) for field in fields(settings)} | in_file
    for name, value in as_plain(settings).items():
        if name != "_target_" and (value != known[name] or (whole and name in in_file)):
            yield f"{group}.{name}={_shown(value)}"


def _shown(value: object) -> str:
    """Return a value in the grammar of Hydra's command line."""
    if isinstance(value, str):
        return exact(value)
    if isinstance(value, list):
        return f"[{','.join(map(_shown, value))}]"
    return json.dumps(value)
