"""The tables and figures of Transformer Anatomy (Jo & Myaeng, ACL 2020), each from result rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import probing

NAMED = ["model", "task"]


@dataclass(frozen=True)
class Part:
    """A table or figure.

    Attributes:
        what: Description, with its number in the paper.
        granularities: Granularities of the runs that it needs.
        tasks: Kind of the tasks: `probing`, `downstream` or `both`.
        make: Function that writes it below a path without suffix and returns the table to print.
    """

    what: str
    granularities: tuple[str, ...]
    tasks: str
    make: Callable[[pd.DataFrame, Path], pd.DataFrame]


def heatmaps(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Draw the accuracy of every head, sorted within each layer."""
    probing.draw_sheet(frame, path, order="score")
    best = frame.sort_values("test", ascending=False).drop_duplicates(NAMED).sort_values(NAMED)
    return best[[*NAMED, "layer", "head", "dev", "test", "test_low", "test_high", "p_adjusted", "majority"]]


def layers(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Draw the depth at which a task is encoded: profiles, and the centre of the gain over majority."""
    for rows, own in _models(frame, path):
        probing.draw_profiles(rows, own)
    return probing.centre_of_mass(frame)[[*NAMED, "centre", "centre_depth", "best_layer", "n_layers"]]


def localised(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Draw how localised a task is: the effect of n heads, with summary numbers."""
    for rows, own in _models(frame[frame["granularity"] == "top_heads"], path):
        probing.draw_top_heads(rows, own)
    found = probing.concentration(frame)
    return found[[*NAMED, "gini", "above_majority", "with_best", "n_heads", "n_95", "area"]]


def correlations(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Draw the rank correlation of head scores between tasks, ordered by their tree; a picture per model."""
    matrices = []
    for rows, own in _models(frame, path):
        common = rows.groupby(["layer", "head"])["task"].transform("size") == len(rows["task"].unique())
        probing.draw_correlations(rows[common], own)
        matrix = probing.correlations(rows[common])
        cluster = probing.clusters(matrix, min(4, len(matrix)))
        matrices.append(matrix.assign(model=rows["model"].iloc[0], cluster=cluster))
    return pd.concat(matrices).rename_axis("task").reset_index()


def n_heads(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Draw the effect of the number of heads, with random heads, permuted labels and whole layers."""
    for rows, own in _models(frame, path):
        probing.draw_top_heads(rows, own)
    cells = frame[frame["variant"].isin(["top", "random", "permuted"])]
    means = cells.pivot_table(index=[*NAMED, "n_heads"], columns="variant", values="test")
    return means.astype(float).reset_index()


def reconstruction(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Compare a sentence's last layer, best layer and top heads; n and the layer are selected on dev."""
    del path
    rows = [grid for _, grid in frame.groupby(NAMED, sort=False)]
    # whole layers were not released for some tasks
    return pd.DataFrame([_reconstructed(grid) for grid in rows if (grid["variant"] == "last_layer").any()])


def _models(frame: pd.DataFrame, path: Path) -> list[tuple[pd.DataFrame, Path]]:
    """Return the rows of each model, and the path of its picture."""
    models = list(dict.fromkeys(frame["model"]))
    own = [path if len(models) == 1 else path.with_name(f"{path.name}-{model}") for model in models]
    return [(frame[frame["model"] == model], place) for model, place in zip(models, own, strict=True)]


def _reconstructed(rows: pd.DataFrame) -> dict[str, object]:
    # with equal dev scores, the fewest heads
    chosen = rows[rows["variant"] == "top"].sort_values(["dev", "n_heads"], ascending=[False, True]).iloc[0]
    last, best = (rows[rows["variant"] == name].iloc[0] for name in ("last_layer", "best_layer"))
    return {
        "model": chosen["model"],
        "task": chosen["task"],
        "last_layer": last["test"],
        "best_layer": best["test"],
        "layer": best["layer"],
        "top_heads": chosen["test"],
        "low": chosen["test_low"],
        "high": chosen["test_high"],
        "n": chosen["n_heads"],
        "gain_over_best": (chosen["test"] - best["test"]) / best["test"],
        "majority": chosen["majority"],
    }


PARTS = {
    "heatmaps": Part("head-wise accuracy, sorted within layers (its heatmaps)", ("head",), "both", heatmaps),
    "layers": Part("surface early, order in the middle, tense late", ("head",), "probing", layers),
    "localised": Part("localised or distributed (figure 3)", ("head", "top_heads"), "probing", localised),
    "correlations": Part("correlation of probing tasks (figure 4)", ("head",), "probing", correlations),
    "clusters": Part("clusters of probing and downstream tasks (figure 5)", ("head",), "both", correlations),
    "n_heads": Part("the effect of n heads", ("top_heads",), "both", n_heads),
    "reconstruction": Part("embedding reconstruction, probing", ("top_heads",), "probing", reconstruction),
    "downstream": Part("embedding reconstruction, downstream", ("top_heads",), "downstream", reconstruction),
}
