"""What do heads know that their architecture alone does not give them?

    probing -m experiment=untrained
    python experiments/untrained.py

Reads the sweep's results back and sets every trained head beside the same head of the untrained twin. A task
on which the two hardly differ is solved by the words alone, whatever the model has learnt.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import probing


def main() -> None:
    """Print the comparison and keep it as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    frame = probing.load_results(options.root)
    table = compare(frame)
    path = options.root / "untrained.csv"
    table.to_csv(path)
    print(table.to_string(float_format="{:.3f}".format))
    print(f"table: {path}")


def compare(frame: pd.DataFrame) -> pd.DataFrame:
    """Trained beside untrained heads, a row for each model and task.

    Args:
        frame: Results that hold the same tasks for a model and for its untrained twin.

    Returns:
        Mean and best test score of both, the majority baseline, and in how many heads the trained one's
        interval lies wholly above the untrained one's.
    """
    untrained = frame["model"].str.contains("-untrained-")
    frame = frame.assign(model=frame["model"].str.replace(r"-untrained-\d+$", "", regex=True))
    cell = ["model", "task", "granularity", "pooling", "probe", "seed", "n_train", "layer", "head"]
    both = frame[~untrained].merge(frame[untrained], on=cell, suffixes=("", "_untrained"))
    both["clearly_above"] = both["test_low"] > both["test_high_untrained"]
    return both.groupby(["model", "task"]).agg(
        majority=("majority", "first"),
        untrained_mean=("test_untrained", "mean"),
        trained_mean=("test", "mean"),
        untrained_best=("test_untrained", "max"),
        trained_best=("test", "max"),
        heads_clearly_above=("clearly_above", "sum"),
        heads=("clearly_above", "size"),
    )


if __name__ == "__main__":
    main()
