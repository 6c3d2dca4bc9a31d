"""A run of `top_heads` as lines over the number of heads."""

from __future__ import annotations

import pandas as pd

from probing.page.contents import CurveLine
from probing.page.support import numbers

VARIANTS = ("top", "random", "permuted", "last_layer", "best_layer")


def lines(rows: pd.DataFrame) -> tuple[CurveLine, ...]:
    """The lines of one run; several draws of the same n become their mean, lowest and highest score.

    Args:
        rows: Rows of one run of `top_heads`.
    """
    kinds = {kind: rows[rows["variant"] == kind] for kind in VARIANTS}
    return tuple(_line(kind, of_kind) for kind, of_kind in kinds.items() if len(of_kind))


def _line(kind: str, rows: pd.DataFrame) -> CurveLine:
    groups = rows.groupby("n_heads" if kind in VARIANTS[:3] else "layer", dropna=False)
    drawn = groups["test"].count().max() > 1
    test = groups["test"]
    heads = groups["heads"].first().astype("string").fillna("").tolist()
    return CurveLine(
        variant=kind,
        layer=None if rows["layer"].isna().all() else int(rows["layer"].iloc[0]),
        n_heads=numbers(groups["n_heads"].first()),
        dev=numbers(groups["dev"].mean()),
        test=numbers(test.mean()),
        low=numbers(test.min() if drawn else groups["test_low"].first()),
        high=numbers(test.max() if drawn else groups["test_high"].first()),
        heads=[] if drawn else heads,
        draws=int(groups["test"].count().max()),
    )
