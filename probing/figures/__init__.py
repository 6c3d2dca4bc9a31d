"""From the result frame to a picture, in one style."""

from probing.figures.heatmap import draw_grid
from probing.figures.sheet import draw_sheet

__all__ = ["draw_grid", "draw_sheet"]
