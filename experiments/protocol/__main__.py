"""Dependence of grids on the probe: its optimum or an early stop, raw or standardised vectors, and the seed.

    probing -m experiment=protocol task.root=SentEval/data
    python -m experiments.protocol

The study reads the sweep's results, compares every two grids of the same heads, and draws a tree of protocols
for each task.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import pandas as pd

import probing
from experiments.arguments import Parser
from probing.errors import ProbingError

PROTOCOLS = {
    "logistic": "optimum, standardised",
    "logistic[standardize=false]": "optimum, raw",
    "senteval[standardize=true]": "early stop, standardised",
    "senteval": "early stop, raw (SentEval)",
}
TASKS = ("senteval/trec", "senteval/mrpc", "senteval/sick_e", "senteval/sst2")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparisons and write them as tables; return 2 if the sweep has not been run."""
    parser = Parser(
        prog="python -m experiments.protocol",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    try:
        root = parser.parse_args(arguments).root
        frame = grids(probing.load_results(root))
    except ProbingError as error:
        print(f"protocol: {error}", file=sys.stderr)
        return 2
    folder = root / "protocol"
    folder.mkdir(exist_ok=True)
    for name, table in {"levels": levels(frame), "pairs": pairs(frame), "seeds": seeds(frame)}.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        print(f"\n{name}\n{table.to_string(index=False, float_format='{:.3f}'.format)}")
    for task, rows in frame[frame["seed"] == frame["seed"].max()].groupby("task"):
        named = rows.assign(probe=rows["protocol"].astype("string"))
        probing.draw_correlations(named, folder / str(task).replace("/", "-"), by="probe")
    print(f"tables and pictures: {folder}")
    return 0


def grids(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the sweep with a column `protocol`; only those of the largest train of each task.

    Raises:
        ProbingError: If there are no such rows.
    """
    rows = frame[
        (frame["granularity"] == "head")
        & (frame["baseline"] == "none")
        & (frame["pooling"] == "first")
        & frame["probe"].isin(list(PROTOCOLS))
        & frame["task"].isin(TASKS)
    ]
    rows = rows[rows["n_train"] == rows.groupby(["model", "task"])["n_train"].transform("max")]
    if rows.empty:
        raise ProbingError("no results; run first: probing -m experiment=protocol task.root=SentEval/data")
    return rows.assign(protocol=rows["probe"].map(PROTOCOLS))


def levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Summarise each protocol on each task: mean over heads, the head that is best on dev, majority."""
    told_by = ["model", "task", "protocol"]
    best = frame.sort_values("dev", ascending=False).drop_duplicates(told_by).set_index(told_by)["test"]
    found = frame.groupby(told_by).agg(mean_test=("test", "mean"), majority=("majority", "first"))
    return found.assign(chosen_on_dev=best).reset_index()


def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Compare every two protocols with the same seed: their ranks of heads, and their scores."""
    rows = []
    for (model, task, seed), cells in frame.groupby(["model", "task", "seed"]):
        for first, second in combinations(PROTOCOLS.values(), 2):
            a, b = (cells[cells["protocol"] == name] for name in (first, second))
            if len(a) and len(b):
                rows.append({"model": model, "task": task, "seed": seed, "first": first, "second": second}
                            | _alike(a, b))  # fmt: skip
    return pd.DataFrame(rows)


def seeds(frame: pd.DataFrame) -> pd.DataFrame:
    """Compare every two seeds of one protocol."""
    rows = []
    for (model, task, protocol), cells in frame.groupby(["model", "task", "protocol"]):
        for first, second in combinations(sorted(cells["seed"].unique()), 2):
            a, b = (cells[cells["seed"] == seed] for seed in (first, second))
            rows.append({"model": model, "task": task, "protocol": protocol, "first": first, "second": second}
                        | _alike(a, b))  # fmt: skip
    return pd.DataFrame(rows)


def _alike(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, float]:
    found = probing.compare(a, b)
    return {
        "spearman": found.spearman,
        "mean_difference": found.mean_difference,
        "mean_absolute_difference": found.mean_absolute_difference,
        "top_overlap": found.top_overlap,
    }


if __name__ == "__main__":
    sys.exit(main())
