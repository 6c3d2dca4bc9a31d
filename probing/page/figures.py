"""The figures of plotly as JSON; the script of the page fills in the numbers."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from probing.page.palette import DIVERGING, FAINT, INK, LINES, PAPER

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def figures() -> dict[str, Any]:
    """The themes, and a trace and a layout for each kind of figure, validated by plotly."""
    return {
        "themes": {name: _theme(name) for name in ("light", "dark")},
        "heatmap": _figure(_heatmap(), _cells()),
        "scatter": _figure(_points(), _axes("", "")),
        "line": _figure(go.Scatter(mode="lines+markers"), _axes("", "")),
    }


def _theme(name: str) -> dict[str, Any]:
    axis = {
        "gridcolor": FAINT[name], "zerolinecolor": FAINT[name], "linecolor": FAINT[name],
        "tickcolor": FAINT[name],
    }  # fmt: skip
    layout = go.Layout(
        colorway=LINES[name],
        colorscale={"sequential": "Viridis", "diverging": _even(DIVERGING[name])},
        font={"color": INK[name], "family": _FONT, "size": 12},
        hoverlabel={
            "bgcolor": PAPER[name], "bordercolor": INK[name], "font": {"color": INK[name], "size": 13},
            "align": "left",
        },
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        xaxis=axis,
        yaxis=axis,
    )  # fmt: skip
    return {"layout": layout.to_plotly_json()}


def _even(colours: list[str]) -> list[list[float | str]]:
    return [[place / (len(colours) - 1), colour] for place, colour in enumerate(colours)]


def _figure(trace: Any, layout: go.Layout) -> dict[str, Any]:  # noqa: ANN401
    return {"trace": trace.to_plotly_json(), "layout": layout.to_plotly_json()}


def _heatmap() -> go.Heatmap:
    return go.Heatmap(
        xgap=1,
        ygap=1,
        hoverongaps=False,
        hoverinfo="none",
        colorbar={
            "thickness": 9,
            "outlinewidth": 0,
            "xpad": 6,
            "ypad": 0,
            "nticks": 5,
            "tickfont": {"size": 10},
        },
    )


def _cells() -> go.Layout:
    axis = {
        "showgrid": False, "zeroline": False, "fixedrange": True, "ticks": "", "automargin": False,
        "tickfont": {"size": 10}, "showline": False,
    }  # fmt: skip
    return go.Layout(
        margin={"l": 30, "r": 62, "t": 4, "b": 20, "autoexpand": False},
        xaxis=axis,
        yaxis=axis,
        hovermode="closest",
        dragmode=False,
        showlegend=False,
    )


def _points() -> go.Scatter:
    return go.Scatter(
        mode="markers",
        hovertemplate="%{hovertext}<extra></extra>",
        marker={
            "size": 8, "opacity": 0.85, "colorscale": "Viridis", "line": {"width": 0.5, "color": "#888888"},
            "colorbar": {"title": {"text": "layer", "side": "right"}, "thickness": 9, "outlinewidth": 0},
        },
    )  # fmt: skip


def _axes(across: str, up: str) -> go.Layout:
    return go.Layout(
        margin={"l": 56, "r": 12, "t": 10, "b": 48},
        xaxis={"title": {"text": across, "standoff": 8}, "automargin": True},
        yaxis={"title": {"text": up, "standoff": 6}, "automargin": True},
        hovermode="closest",
        dragmode=False,
        legend={"orientation": "h", "y": -0.22, "x": 0, "yanchor": "top", "traceorder": "normal"},
    )
