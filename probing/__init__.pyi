"""The public names, each with the module that it is from."""

from .ablations.gradients import head_importance as head_importance
from .cli.look import look as look
from .cli.multirun import sweep as sweep
from .cli.run import run as run
from .comparisons.agreement import agreement as agreement
from .comparisons.clusters import clusters as clusters
from .comparisons.clusters import linkage as linkage
from .comparisons.compare import compare as compare
from .comparisons.compare import correlations as correlations
from .comparisons.compare import stability as stability
from .comparisons.concentration import concentration as concentration
from .comparisons.measures import measures as measures
from .comparisons.paired import compare_heads as compare_heads
from .comparisons.paired import like_best as like_best
from .comparisons.profile import centre_of_mass as centre_of_mass
from .comparisons.profile import layer_profile as layer_profile
from .comparisons.published import load_published as load_published
from .errors import ProbingError as ProbingError
from .figures.comparison import draw_comparison as draw_comparison
from .figures.correlations import draw_correlations as draw_correlations
from .figures.head_counts import draw_top_heads as draw_top_heads
from .figures.heatmap import draw_grid as draw_grid
from .figures.masking_curves import draw_masking as draw_masking
from .figures.pairs_of_measures import draw_agreement as draw_agreement
from .figures.path import draw_path as draw_path
from .figures.profiles import draw_profiles as draw_profiles
from .figures.sheet import draw_sheet as draw_sheet
from .figures.trajectories import draw_trajectories as draw_trajectories
from .inventory.frames import stored as stored
from .models.capture import capture as capture
from .models.capture import edit as edit
from .models.masking import mask_heads as mask_heads
from .models.masking import mean_outputs as mean_outputs
from .models.pruned import load_pruned as load_pruned
from .models.removal import prune_heads as prune_heads
from .models.saving import save_pruned as save_pruned
from .models.trace import find_sites as find_sites
from .page.report import report as report
from .representations.public import load_representations as load_representations
from .results.load import grid as grid
from .results.load import load_predictions as load_predictions
from .results.load import load_results as load_results
from .results.tables.make import table as table
from .statistics.significance import permutation_p as permutation_p

__version__: str
