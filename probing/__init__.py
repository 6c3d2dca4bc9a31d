"""Ask every attention head of a transformer what it knows.

The names below are loaded when they are first used, so that `import probing` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from probing.ablations.gradients import head_importance
    from probing.cli.run import run
    from probing.comparisons.agreement import agreement
    from probing.comparisons.compare import clusters, compare, correlations, linkage, stability
    from probing.comparisons.concentration import concentration
    from probing.comparisons.measures import measures
    from probing.comparisons.paired import compare_heads, like_best
    from probing.comparisons.profile import centre_of_mass, layer_profile
    from probing.comparisons.published import load_published
    from probing.errors import ProbingError
    from probing.figures import (
        draw_agreement,
        draw_comparison,
        draw_correlations,
        draw_grid,
        draw_masking,
        draw_path,
        draw_profiles,
        draw_sheet,
        draw_top_heads,
        draw_trajectories,
    )
    from probing.models.capture import capture, edit
    from probing.models.masking import mask_heads, mean_outputs
    from probing.models.pruned import load_pruned, save_pruned
    from probing.models.removal import prune_heads
    from probing.models.trace import find_sites
    from probing.page.report import report
    from probing.representations.public import load_representations
    from probing.results.load import grid, load_predictions, load_results
    from probing.statistics.significance import permutation_p

__version__ = "0.1.0"
__all__ = [
    "ProbingError",
    "agreement",
    "capture",
    "centre_of_mass",
    "clusters",
    "compare",
    "compare_heads",
    "concentration",
    "correlations",
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
    "edit",
    "find_sites",
    "grid",
    "head_importance",
    "layer_profile",
    "like_best",
    "linkage",
    "load_predictions",
    "load_pruned",
    "load_published",
    "load_representations",
    "load_results",
    "mask_heads",
    "mean_outputs",
    "measures",
    "permutation_p",
    "prune_heads",
    "report",
    "run",
    "save_pruned",
    "stability",
]

_HOME = {
    "ProbingError": "probing.errors",
    "agreement": "probing.comparisons.agreement",
    "capture": "probing.models.capture",
    "centre_of_mass": "probing.comparisons.profile",
    "clusters": "probing.comparisons.compare",
    "compare": "probing.comparisons.compare",
    "compare_heads": "probing.comparisons.paired",
    "concentration": "probing.comparisons.concentration",
    "correlations": "probing.comparisons.compare",
    "draw_agreement": "probing.figures",
    "draw_comparison": "probing.figures",
    "draw_correlations": "probing.figures",
    "draw_grid": "probing.figures",
    "draw_masking": "probing.figures",
    "draw_path": "probing.figures",
    "draw_profiles": "probing.figures",
    "draw_sheet": "probing.figures",
    "draw_top_heads": "probing.figures",
    "draw_trajectories": "probing.figures",
    "edit": "probing.models.capture",
    "find_sites": "probing.models.trace",
    "grid": "probing.results.load",
    "head_importance": "probing.ablations.gradients",
    "layer_profile": "probing.comparisons.profile",
    "like_best": "probing.comparisons.paired",
    "linkage": "probing.comparisons.compare",
    "load_predictions": "probing.results.load",
    "load_pruned": "probing.models.pruned",
    "load_published": "probing.comparisons.published",
    "load_representations": "probing.representations.public",
    "load_results": "probing.results.load",
    "mask_heads": "probing.models.masking",
    "mean_outputs": "probing.models.masking",
    "measures": "probing.comparisons.measures",
    "permutation_p": "probing.statistics.significance",
    "prune_heads": "probing.models.removal",
    "report": "probing.page.report",
    "run": "probing.cli.run",
    "save_pruned": "probing.models.pruned",
    "stability": "probing.comparisons.compare",
}


def __getattr__(name: str) -> object:
    """Import a public name from its module on first use."""
    if name not in _HOME:
        raise AttributeError(f"module 'probing' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
