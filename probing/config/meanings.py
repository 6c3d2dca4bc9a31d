"""The meaning of every key, from the comments of its YAML files, and the class that its group becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probing.config.choices import conf_folder, file_of, files_of, read, values_of
from probing.config.convert import import_dataclass
from probing.validation.ranges import hints_of
from probing.validation.words import in_words

_KEY = re.compile(r"( *)([A-Za-z]\w*):(?:\s|$)")
# a comment after the value; a value in quotes may contain #
_COMMENT = re.compile(r"""^(?:[^"'#]|"[^"]*"|'[^']*'|(?<=\S)#)*?(?:^|\s)#\s?(.*)$""")
# keys that are Hydra's own, not options
_HYDRAS = {"defaults", "hydra", "_target_"}


@dataclass(frozen=True)
class Key:
    """A key of a choice.

    Attributes:
        name: Name on the command line, such as `probe.l2`.
        default: Value in the files, as read from YAML; "???" if it must be given.
        values: Allowed values, in words.
        meaning: The comment next to the key.
    """

    name: str
    default: Any
    values: str
    meaning: str


def description(group: str, choice: str) -> str:
    """Return the sentence that a choice starts with, below its command."""
    return _heading(group, choice)[1]


def example(group: str, choice: str) -> str:
    """Return the command that a choice starts with."""
    return _heading(group, choice)[0] or f"probing {group}={choice}"


def keys_of(group: str, choice: str) -> list[Key]:
    """Return the keys of a choice in the order of its files, with those that it inherits."""
    said: dict[str, str] = {}
    for path in files_of(group, choice):
        said |= {name: text for name, text in comments(path).items() if text or name not in said}
    values = {name: value for name, value in values_of(group, choice).items() if name not in _HYDRAS}
    hints = _hints(group, str(values_of(group, choice).get("_target_", "")))
    return [
        Key(f"{group}.{name}", value, in_words(hints.get(name, Any)), said.get(name, ""))
        for name, value in values.items()
    ]


def general_keys() -> list[Key]:
    """Return the keys that belong to no choice, such as `seed` and `task.limit`."""
    from probing.config.run_config import Config, SampleConfig

    path = conf_folder() / "config.yaml"
    said, hints = comments(path), {**hints_of(Config), "task": SampleConfig}
    found = []
    for name, value in _own_values(path).items():
        if isinstance(value, Mapping):
            inner = hints_of(hints[name])
            found += [
                Key(f"{name}.{key}", own, in_words(inner[key]), said.get(f"{name}.{key}", ""))
                for key, own in value.items()
            ]
        else:
            found.append(Key(name, value, in_words(hints[name]), said.get(name, "")))
    return found


def comments(path: Path) -> dict[str, str]:
    """Return the comment of each key of a YAML file, after its value or on the lines below.

    A key within another one is named with a dot. A comment on a line of its own continues that of the key
    above; an empty line ends it.
    """
    found: dict[str, str] = {}
    outer = name = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        key = _KEY.match(line)
        text = _COMMENT.match(line)
        comment = text[1].strip() if text else ""
        if key:
            inside = f"{outer}." if key[1] and outer else ""
            name = inside + key[2]
            outer = outer if key[1] else key[2]
            found[name] = comment
        elif line.lstrip().startswith("#") and name:
            found[name] = f"{found[name]} {comment}".strip()
        elif not line.strip():
            name = ""
    return found


def _heading(group: str, choice: str) -> list[str]:
    path = file_of(group, choice)
    lines = path.read_text(encoding="utf-8").splitlines() if path is not None else []
    said = [line.lstrip("# ") for line in lines if line.startswith("#") and not line.startswith("# @")]
    return [*said, "", ""][:2]


def _own_values(path: Path) -> dict[str, Any]:
    return {name: value for name, value in read(path).items() if name not in _HYDRAS}


def _hints(group: str, target: str) -> Mapping[str, Any]:
    """Return the type hints of the dataclass that a choice becomes."""
    from probing.config.run_config import Config

    cls = import_dataclass(target, group) if target else hints_of(Config).get(group)
    return hints_of(cls) if isinstance(cls, type) else {}
