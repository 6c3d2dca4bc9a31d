"""What the page tells of the run behind a cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probing.io.yaml import as_yaml
from probing.page.contents import Run


def run_of(key: str, file: str, note: Mapping[str, Any], command: str) -> Run:
    """A run as its result file tells of it.

    Args:
        key: Digest of all that the result depends on.
        file: Name of the result file.
        note: What the file says about itself.
        command: What runs the same again.
    """
    config = note.get("config")
    text = as_yaml(config) if config else ""
    return Run(key, file, str(note.get("created", "")), command, text, _data(note.get("card")))


def _data(card: object) -> str:
    """The first facts of a task card in one line: name, source and licence."""
    if not isinstance(card, Mapping):
        return ""
    facts = (card.get(name) for name in ("source", "licence", "license"))
    return "; ".join(str(fact) for fact in facts if isinstance(fact, str) and fact)
