"""The command that runs a configuration again, found by setting it beside the choices of conf/."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from omegaconf import OmegaConf

from probing.config.choices import choices, conf_folder
from probing.config.compose import compose_config
from probing.config.quoting import exact
from probing.errors import ProbingError

GROUPS = (
    "model", "task", "granularity", "pooling", "probe", "objective", "baseline", "analysis", "extract",
)  # fmt: skip
_NAMED_BY = ("label", "name", "unit", "how", "kind")
# what does not change a result
_ASIDE = {"_target_", "threads", "batch_tokens", "device"}


def command_line(config: object, root: str) -> str:
    """The shortest command with this configuration.

    Args:
        config: As result files keep it, one mapping for each group.
        root: What `paths.root` is to be.

    Returns:
        `probing key=value ...`, quoted for a shell; empty if conf/ has no such choices.
    """
    if not isinstance(config, Mapping):
        return ""
    try:
        words = list(_overrides(config))
    except (ProbingError, KeyError, TypeError, ValueError, AttributeError):
        return ""  # written with a conf/ that is not this one
    if root != "outputs":
        words.append(f"paths.root={_shown(root)}")
    return shlex.join(["probing", *words])


def _overrides(config: Mapping[str, Any]) -> Iterator[str]:
    chosen: list[str] = []
    for group in (group for group in GROUPS if group in config):
        part = (dict(config.get("sample") or {}) if group == "task" else {}) | dict(config[group])
        base = _composed(tuple(chosen))[group]
        choice = _choice(group, part)
        other = _composed((*chosen, f"{group}={choice}"))[group]
        if _class(base) not in {"", _class(part)} or _distance(other, part) < _distance(base, part):
            chosen, base = [*chosen, f"{group}={choice}"], other
            yield chosen[-1]
        for name, value in _differing(base, part):
            yield f"{group}.{name}={_shown(value)}"
    if config.get("seed") != _composed(())["seed"]:
        yield f"seed={config['seed']}"


def _choice(group: str, part: Mapping[str, Any]) -> str:
    """The choice of a group that agrees most with its part of a configuration."""
    named = {str(part[name]) for name in _NAMED_BY if part.get(name) is not None}
    likely = [name for name in choices(group) if name in named] or _of_class(group, _class(part))
    return min(likely or choices(group), key=lambda name: _distance(_raw(group, name), part))


def _of_class(group: str, wanted: str) -> list[str]:
    return [name for name in choices(group) if wanted and _class(_raw(group, name)) == wanted]


def _class(part: Mapping[str, Any]) -> str:
    """The class that a part is made into; conf/ may name it by the package that it is imported from."""
    return str(part.get("_target_", "")).rpartition(".")[2]


def _distance(base: Mapping[str, Any], part: Mapping[str, Any]) -> int:
    return len(list(_differing(base, part)))


def _differing(base: Mapping[str, Any], part: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys of a choice in which a configuration has another value."""
    for name, value in base.items():
        if name in part and name not in _ASIDE and part[name] != value:
            yield name, part[name]


@lru_cache
def _raw(group: str, choice: str) -> dict[str, Any]:
    made = OmegaConf.to_container(OmegaConf.load(conf_folder() / group / f"{choice}.yaml"))
    assert isinstance(made, dict)
    return {str(name): value for name, value in made.items()}


@lru_cache(maxsize=512)
def _composed(overrides: tuple[str, ...]) -> dict[str, Any]:
    made = compose_config(overrides)
    own = OmegaConf.masked_copy(made, [str(name) for name in made if name != "hydra"])
    values = OmegaConf.to_container(own, resolve=True, throw_on_missing=False)
    assert isinstance(values, dict)
    return {str(name): value for name, value in values.items()}


def _shown(value: object) -> str:
    """A value as Hydra's command line reads it."""
    if isinstance(value, str):
        return exact(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_shown, value))}]"
    return json.dumps(value, separators=(",", ":"))
