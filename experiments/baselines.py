"""Comparison of heads with a randomly initialised model and with control labels.

    probing -m experiment=baselines
    python experiments/baselines.py

The study reads the sweep's results and compares every head with the same head of the randomly initialised
model (untrained), and with the same probe on control labels. If these hardly differ on a task, the words
alone, or the probe, solve the task.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import probing
from experiments.arguments import Parser
from probing.errors import ProbingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison and write it as a table; return 2 if the sweep has not been run."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    try:
        options = parser.parse_args(arguments)
        table = compare(probing.load_results(options.root))
    except ProbingError as error:
        print(f"baselines: {error}", file=sys.stderr)
        return 2
    path = options.root / "baselines.csv"
    table.to_csv(path)
    print(table.to_string(float_format="{:.3f}".format))
    print(f"table: {path}")
    return 0


def compare(frame: pd.DataFrame) -> pd.DataFrame:
    """Compare heads with their baselines.

    Args:
        frame: Output of `load_results`, of granularity `head`.

    Returns:
        A row for each model and task that has both baselines: mean test score of heads, of those of the
        untrained model, and on control labels; mean selectivity; the head that is best on dev, and its
        selectivity; majority; and the number of heads whose whole interval is above the score of the
        untrained model.

    Raises:
        ProbingError: If no head has both baselines.
    """
    whole = frame["untrained"].notna() & frame["control"].notna() & (frame["granularity"] == "head")
    if not whole.any():
        raise ProbingError("no results with both baselines; run first: probing -m experiment=baselines")
    rows = frame[whole].assign(above=frame["test_low"] > frame["untrained"])
    told_by = ["model", "task"]
    best = rows.sort_values("dev", ascending=False).drop_duplicates(told_by).set_index(told_by)
    table = rows.groupby(told_by).agg(
        majority=("majority", "first"),
        untrained=("untrained", "mean"),
        control=("control", "mean"),
        test=("test", "mean"),
        selectivity=("selectivity", "mean"),
        heads_above_untrained=("above", "sum"),
        heads=("above", "size"),
    )
    return table.assign(best_test=best["test"], best_selectivity=best["selectivity"])


if __name__ == "__main__":
    sys.exit(main())
