"""The n best heads concatenated, with the baselines for comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from probing.analyses.analysis import Context
from probing.analyses.vectors import Head, Pick, all_heads
from probing.tasks.control import permuted_task
from probing.tasks.task import Task

FitPicks = Callable[[Task, Sequence[Pick]], list[dict[str, object]]]


def top_rows(context: Context, n: int, fit: FitPicks) -> list[dict[str, object]]:
    """Return rows for n heads: the best by dev, as many at random, and the best on permuted labels.

    Selection uses dev scores only. The rows `permuted` show its optimism: there heads are ranked and
    concatenated in the same way on labels that do not depend on the texts. These rows and those of random
    heads are given for up to half of all heads.

    Args:
        context: Context of the analysis, which has the grid of single heads.
        n: Number of heads.
        fit: Function that returns the rows of probes on some picks, for a task.

    Raises:
        CorruptFileError: If vectors are damaged in the cache.
    """
    heads = all_heads(context)
    best = ranking(context.result("head"))[:n]
    picks = [_pick("top", best)]
    settings = context.methods.granularity
    few = 2 * n <= len(heads)  # larger sets are nearly the same however they are chosen, and cost most
    if few:
        picks += [_pick("random", random_heads(heads, n, context.seed, k), k) for k in range(settings.draws)]
    rows = fit(context.reading.task, picks)
    if not few or context.labels.get("baseline", "none") != "none":
        return rows
    for draw in range(settings.permutations):
        chosen = ranking(context.result("head", draw))[:n]
        task = permuted_task(context.reading.asked, draw, context.seed).take(context.reading.kept)
        rows += fit(task, [_pick("permuted", chosen, draw)])
    return rows


def layer_rows(context: Context) -> pd.DataFrame:
    """Return the rows of the last layer, and of the layer (not the embeddings) that is best on dev."""
    layers = context.result("layer")
    layers = layers[layers["layer"] >= 0]
    chosen = {"last_layer": int(layers["layer"].max()), "best_layer": ranking(layers)[0][0]}
    rows = pd.concat([layers[layers["layer"] == layer] for layer in chosen.values()], ignore_index=True)
    rows["variant"] = pd.array(list(chosen), dtype="string")
    for name in ("granularity", "key"):
        rows[name] = pd.array([str(context.labels[name])] * len(rows), dtype="string")
    return rows


def ranking(frame: pd.DataFrame) -> list[Head]:
    """Return (layer, head) of a grid's rows, best dev score first; ties go to the lowest layer and head."""
    dev = frame["dev"].to_numpy(dtype=np.float64)
    layer = frame["layer"].to_numpy(dtype=np.int64)
    head = frame["head"].to_numpy(dtype=np.int64, na_value=0)
    order = np.lexsort((head, layer, -dev.round(12)))
    return [(int(layer[row]), int(head[row])) for row in order]


def random_heads(heads: Sequence[Head], n: int, seed: int, draw: int) -> list[Head]:
    """Return a random set of heads, which differs between seeds and draws."""
    generator = np.random.default_rng([seed, draw])
    return [heads[place] for place in generator.choice(len(heads), n, replace=False)]


def _pick(variant: str, ranked: Sequence[Head], draw: int | None = None) -> Pick:
    """Return a pick in the order of the model, so that the same heads always give the same vectors."""
    told = " ".join(f"{layer}.{head}" for layer, head in ranked)
    cell: dict[str, object] = {"variant": variant, "draw": draw, "n_heads": len(ranked), "heads": told}
    return Pick(tuple(sorted(ranked)), cell)
