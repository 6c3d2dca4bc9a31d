"""The batched logistic probe against a joblib loop of scikit-learn's solvers.

    probing task=senteval/trec task.root=SentEval/data
    python experiments/benchmarks/probes.py --task senteval/trec

The benchmark reads the cached vectors of a task. Without a task, it generates vectors of the size of TREC
through MiniLM. Both sides get the same standardised float32 features and fit every head at five L2 values.
Rounds take turns, so that both sides meet the same disturbances.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

import probing
from experiments.benchmarks.report import write_report
from probing.probes.l2_choice import predict
from probing.probes.log_likelihood import LogLikelihood
from probing.probes.logistic import Logistic
from probing.probes.scaling import Scaling

HEADS = 12
SOLVERS = ("lbfgs", "newton-cholesky")
Weights = torch.Tensor


@dataclass(frozen=True)
class Data:
    """Standardised features float32 (u, n, dim) and labels (n,) of train and of test."""

    features: torch.Tensor
    labels: NDArray[np.int64]
    test_features: torch.Tensor
    test_labels: NDArray[np.int64]

    @property
    def k(self) -> int:
        """Number of classes."""
        return int(self.labels.max()) + 1


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    vectors, labels, n_train = read(options.root, options.task) if options.task else made_up()
    figures = compare(standardised(vectors, labels, n_train), options.cores, options.rounds)
    write_report(options.root, "probes", {"task": options.task or "made up", **figures})


def read(root: Path, task: str) -> tuple[torch.Tensor, NDArray[np.int64], int]:
    """Return cached head outputs (u, n, dim), labels and number of train rows; at least three classes."""
    frame = probing.load_representations(root, task=task, granularity="head", frame=True)
    frame = frame[frame.index.get_level_values("split") != "dev"]
    _, labels = np.unique(frame.index.get_level_values("label"), return_inverse=True)
    units = len(frame.columns) // len(set(frame.columns.get_level_values("feature")))
    vectors = torch.from_numpy(frame.to_numpy()).view(len(frame), units, -1).transpose(0, 1).contiguous()
    return vectors, labels.astype(np.int64), int((frame.index.get_level_values("split") == "train").sum())


def made_up(
    units: int = 72, n: int = 5952, dim: int = 32, k: int = 6
) -> tuple[torch.Tensor, NDArray[np.int64], int]:
    """Return overlapping Gaussian classes with correlated features, in the size of TREC through MiniLM."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(k, (n,), generator=generator)
    means = torch.randn(units, k, dim, generator=generator) * 0.4
    mix = torch.eye(dim) + torch.randn(units, dim, dim, generator=generator) / dim**0.5
    noise = torch.randn(units, n, dim, generator=generator) @ mix
    return means[:, labels] + noise, labels.numpy(), n - 500


def standardised(vectors: torch.Tensor, labels: NDArray[np.int64], n_train: int) -> Data:
    """Scale by train statistics and split; without test rows, train is scored."""
    scaling = Scaling.of(vectors[:, :n_train], True)
    features = scaling.apply(vectors)[..., :-1].contiguous()
    test = slice(n_train, None) if n_train < len(labels) else slice(None)
    return Data(features[:, :n_train].contiguous(), labels[:n_train], features[:, test], labels[test])


def compare(data: Data, cores: int, rounds: int) -> dict[str, object]:
    """Return times, their ratios, and the differences between the two optima.

    Args:
        data: Features and labels.
        cores: Number of threads of the batched probe, and of single-threaded processes of scikit-learn.
        rounds: Number of rounds in which everything is timed.
    """
    torch.set_num_threads(cores)
    probe = Logistic(standardize=False)
    ways: dict[str, Callable[[], Weights]] = {"batched": lambda: batched(probe, data)}
    with Parallel(n_jobs=cores, max_nbytes="1M") as pool:
        for solver in SOLVERS:
            ways[solver] = partial(looped, pool, probe.l2, data, solver)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        found: dict[str, Weights] = {}
        # the first round starts threads and processes and is not counted
        for turn in range(rounds + 1):
            for name, way in ways.items():
                began = time.perf_counter()
                found[name] = way()
                if turn:
                    seconds[name].append(time.perf_counter() - began)
    fastest = min(SOLVERS, key=lambda name: float(np.median(seconds[name])))
    ratios = [loop / ours for loop, ours in zip(seconds[fastest], seconds["batched"], strict=True)]
    figures: dict[str, object] = {
        "shape": {
            "units": len(data.features),
            "n": len(data.labels),
            "dim": data.features.shape[2],
            "k": data.k,
        },
        "l2": list(probe.l2),
        "cores": cores,
        "seconds": {name: [round(value, 3) for value in values] for name, values in seconds.items()},
        "fastest_loop": fastest,
        "ratio_median": float(np.median(ratios)),
        "ratio_of_best": min(seconds[fastest]) / min(seconds["batched"]),
        "agreement": {name: agreement(data, probe.l2, found["batched"], found[name]) for name in SOLVERS},
    }
    _print_table(figures, seconds)
    return figures


def batched(probe: Logistic, data: Data) -> Weights:
    """Fit all heads of a layer at once, layer after layer; float64 (u, l, k, dim + 1)."""
    labels = torch.from_numpy(data.labels)
    return torch.cat([probe.train(layer, labels, data.k) for layer in torch.split(data.features, HEADS)])


def looped(pool: Parallel, l2: tuple[float, ...], data: Data, solver: str) -> Weights:
    """Run one scikit-learn fit after another on every core; float64 (u, l, k, dim + 1)."""
    features = data.features.numpy()
    jobs = (
        delayed(_fit)(features, unit, data.labels, value, solver)
        for unit in range(len(features))
        for value in l2
    )
    weights = np.array(pool(jobs)).reshape(len(features), len(l2), data.k, -1)
    return torch.from_numpy(weights).double()


def _fit(
    features: NDArray[np.float32], unit: int, labels: NDArray[np.int64], l2: float, solver: str
) -> NDArray[np.float64]:
    model = LogisticRegression(C=1 / (l2 * len(labels)), solver=solver, max_iter=2000)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(features[unit], labels)
    return np.column_stack([model.coef_, model.intercept_])


def agreement(data: Data, l2: tuple[float, ...], ours: Weights, theirs: Weights) -> dict[str, float]:
    """Return differences in float64 objective and test accuracy; negative where the probe's is lower."""
    labels, strengths = torch.from_numpy(data.labels), torch.tensor(l2, dtype=torch.float64)
    gaps = []
    for unit, features in enumerate(data.features):
        ones = torch.ones(1, len(labels), 1, dtype=torch.float64)
        objective = LogLikelihood.of(torch.cat([features[None].double(), ones], 2), labels, strengths, data.k)
        mine, other = (objective(weights[unit : unit + 1]).loss for weights in (ours, theirs))
        gaps.append((mine - other) / other)
    gap = torch.stack(gaps)
    target = torch.from_numpy(data.test_labels)
    hits = [(predict(weights, data.test_features) == target).double().mean() for weights in (ours, theirs)]
    return {
        "objective_worst": float(gap.max()),
        "objective_mean": float(gap.mean()),
        "objective_best": float(gap.min()),
        "accuracy": float(hits[0]),
        "accuracy_points_apart": float(100 * (hits[0] - hits[1]).abs()),
    }


def _print_table(figures: dict[str, object], seconds: dict[str, list[float]]) -> None:
    ours = float(np.median(seconds["batched"]))
    print(f"{'':18}{'median s':>10}{'ratio':>8}")
    for name, values in seconds.items():
        print(f"{name:18}{np.median(values):10.3f}{np.median(values) / ours:8.1f}")
    print(f"ratio to {figures['fastest_loop']}: {figures['ratio_median']:.1f}")


if __name__ == "__main__":
    main()
