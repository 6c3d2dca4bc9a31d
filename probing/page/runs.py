"""The run behind a cell, as the page shows it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from probing.io.yaml import as_yaml, escaped
from probing.page.contents import PageRun

# groups that change what is analysed, but neither the heads nor the examples
_NOT_LOOKED_AT = frozenset({"analysis", "granularity", "objective"})


def run_of(key: str, file: str, note: Mapping[str, Any], root: str) -> PageRun:
    """A run as its result file describes it.

    Args:
        key: Digest of everything that the result depends on.
        file: Name of the result file.
        note: Note about the run in the file.
        root: Folder that the run wrote to.
    """
    config = note.get("config")
    text = as_yaml(config) if config else ""
    overrides = note.get("overrides")
    command, look = command_of(overrides, root), look_of(overrides, root)
    return PageRun(key, file, str(note.get("created", "")), command, look, text, _data(note.get("card")))


def command_of(overrides: object, root: str) -> str:
    """The command that repeats a run, quoted for a shell.

    Args:
        overrides: Overrides in the result file; None in files of earlier versions, and if examples were
            given as a frame.
        root: Folder that the run wrote to, added as `paths.root` unless it is the default.

    Returns:
        `probing key=value ...`; empty if the file has no overrides.
    """
    if not isinstance(overrides, list):
        return ""
    elsewhere = [] if root == "outputs" else [f"paths.root={escaped(root)}"]
    return shlex.join(["probing", *overrides, *elsewhere])


def look_of(overrides: object, root: str) -> str:
    """The command that looks at a head of a run, without the head.

    The options of the analysis and of the granularity are left out, since a look reads single heads. A run
    without overrides, such as one on examples in memory, has none.

    Args:
        overrides: As for `command_of`.
        root: As for `command_of`.
    """
    if not isinstance(overrides, list):
        return ""
    roots = [re.split(r"[.=/@:]", each.lstrip("+~"), maxsplit=1)[0] for each in map(str, overrides)]
    kept = [each for each, name in zip(overrides, roots, strict=True) if name not in _NOT_LOOKED_AT]
    of_experiment = "experiment" in roots
    # an experiment may choose the task too
    own = of_experiment or any(str(each).startswith("task=") for each in kept)
    named = [] if own else ["task=grammar/tense"]
    # an experiment may choose these, and what comes later takes precedence
    usual = ["analysis=probe", "granularity=head"] if of_experiment else []
    return command_of([*named, *kept, *usual], root).replace("probing ", "probing look ", 1)


def _data(card: object) -> str:
    """The first facts of a task card in one line: name, source and licence."""
    if not isinstance(card, Mapping):
        return ""
    facts = (card.get(name) for name in ("source", "licence", "license"))
    return "; ".join(str(fact) for fact in facts if isinstance(fact, str) and fact)
