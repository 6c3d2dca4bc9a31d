"""From the result frame to a picture, in one style."""

from probing.figures.comparison import draw_comparison
from probing.figures.correlations import draw_correlations
from probing.figures.head_counts import draw_top_heads
from probing.figures.heatmap import draw_grid
from probing.figures.masking_curves import draw_masking
from probing.figures.pairs_of_measures import draw_agreement
from probing.figures.path import draw_path
from probing.figures.profiles import draw_profiles
from probing.figures.sheet import draw_sheet
from probing.figures.trajectories import draw_trajectories

__all__ = [
    "draw_agreement",
    "draw_comparison",
    "draw_correlations",
    "draw_grid",
    "draw_masking",
    "draw_path",
    "draw_profiles",
    "draw_sheet",
    "draw_top_heads",
    "draw_trajectories",
]
