"""Errors of Hydra and OmegaConf in one line each: the problem, and the existing alternatives."""

from __future__ import annotations

import re

from hydra.errors import ConfigCompositionException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import GrammarParseError, InterpolationResolutionError, UnsupportedInterpolationType

from probing.config.choices import choices, choices_called, groups, having, values_of
from probing.validation.suggestions import nearest, suggest

_OWN = {
    "model": "a folder or a model of the hub is model=hf model.name={}; ",
    "task": "your own file is task=table task.path={0}, a data set of the hub is task=hub task.dataset={0}; ",
}
"""Hints for a path or a name of the hub in place of a choice."""
_REFERENCES = (GrammarParseError, InterpolationResolutionError, UnsupportedInterpolationType)


def explain(error: Exception) -> str:
    """Return one line for an error of Hydra."""
    text = str(error)
    found = _missing(error) or _reference(error) or _unknown(error)
    if found:
        return found
    swept = re.search(r"(?:Sweep parameters|Ambiguous value for argument) '(.+?)'(?: requires|\n|$)", text)
    if swept:
        return f"{swept[1]} is a sweep; add -m, as in probing -m {swept[1]}"
    if isinstance(error, OverrideParseException):
        return _unread(str(error.override))
    if text.startswith("Error merging override") and error.__cause__ is not None:
        text = f"{text.removeprefix('Error merging override ')}: {_first_line(error.__cause__)}"
    return re.sub(r"\s+", " ", _first_line(text) or type(error).__name__)


def _first_line(text: object) -> str:
    return next(iter(str(text).strip().splitlines()), "").rstrip(".")


def _unread(word: str) -> str:
    """Return a line with the remedy for a word that Hydra's grammar cannot parse."""
    if meant := choices_called(word):
        return f"{word}: an option without a name; {meant}"
    if "=" not in word:
        return f"{word}: an option without a value; write name=value, see probing --help"
    return f"{word}: cannot be read; put the value in quotes within quotes"


def _missing(error: Exception) -> str:
    """Return a line for a choice that does not exist."""
    if not isinstance(error, MissingConfigException) or error.options is None:
        return ""
    group, _, wanted = str(error.missing_cfg_file).partition("/")
    if group not in groups():
        return f"there is no {group}/{wanted}; {suggest(wanted, list(error.options))}"
    known = choices(group) or list(error.options)
    own = _OWN.get(group, "") if set(wanted) & set("/.") and not nearest(wanted, known) else ""
    return f"there is no {group}={wanted}; {own.format(wanted)}{suggest(wanted, known)}"


def _unknown(error: Exception) -> str:
    """Return a line for a key or a group that does not exist, or is given twice."""
    if not isinstance(error, ConfigCompositionException):
        return ""
    key = re.search(r"Could not override '([^']+)'", str(error))
    if key:
        return f"unknown option {key[1]}; {_nearest(key[1], error.__cause__)}"
    present = re.search(r"An item is already at '([^']+)'|Multiple values for (\S+)\. ", str(error))
    if present:
        name = present[1] or present[2]
        return f"{name} is given twice; write {name}=... without +, or override {name} in your own defaults"
    unmatched = re.search(r"No match in the defaults list for '([^']+)'", str(error))
    return f"unknown config group {unmatched[1]}; {suggest(unmatched[1], groups())}" if unmatched else ""


def _nearest(key: str, cause: object) -> str:
    """Return a suggestion for an unknown key: another choice that has it, or the nearest composed key."""
    group, _, name = key.partition(".")
    own_first = sorted(choices(group), key=lambda choice: "/" in choice)
    others = [f"{group}={each}" for each in own_first if name in values_of(group, each)]
    if name and others:
        more = f" and {len(others) - 1} more choices" if len(others) > 1 else ""
        return f"it is a key of {others[0]}{more}, and the chosen {group} has no such key"
    node = getattr(cause, "parent_node", None)
    if not isinstance(node, DictConfig):
        return "see probing help"
    within = str(getattr(cause, "full_key", "")).rpartition(".")[0]
    own = [str(each) for each in node if each not in ("hydra", "_target_")]
    if within:
        return suggest(key, [f"{within}.{each}" for each in own], own)
    inside = " or ".join(f"{group}.{key}" for group in having(key))
    if inside:
        return f"did you mean {inside}?"
    named = sorted({*own, *groups()})
    return suggest(key, [*named, *_dotted(node)], named)


def _dotted(node: DictConfig) -> list[str]:
    """Return the keys of the groups in a configuration, named as on the command line."""
    plain = OmegaConf.to_container(node, resolve=False)
    assert isinstance(plain, dict)
    groups_of_keys = {str(group): own for group, own in plain.items() if isinstance(own, dict)}
    return [f"{group}.{key}" for group, own in groups_of_keys.items() for key in own if key != "_target_"]


def _reference(error: BaseException) -> str:
    """Return one line for a `${...}` that cannot be resolved; "" for any other error."""
    chain, key = [error], ""
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    broken = next((each for each in chain if isinstance(each, _REFERENCES)), None)
    if broken is None:
        return ""
    reason = "${...} cannot be read"
    if not isinstance(broken, GrammarParseError):
        reason = _first_line(broken)
    merged = re.match(r"Error merging override \+{0,2}([^=]+)=", str(error))
    key = merged[1] if merged else str(getattr(broken, "full_key", "") or "a value")
    hint = "${...} stands for the value of another option; for the characters themselves write \\${"
    return f"{key}: {reason}; {hint}"
