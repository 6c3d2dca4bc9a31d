"""The page as one text: markup, style, plotly, data and script, without anything to download."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

import probing
from probing.page.contents import Content
from probing.page.figures import figures
from probing.page.inline import asset, framed
from probing.page.names import ASKED, FIELDS

# in the order of their dependencies, since they become one script with one scope
SCRIPTS = (
    "elements",
    "theme",
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
    return framed(
        f"probing: {content.root}",
        style=asset("page.css"),
        body=Template(asset("page.html")).substitute(plotly=get_plotlyjs()),
        data=_data(content),
        script="\n".join(asset(f"{name}.js") for name in SCRIPTS),
    )


def _data(content: Content) -> dict[str, Any]:
    return {
        "version": probing.__version__,
        "created": datetime.now(UTC).isoformat(timespec="minutes"),
        "fields": FIELDS,
        "asked": ASKED,
        "figures": figures(),
        **asdict(content),
    }
