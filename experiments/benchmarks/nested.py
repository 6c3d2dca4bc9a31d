"""Nested k-fold of the batched logistic probe against a joblib loop of scikit-learn's fits.

    probing task=senteval/cr task.root=SentEval/data
    python experiments/benchmarks/nested.py --task senteval/cr

The benchmark reads the cached vectors of a task of two classes. Without a task, it generates vectors of the
size of CR through MiniLM. Both sides run the whole protocol: scaling, five L2 values in every inner fold, and
the best of them in the outer fold. The probe fits all heads. The loop fits a few evenly spaced heads, one at
a time on each core, and its time for all heads is extrapolated from their number. Rounds take turns, so that
both sides meet the same disturbances.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

import probing
from experiments.benchmarks.report import write_report
from probing.probes.logistic import Logistic
from probing.statistics.scores import test_scores
from probing.tasks.problem import Problem
from probing.tasks.target import Classes

HEADS = 12
SEED = 1111
SOLVERS = ("lbfgs", "newton-cholesky")
Predictions = NDArray[np.int64]
Data = tuple[torch.Tensor, Predictions]


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--heads", type=int, default=2, help="number of heads that the loop fits")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    torch.set_num_threads(options.cores)
    data = read(options.root, options.task) if options.task else made_up()
    figures = compare(data, options.folds, options.heads, options.cores, options.rounds)
    write_report(options.root, "nested", {"task": options.task or "made up", **figures})


def read(root: Path, task: str) -> Data:
    """Return cached head outputs (u, n, dim) and labels of a task."""
    frame = probing.load_representations(root, task=task, granularity="head", frame=True)
    _, labels = np.unique(frame.index.get_level_values("label"), return_inverse=True)
    units = len(frame.columns) // len(set(frame.columns.get_level_values("feature")))
    vectors = torch.from_numpy(frame.to_numpy()).view(len(frame), units, -1).transpose(0, 1).contiguous()
    return vectors, labels.astype(np.int64)


def made_up(units: int = 72, n: int = 3775, dim: int = 32) -> Data:
    """Return two overlapping Gaussian classes with correlated features, in the size of CR through MiniLM."""
    generator = torch.Generator().manual_seed(0)
    labels = (torch.rand(n, generator=generator) < 0.64).long()
    means = torch.randn(units, 2, dim, generator=generator) * 0.08
    mix = torch.eye(dim) + torch.randn(units, dim, dim, generator=generator) / dim**0.5
    return means[:, labels] + torch.randn(units, n, dim, generator=generator) @ mix, labels.numpy()


def compare(data: Data, folds: int, heads: int, cores: int, rounds: int) -> dict[str, object]:
    """Return times, their ratios, and the differences between both sides.

    Args:
        data: Vectors and labels.
        folds: Number of outer folds, and of inner folds in each.
        heads: Number of heads that the loop fits.
        cores: Number of threads of the probe, and of single-threaded processes of the loop.
        rounds: Number of rounds in which everything is timed.
    """
    vectors, labels = data
    probe, problem = Logistic(), pose(labels, folds)
    few = np.linspace(0, len(vectors) - 1, min(heads, len(vectors))).round().astype(int)
    sample = vectors[few].numpy()
    with Parallel(n_jobs=cores, max_nbytes="1M") as pool:
        ways: dict[str, Callable[[], Predictions]] = {"batched": partial(batched, probe, vectors, problem)}
        ways |= {solver: partial(looped, pool, sample, labels, folds, solver) for solver in SOLVERS}
        # the start of threads and processes is not counted
        batched(probe, vectors[:HEADS], problem)
        looped(pool, sample[:, :500], labels[:500], 2, SOLVERS[0])
        seconds, found = measure(ways, rounds)
    share = len(few) / len(vectors)
    loops = {name: [value / share for value in seconds[name]] for name in SOLVERS}
    fastest = min(SOLVERS, key=lambda name: float(np.median(loops[name])))
    ratios = [loop / ours for loop, ours in zip(loops[fastest], seconds["batched"], strict=True)]
    _print_table(seconds["batched"], loops)
    return {
        "shape": {"units": len(vectors), "n": len(labels), "dim": vectors.shape[2]},
        "folds": {"outer": folds, "inner": folds},
        "l2": list(probe.l2),
        "cores": cores,
        "heads_of_loop": len(few),
        "seconds": {name: [round(value, 3) for value in values] for name, values in seconds.items()},
        "seconds_extrapolated": {name: [round(value, 1) for value in loops[name]] for name in SOLVERS},
        "fastest_loop": fastest,
        "ratio_median": float(np.median(ratios)),
        "accuracy": float(test_scores(problem, found["batched"])["accuracy"].mean()),
        "share_of_predictions_that_differ": {
            name: float((found["batched"][few] != found[name]).mean()) for name in SOLVERS
        },
    }


def measure(
    ways: dict[str, Callable[[], Predictions]], rounds: int
) -> tuple[dict[str, list[float]], dict[str, Predictions]]:
    """Return the seconds of each side in every round, and its results."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found: dict[str, Predictions] = {}
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            found[name] = way()
            seconds[name].append(time.perf_counter() - began)
    return seconds, found


def pose(labels: Predictions, folds: int) -> Problem:
    """Return the problem of nested k-fold over all rows."""
    rows = np.arange(len(labels))
    target = Classes(labels, tuple(map(str, range(int(labels.max()) + 1))))
    return Problem(target, rows, rows[:0], rows, "nested", folds, "accuracy", SEED)


def batched(probe: Logistic, vectors: torch.Tensor, problem: Problem) -> Predictions:
    """Fit all heads of a layer at once, layer after layer; (u, n)."""
    return np.concatenate([probe.fit(layer, problem).predictions for layer in torch.split(vectors, HEADS)])


def looped(
    pool: Parallel, vectors: NDArray[np.float32], labels: Predictions, folds: int, solver: str
) -> Predictions:
    """Fit one head after another on every core; (u, n)."""
    jobs = (delayed(_nested)(vectors, unit, labels, folds, solver) for unit in range(len(vectors)))
    return np.stack(pool(jobs))


def _nested(
    vectors: NDArray[np.float32], unit: int, labels: Predictions, folds: int, solver: str
) -> Predictions:
    """Run SentEval's InnerKFoldClassifier on standardised vectors."""
    x, guesses = vectors[unit], np.empty_like(labels)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=SEED)
    values = sorted(Logistic().l2, reverse=True)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for fit, held in splitter.split(x, labels):
            scores = []
            for a, b in splitter.split(x[fit], labels[fit]):
                found = _fit(x[fit[a]], labels[fit[a]], x[fit[b]], values, solver)
                scores.append((found == labels[fit[b]]).mean(1))
            best = values[int(np.mean(scores, axis=0).argmax())]
            guesses[held] = _fit(x[fit], labels[fit], x[held], [best], solver)[0]
    return guesses


def _fit(
    x: NDArray[np.float32], labels: Predictions, held: NDArray[np.float32], values: list[float], solver: str
) -> Predictions:
    """Return predictions for the held-out rows, for each L2 value."""
    scaler = StandardScaler().fit(x)
    x, held = scaler.transform(x), scaler.transform(held)
    models = [LogisticRegression(C=2 / (l2 * len(x)), solver=solver, max_iter=2000) for l2 in values]
    return np.stack([model.fit(x, labels).predict(held) for model in models])


def _print_table(ours: list[float], loops: dict[str, list[float]]) -> None:
    middle = float(np.median(ours))
    print(f"{'':18}{'median s':>10}{'ratio':>8}")
    print(f"{'batched':18}{middle:10.2f}{1:8.1f}")
    for name, values in loops.items():
        print(f"{name:18}{np.median(values):10.2f}{np.median(values) / middle:8.1f}  (extrapolated)")


if __name__ == "__main__":
    main()
