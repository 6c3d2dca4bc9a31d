"""Overrides as users type them: an option that takes a text accepts it without quotes.

Hydra reads `false`, `1e5`, `null` and brackets by its own grammar, and refuses `=` and many letters. So the
values of options that take texts are quoted before Hydra sees them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from hydra import compose
from omegaconf import OmegaConf

from probing.config.choices import conf_folder, groups, is_glob, matching_choices, read, values_of
from probing.config.convert import import_dataclass
from probing.config.options import TextOption, text_option
from probing.config.quoting import is_literal, is_plain, quoted, split
from probing.errors import ProbingError
from probing.io.files import expanded
from probing.validation.ranges import hints_of

_OVERRIDE = re.compile(r"(\+{0,2})([^=~+][^=]*)=(.*)", re.DOTALL)
# Hydra's functions of values; the values of the first two are texts, the others are left to Hydra
_FUNCTION = re.compile(
    r"(choice|extend_list|range|glob|interval|sort|shuffle|tag|int|float|str|bool|json_str)\s*\((.*)\)",
    re.DOTALL,
)


def as_typed(overrides: Sequence[str], *, swept: bool = False) -> list[str]:
    """Return overrides that Hydra reads as the user meant them; call it within `hydra_session`.

    Args:
        overrides: Overrides as on the command line.
        swept: Whether a comma outside brackets and quotes separates jobs. If not, it may be part of the name
            of an existing file.

    Raises:
        ProbingError: If an override is not a text, or a list of several values where one is expected.
    """
    for override in overrides:
        _check(override)
    classes = GroupClasses(overrides, swept=swept)
    return [_typed(override, classes, swept) for override in overrides]


def _check(override: object) -> None:
    if not isinstance(override, str):
        raise ProbingError(f"overrides: {override!r} is not a text; give a list such as ['task.limit=200']")
    if "\0" in override or override.encode(errors="replace").decode() != override:
        raise ProbingError(f"{override!r} contains a character that is not UTF-8 text; remove it")
    added = re.match(r"\+([^+=]+)=", override)
    if added and added[1] in _chosen_groups():  # Hydra accepts the same choice again if it inherits keys
        name = added[1]
        raise ProbingError(
            f"{name} is given twice; write {name}=... without +, or override {name} in your own defaults"
        )


def _chosen_groups() -> set[str]:
    """Return the groups of which conf/config.yaml chooses one."""
    listed = read(conf_folder() / "config.yaml").get("defaults", [])
    return {
        str(group)
        for entry in listed
        if isinstance(entry, dict)
        for group, choice in entry.items()
        if choice is not None
    }


def _typed(override: str, classes: GroupClasses, swept: bool) -> str:
    found = _OVERRIDE.fullmatch(override)
    if found is None or "." not in found[2] or "@" in found[2] or is_plain(found[3]):
        return override
    prefix, key, value = found.groups()
    option = text_option(key, classes.of(key.partition(".")[0]))
    if option is None:  # Hydra reports the error
        spaced = " " in value and not set(value) & set("'\"[]{}(),\\")
        return f"{prefix}{key}={quoted(value) if spaced else value}"
    return f"{prefix}{key}={_value(key, value, option, swept)}"


def _value(key: str, value: str, option: TextOption, swept: bool) -> str:
    if is_literal(value) or _is_unset(value, option):
        return value
    function = _FUNCTION.fullmatch(value)
    if function and function[1] in {"choice", "extend_list"}:
        inner = ",".join(_part(key, part, option) for part in split(function[2]))
        return f"{function[1]}({inner})"
    if function:
        return value
    parts = split(value)
    if len(parts) == 1 or value == ",":  # a single comma is a separator of columns, not a sweep
        return _part(key, value, option, whole=True)
    if swept:
        return ",".join(_part(key, part, option) for part in parts)
    if _exists(value):
        return _text(value, option)
    absent = " (no file has this name)" if option.path else ""
    raise ProbingError(f"{key}={value} is a sweep{absent}; add -m, as in probing -m {key}={value}")


def _part(key: str, part: str, option: TextOption, *, whole: bool = False) -> str:
    """Return one value of a sweep, or the whole value, without surrounding spaces."""
    stripped = part.strip()
    if not stripped and not whole:
        raise ProbingError(f"{key}: a value between commas is empty; write '' for an empty text")
    if is_literal(stripped) or _is_unset(stripped, option):
        return stripped
    if option.listed and stripped.startswith("[") and stripped.endswith("]"):
        inner = stripped[1:-1]
        items = [item.strip() for item in split(inner)] if inner.strip() else []
        if "" in items:
            raise ProbingError(f"{key}={part}: an entry of the list is empty; write '' for an empty text")
        return f"[{','.join(item if is_literal(item) else _text(item, option) for item in items)}]"
    return _text(part if whole else stripped, option)


def _text(text: str, option: TextOption) -> str:
    return quoted(str(expanded(text)) if option.path and text.startswith("~") else text)


def _is_unset(value: str, option: TextOption) -> bool:
    """Return whether null means no value; for a folder it is refused later, when the folder is built."""
    return value == "null" and (option.optional or option.path)


def _exists(value: str) -> bool:
    try:
        return expanded(value).exists()
    except OSError:
        return False


class GroupClasses:
    """The dataclasses that config groups are converted to under some overrides."""

    def __init__(self, overrides: Sequence[str], *, swept: bool) -> None:
        """Collect the choices; nothing is composed before a group is looked up."""
        found = [match for match in map(_OVERRIDE.fullmatch, overrides) if match]
        self._swept = swept
        self._targets = {key[2].removesuffix("._target_"): key[3] for key in found if "._target_" in key[2]}
        self._chosen = {key[2]: key[3] for key in found if "." not in key[2] and key[2] in groups()}
        self._others = [key[0] for key in found if key[2] == "hydra.searchpath"]
        self._of: dict[str, list[type]] = {}

    def of(self, group: str) -> list[type]:
        """Return the classes of a group: one, or in a sweep one for each of its choices."""
        if group not in self._of:
            self._of[group] = self._find(group)
        return self._of[group]

    def _find(self, group: str) -> list[type]:
        from probing.config.run_config import (  # imported here, since the command line may not need them
            Config,
            SampleConfig,
        )

        hint = hints_of(Config).get(group)
        if hint is None:
            return []
        own: list[type] = [SampleConfig] if group == "task" else []
        if isinstance(hint, type) and not getattr(hint, "_is_protocol", False):
            return [*own, hint]
        names = [self._targets[group]] if group in self._targets else self._names(group)
        return [*own, *filter(None, map(_class, dict.fromkeys(names)))]

    def _names(self, group: str) -> list[str]:
        chosen = self._chosen.get(group) or self._experiment.get(f"sweep {group}", "")
        if not chosen:
            return [self._experiment[group]]
        named = matching_choices(group, chosen) if is_glob(chosen) else split(chosen)
        return [_target_of_file(group, name.strip()) or self._composed(group, name) for name in named]

    @cached_property
    def _experiment(self) -> dict[str, str]:
        """Compose the choices; return the class of each group and the sweep of an experiment."""
        first = [f"{key}={self._first(key, value)}" for key, value in self._chosen.items()]
        composed = compose("config", overrides=[*self._others, *first], return_hydra_config=True)
        swept = {f"sweep {key}": str(value) for key, value in (composed.hydra.sweeper.params or {}).items()}
        made = {name: OmegaConf.select(composed, f"{name}._target_") for name in map(str, composed)}
        return swept | {name: str(target) for name, target in made.items() if target is not None}

    def _first(self, group: str, value: str) -> str:
        if not self._swept:
            return value
        return matching_choices(group, value)[0] if is_glob(value) else split(value)[0].strip()

    def _composed(self, group: str, name: str) -> str:
        composed = compose("config", overrides=[*self._others, f"{group}={name}"])
        return str(OmegaConf.select(composed, f"{group}._target_"))


def _target_of_file(group: str, choice: str) -> str:
    """Return the class that a choice of conf/ names or inherits; "" if there is none."""
    return str(values_of(group, choice).get("_target_", ""))


def _class(target: str) -> type | None:
    try:
        return import_dataclass(target, "")
    except ProbingError:  # reported later, when the configuration is built
        return None
