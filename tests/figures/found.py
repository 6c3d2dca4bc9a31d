"""Result frames of what analyses find about heads, made by formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.results.schema import as_frame
from probing.results.select import selected_gates

Numbers = NDArray[np.float64]
FULL = 0.832


def strengths(layers: int, heads: int) -> Numbers:
    """(layers, heads), how much a model is made to need each head: 1 in one of them, less in all others."""
    layer, head = np.mgrid[:layers, :heads].astype(np.float64)
    need: Numbers = 0.5 * np.abs(np.sin(3.7 * layer + 2.3 * head)) * np.exp(-0.15 * head)
    need[layers // 2, heads // 3] = 1.0
    return need


def cells(
    need: Numbers, of_cell: Callable[[float], dict[str, object]], **columns: object
) -> list[dict[str, object]]:
    """A row for every head, ranked by how much it is needed."""
    ranks = (-need).ravel().argsort(kind="stable").argsort() + 1
    places = np.ndindex(*need.shape)
    return [
        {
            **settings(), "layer": layer, "head": head, "n_heads": 1,
            "rank": int(rank), **columns, **of_cell(float(need[layer, head])),
        }
        for (layer, head), rank in zip(places, ranks, strict=True)
    ]  # fmt: skip


def settings(**columns: object) -> dict[str, object]:
    """What all rows of a run have in common."""
    return {
        "model": "org/model", "task": "grammar/tense", "granularity": "head", "pooling": "mean",
        "objective": "readout", "seed": 0, "baseline": "none", "metric": "accuracy", "n_dev": 500,
        "n_test": 500, "key": "k", "setup": "q", **columns,
    }  # fmt: skip


def importance(layers: int = 3, heads: int = 4, **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Six grids: per example up to 0.0234 nats, per token up to twice that."""
    need, rows = strengths(layers, heads), []
    for name, scale in (("per_example", 0.0234), ("per_token", 0.0468)):
        norm = np.linalg.norm(need, axis=1, keepdims=True)
        for kind, values in ((None, scale * need), ("layer", need / norm), ("minmax", need)):
            common = {
                "analysis": "importance", "variant": name, "normalisation": kind, "metric": "loss",
                "n_test": None, "main": name == "per_example" and kind is None,
            }  # fmt: skip
            rows += cells(values, lambda v: {"value": v}, **common)
    return as_frame(rows).assign(**columns)


def ablation(layers: int = 3, heads: int = 4, **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Without a head the score falls by up to 4.2 points, or rises by 0.4; alone in its layer by less."""
    need, rows = strengths(layers, heads), []
    for name, least in (("leave_one_out", 0.004), ("only_one", -0.03)):
        common = {"analysis": "ablation", "full": FULL, "variant": name, "fill": "zero"}
        main = name == "leave_one_out"

        def score(need: float, least: float = least) -> dict[str, object]:
            delta = least - (0.042 + least) * need if least > 0 else least + 0.034 * need
            ends = {"value_low": delta - 0.018, "value_high": delta + 0.018}
            return {"value": delta, "test": FULL + delta, "dev": FULL + delta, **ends}

        def loss(need: float, worst: float = 0.0123) -> dict[str, object]:
            return {
                "value": worst * need,
                "value_low": worst * need - 0.002,
                "value_high": worst * need + 0.002,
            }

        rows += cells(need, score, **common, main=main)
        rows += cells(need, loss, **common, main=False, metric="loss")
    best = [(layer, int(row.argmax())) for layer, row in enumerate(need)]
    rows += [
        settings(
            analysis="ablation", variant="only_best", fill="zero", main=False,
            layer=layer, head=head, full=FULL,
            value=0.01 * layer - 0.02, value_low=0.01 * layer - 0.03, value_high=0.01 * layer - 0.01,
        )
        for layer, head in best
    ]  # fmt: skip
    return as_frame(rows).assign(**columns)


def masking(heads: int = 72, draws: int = 3, **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """From 83.2 % with all heads to 50 % with none, later along one ranking than along another."""
    steps, rows = [*range(heads, 0, -max(1, heads // 10)), 0], []
    for name, power in (("iterative", 8), ("importance", 6), ("ablation", 5), ("probe", 3), ("random", 2)):
        for draw in range(draws) if name == "random" else (None,):
            for left in steps:
                gone = 1 - left / heads
                test = FULL - (FULL - 0.5) * gone ** (power + 0.5 * (draw or 0))
                row = settings(
                    analysis="masking", variant=name, main=False, draw=draw, n_heads=left, full=FULL
                )
                rows.append({**row, "n_heads": left, "test": test, "dev": test + 0.01, "value": test - FULL})
    return as_frame(rows).assign(**columns)


def prune(layers: int = 3, heads: int = 4, **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """Half of the heads are kept; the model is a tenth smaller and faster."""
    need = strengths(layers, heads)
    kept = need >= np.median(need)
    rows = cells(kept.astype(float), lambda v: {"value": v}, rank=None, analysis="prune", variant="kept")
    common = settings(analysis="prune", main=False)
    for name, count, test in (
        ("full", need.size, FULL),
        ("masked", kept.sum(), 0.8),
        ("pruned", kept.sum(), 0.8),
    ):
        rows.append({**common, "variant": name, "n_heads": int(count), "test": test, "dev": test + 0.01})
    for metric, full in (("parameters", 22_000_000.0), ("megabytes", 88.0), ("seconds", 1.5)):
        for name, value in (("full", full), ("pruned", 0.9 * full)):
            rows.append({**common, "variant": name, "metric": metric, "value": value})
    return as_frame(rows).assign(**columns)


def of(rows: pd.DataFrame, variant: str, **columns: str | float | None) -> pd.DataFrame:
    """The rows of one kind; None selects what is missing."""
    for name, value in {"variant": variant, **columns}.items():
        chosen = rows[name].isna() if value is None else rows[name].eq(value).fillna(value=False)
        rows = rows[chosen.astype(bool)]
    return rows


def gates(
    layers: int = 3,
    heads: int = 4,
    lambdas: tuple[float, ...] = (0.001, 0.01, 0.1),
    **columns: Any,  # noqa: ANN401
) -> pd.DataFrame:
    """The stronger the penalty, the fewer gates are open, and the lower the score."""
    need, rows = strengths(layers, heads), []
    whole = settings(analysis="gates", variant="full", main=False, full=FULL, test=FULL, dev=FULL + 0.01)
    rows.append({**whole, "n_heads": need.size})
    for number, penalty in enumerate(lambdas):
        gate = np.clip(1.6 * need - 0.4 * number, 0.0, 1.0)
        common = {"analysis": "gates", "metric": "gate", "penalty": penalty}
        rows += cells(gate, lambda v: {"value": v}, variant="gate", main=False, **common)
        rows += cells(gate, lambda v: {"value": 0.05 + 0.9 * v}, variant="open", main=False, **common)
        test = FULL - 0.3 * (number / len(lambdas)) ** 2
        path = settings(analysis="gates", variant="path", main=False, penalty=penalty, full=FULL)
        rows.append({**path, "n_heads": int((gate > 0).sum()), "test": test, "dev": test + 0.01})
    frame = as_frame(rows)
    return frame.assign(main=selected_gates(frame).astype("boolean")).assign(**columns)


def entropy(layers: int = 3, heads: int = 4, **columns: Any) -> pd.DataFrame:  # noqa: ANN401
    """From 0.5 nats to 3.5."""
    made = {"analysis": "entropy", "metric": "nats", "objective": None, "pooling": None}
    rows = cells(strengths(layers, heads), lambda v: {"value": 0.5 + 3 * v}, rank=None, **made)
    return as_frame(rows).assign(**columns)
