"""What the page tells of the run behind a cell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from probing.io.yaml import as_yaml, escaped
from probing.page.contents import PageRun


def run_of(key: str, file: str, note: Mapping[str, Any], root: str) -> PageRun:
    """A run as its result file tells of it.

    Args:
        key: Digest of all that the result depends on.
        file: Name of the result file.
        note: What the file says about itself.
        root: The folder that the run wrote to.
    """
    config = note.get("config")
    text = as_yaml(config) if config else ""
    command = command_of(note.get("overrides"), root)
    return PageRun(key, file, str(note.get("created", "")), command, text, _data(note.get("card")))


def command_of(overrides: object, root: str) -> str:
    """The command that runs a configuration again, quoted for a shell.

    Args:
        overrides: The overrides that the result file keeps; None in files of earlier versions and in those
            of examples that were given as a frame.
        root: The folder that the run wrote to, added as `paths.root` unless it is the default.

    Returns:
        `probing key=value ...`; empty if the file keeps no overrides.
    """
    if not isinstance(overrides, list):
        return ""
    elsewhere = [] if root == "outputs" else [f"paths.root={escaped(root)}"]
    return shlex.join(["probing", *overrides, *elsewhere])


def _data(card: object) -> str:
    """The first facts of a task card in one line: name, source and licence."""
    if not isinstance(card, Mapping):
        return ""
    facts = (card.get(name) for name in ("source", "licence", "license"))
    return "; ".join(str(fact) for fact in facts if isinstance(fact, str) and fact)
