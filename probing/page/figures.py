"""The figures of plotly as JSON; the script of the page fills in the numbers."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

# Okabe & Ito's colours, which colour-blind readers can distinguish, for both backgrounds
_LINES = {
    "light": ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#333333"],
    "dark": ["#56b4e9", "#e69f00", "#2fc79a", "#e79ac6", "#f0e442", "#9db7ff", "#dddddd"],
}
_INK = {"light": "#1f2328", "dark": "#e6e8eb"}
_FAINT = {"light": "#d5d9de", "dark": "#3a414b"}
_PAPER = {"light": "#ffffff", "dark": "#1b2027"}
# from lower to higher through the background colour, so that a difference of 0 is invisible
_DIVERGING = {
    "light": ["#08519c", "#6baed6", "#f2f2f2", "#fd8d3c", "#a63603"],
    "dark": ["#9ecae1", "#3182bd", "#242a33", "#e6700d", "#fdbe85"],
}
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
        "gridcolor": _FAINT[name], "zerolinecolor": _FAINT[name], "linecolor": _FAINT[name],
        "tickcolor": _FAINT[name],
    }  # fmt: skip
    layout = go.Layout(
        colorway=_LINES[name],
        colorscale={"sequential": "Viridis", "diverging": _even(_DIVERGING[name])},
        font={"color": _INK[name], "family": _FONT, "size": 12},
        hoverlabel={
            "bgcolor": _PAPER[name], "bordercolor": _INK[name], "font": {"color": _INK[name], "size": 13},
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
