"""Result frames to draw, made by formula, and what a picture of them says."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd

from probing.figures.picture import Picture
from probing.figures.save import Files


def frame(
    layers: int = 3,
    heads: int = 4,
    *,
    model: str = "org/model",
    task: str = "senteval/trec",
    granularity: str = "head",
    seed: int = 0,
    **columns: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """One grid; scores rise with the layer and are mixed within it. Columns may be overwritten."""
    rows = []
    for layer in range(-1 if granularity == "layer" else 0, layers):
        for head in range(heads if granularity == "head" else 1):
            test = 0.3 + 0.5 * (layer + 1) / (layers + 1) + 0.05 * ((3 * head + layer) % heads) / heads
            rows.append({"layer": layer, "head": head, "test": test})
    made = pd.DataFrame(rows)
    made["head"] = made["head"].astype("Int64")
    if granularity != "head":
        made["head"] = pd.array([pd.NA] * len(made), dtype="Int64")
    sizes = pd.Series([None if granularity == "layer" else 1] * len(made), dtype="Int64")
    settings = {
        "analysis": "heads", "model": model, "task": task, "granularity": granularity, "pooling": "mean",
        "probe": "logistic", "seed": seed, "baseline": "none", "variant": pd.NA, "metric": "accuracy",
        "dev": made["test"] - 0.01,
        "test_low": made["test"] - 0.03, "test_high": made["test"] + 0.03, "l2": 0.1, "n_train": 100,
        "n_dev": 50, "n_test": 50, "n_classes": 6, "majority": 0.167, "key": "k",
        "step": pd.NA, "draw": pd.NA, "n_heads": sizes,
        "objective": pd.NA, "stack": pd.NA, "limit": pd.NA,
        "plugin": pd.NA, "fill": pd.NA, "normalisation": pd.NA, "penalty": pd.NA,
        "direction": pd.NA, "main": True,
    }  # fmt: skip
    return made.assign(**{**settings, **columns})


def top_heads(task: str = "senteval/trec", *, draws: int = 3, **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """The effect of 1, 2, 4 and all 6 heads: the best score 0.5 + 0.05 per doubling, random ones less."""
    counts, rows = (1, 2, 4, 6), []
    for place, n in enumerate(counts):
        rows.append(
            {"variant": "top", "n_heads": n, "test": 0.5 + 0.05 * place, "dev": 0.6 - 0.01 * (place - 2) ** 2}
        )
        drawn = [("random", 0.3 + 0.05 * place, draws if n < 6 else 0), ("permuted", 0.17, 2)]
        rows += [
            {"variant": variant, "draw": draw, "n_heads": n, "test": level + 0.01 * draw}
            for variant, level, count in drawn
            for draw in range(count)
        ]
    rows += [
        {"variant": "last_layer", "layer": 2, "test": 0.58},
        {"variant": "best_layer", "layer": 1, "test": 0.61},
    ]
    table = pd.DataFrame(rows)
    table["dev"] = table["dev"].fillna(table["test"])
    settings = frame(1, 1, task=task, granularity="top_heads").drop(columns=[*table, "head"])
    table = table.assign(**{str(name): column.iloc[0] for name, column in settings.items()})
    table = table.assign(test_low=table["test"] - 0.02, test_high=table["test"] + 0.02, head=None)
    return table.astype(dict.fromkeys(["layer", "head", "n_heads", "draw"], "Int64")).assign(**columns)


def checkpoints(steps: tuple[int, ...] = (0, 100, 200), **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """A grid for each step, better by 0.1 each time."""
    grids = []
    for place, step in enumerate(steps):
        rows = frame(model=f"run@checkpoint-{step}", **columns)
        grids.append(rows.assign(step=step, test=rows["test"] - 0.2 + 0.1 * place))
    return pd.concat(grids, ignore_index=True).astype({"step": "Int64"})


def put(rows: pd.DataFrame, layer: int, head: int, **values: float) -> pd.DataFrame:
    """The rows with other values for one head."""
    changed = rows.copy()
    cell = (changed["layer"] == layer) & (changed["head"] == head)
    for name, value in values.items():
        changed.loc[cell, name] = value
    return changed


def texts(svg: Path) -> list[str]:
    """Every line of text in an SVG file."""
    return [node.text or "" for node in ET.parse(svg).iter() if node.tag.endswith("}text")]


def written(picture: Picture) -> Files:
    """The files of a picture that was drawn with a path."""
    assert picture.files is not None
    return picture.files
