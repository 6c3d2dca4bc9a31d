"""The page as one text: markup, style, plotly, data and script, without anything to download."""

from __future__ import annotations

import html
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

import probing
from probing.page.contents import Content
from probing.page.figures import figures
from probing.page.names import ASKED, FIELDS

ASSETS = Path(__file__).parent / "assets"
# in the order of their dependencies, since they become one script with one scope
SCRIPTS = (
    "words",
    "statistics",
    "paint",
    "heatmap",
    "pick",
    "cards",
    "tables",
    "compare",
    "curves",
    "reports",
    "details",
    "start",
)


def document(content: Content) -> str:
    """The HTML of the page.

    Args:
        content: Content of the page.
    """
    script = "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    return Template(_asset("page.html")).substitute(
        title=html.escape(f"probing: {content.root}"),
        style=_asset("page.css"),
        plotly=get_plotlyjs(),
        data=as_json(_data(content)),
        script=f'(() => {{\n"use strict";\n{script}\n}})();',
    )


def as_json(value: object) -> str:
    """Write JSON that cannot close the script element around it.

    Raises:
        ValueError: If a number is not finite, which JSON cannot express.
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _data(content: Content) -> dict[str, Any]:
    return {
        "version": probing.__version__,
        "created": datetime.now(UTC).isoformat(timespec="minutes"),
        "fields": FIELDS,
        "asked": ASKED,
        "figures": figures(),
        **asdict(content),
    }


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
