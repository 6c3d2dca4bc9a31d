"""The run behind a cell, as the page shows it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from probing.io.yaml import as_yaml, escaped
from probing.page.contents import PageRun


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
    command = command_of(note.get("overrides"), root)
    return PageRun(key, file, str(note.get("created", "")), command, text, _data(note.get("card")))


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


def _data(card: object) -> str:
    """The first facts of a task card in one line: name, source and licence."""
    if not isinstance(card, Mapping):
        return ""
    facts = (card.get(name) for name in ("source", "licence", "license"))
    return "; ".join(str(fact) for fact in facts if isinstance(fact, str) and fact)
