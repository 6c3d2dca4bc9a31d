"""Result frames to draw, made by formula, and what a picture of them says."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd


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
    if granularity == "layer":
        made["head"] = pd.array([pd.NA] * len(made), dtype="Int64")
    settings = {
        "analysis": "heads", "model": model, "task": task, "granularity": granularity, "pooling": "mean",
        "probe": "logistic", "seed": seed, "baseline": "none", "variant": pd.NA, "metric": "accuracy",
        "dev": made["test"] - 0.01,
        "test_low": made["test"] - 0.03, "test_high": made["test"] + 0.03, "l2": 0.1, "n_train": 100,
        "n_dev": 50, "n_test": 50, "n_classes": 6, "majority": 0.167, "key": "k",
    }  # fmt: skip
    return made.assign(**{**settings, **columns})


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
