"""The colours of pages, on a light and on a dark background."""

from __future__ import annotations

# Okabe & Ito's colours, which colour-blind readers can distinguish, for both backgrounds
LINES = {
    "light": ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#333333"],
    "dark": ["#56b4e9", "#e69f00", "#2fc79a", "#e79ac6", "#f0e442", "#9db7ff", "#dddddd"],
}
INK = {"light": "#1f2328", "dark": "#e6e8eb"}
FAINT = {"light": "#d5d9de", "dark": "#3a414b"}
PAPER = {"light": "#ffffff", "dark": "#1b2027"}
# from lower to higher through the background colour, so that a difference of 0 is invisible
DIVERGING = {
    "light": ["#08519c", "#6baed6", "#f2f2f2", "#fd8d3c", "#a63603"],
    "dark": ["#9ecae1", "#3182bd", "#242a33", "#e6700d", "#fdbe85"],
}
