"""The parts of a page: files of markup, style and script, and data that a script reads."""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template

ASSETS = Path(__file__).parent / "assets"


def asset(name: str) -> str:
    """Return the text of a file in `assets`, which all pages may use."""
    return (ASSETS / name).read_text(encoding="utf-8")


def as_json(value: object) -> str:
    """Write JSON that cannot close the script element around it.

    Raises:
        ValueError: If a number is not finite, which JSON cannot express.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def framed(title: str, *, style: str, body: str, data: object, script: str) -> str:
    """Return a whole page that reads nothing from elsewhere.

    Args:
        title: Title of the page, as plain text.
        style: Style sheet.
        body: Markup of the body.
        data: What the script reads, as `as_json` takes it.
        script: Script, which gets a scope of its own.
    """
    return Template(asset("frame.html")).substitute(
        title=html.escape(title),
        style=style,
        body=body,
        data=as_json(data),
        script=f'(() => {{\n"use strict";\n{script}\n}})();',
    )
