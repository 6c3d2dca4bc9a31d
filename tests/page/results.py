"""Result files by formula, for the page to read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pandas as pd

from probing.results.schema import as_frame
from probing.results.store import ResultStore


def score_of(layer: int, head: int, shift: int = 0) -> float:
    """Different in every cell and every grid, and a fraction."""
    return 0.4 + 0.5 * ((7 * layer + 11 * head + 5 * shift) % 37) / 37


def rows(
    task: str = "test/small",
    *,
    layers: int = 3,
    heads: int | None = 4,
    shift: int = 0,
    **columns: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """One grid, of whole layers where `heads` is None; columns may be overwritten."""
    made: list[dict[str, object]] = []
    for layer in range(layers):
        for head in range(heads or 1):
            test = score_of(layer, head, shift)
            made.append(
                {
                    "analysis": "probe", "model": "tiny", "task": task,
                    "granularity": "head" if heads else "layer", "pooling": "first", "probe": "logistic",
                    "seed": 1111, "baseline": "none", "layer": layer, "head": head if heads else None,
                    "n_heads": 1 if heads else None, "metric": "accuracy", "dev": test - 0.01, "test": test,
                    "test_low": test - 0.05, "test_high": test + 0.05, "n_train": 100, "n_dev": 50,
                    "n_test": 50, "n_classes": 2, "majority": 0.5,
                }
            )  # fmt: skip
    return as_frame(made).assign(**columns)


def top_rows(task: str = "test/small") -> pd.DataFrame:
    """One run of `top_heads`, of 1, 2 and 4 heads."""
    made: list[dict[str, object]] = []
    for n in (1, 2, 4):
        made.append({"variant": "top", "n_heads": n, "test": 0.6 + n / 50, "heads": " ".join(["2.1"] * n)})
        made += [{"variant": "random", "draw": k, "n_heads": n, "test": 0.5 + k / 10} for k in range(3)]
        made.append({"variant": "permuted", "draw": 0, "n_heads": n, "test": 0.5})
    made.append({"variant": "last_layer", "layer": 2, "test": 0.75})
    made.append({"variant": "best_layer", "layer": 1, "test": 0.8})
    frame = as_frame([{**row, "dev": row["test"]} for row in made])
    return frame.assign(
        analysis="probe", model="tiny", task=task, granularity="top_heads", pooling="first",
        probe="logistic", seed=1111, baseline="none", metric="accuracy", majority=0.5,
    )  # fmt: skip


def write(root: Path, frame: pd.DataFrame, about: dict[str, Any] | None = None) -> Path:
    """Put rows into a result file, under a key made of what they are."""
    content = frame.drop(columns="key").to_csv().encode()
    key = hashlib.sha256(content).hexdigest()[:16]
    first = frame.iloc[0]
    store = ResultStore(root / "results", key, f"{first['model']}.{first['task']}.{first['granularity']}")
    return store.write(frame.assign(key=key), about or {})
