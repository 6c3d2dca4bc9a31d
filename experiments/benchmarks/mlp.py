"""The batched MLP probe against a loop of PyTorch modules, one for each head and L2 value.

    probing task=senteval/trec task.root=SentEval/data
    python experiments/benchmarks/mlp.py --task senteval/trec

The benchmark reads the cached vectors of a task. Without a task, it generates vectors of the size of TREC
through MiniLM. Both sides get the same vectors, the same tenth of train for early stopping and the same
seeds, and select among the same L2 values. The loop runs on every core, with one thread each, for a few heads
spread over all layers. Its time for all heads is extrapolated from them. Rounds take turns, so that both
sides meet the same disturbances.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import TensorDataset

from experiments.benchmarks.probes import made_up, read
from experiments.benchmarks.report import write_report
from probing.probes.contract import Fit
from probing.probes.mlp import Mlp
from probing.probes.senteval import SentEval
from probing.statistics.folds import inner_splits
from probing.tasks.problem import Problem
from probing.tasks.target import Classes

PROBES = {"mlp": Mlp(), "senteval[nhid=50]": SentEval(nhid=50)}
HEADS = 12
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """Heads of the loop: float32 (u, n, dim), the problem, and its rows for training and early stopping."""

    vectors: torch.Tensor
    problem: Problem
    fit: Ints
    held: Ints


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--task")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop-heads", type=int, default=4)
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    vectors, labels, n_train = read(options.root, options.task) if options.task else made_up()
    asked = problem(labels, n_train)
    torch.set_num_threads(options.cores)
    figures: dict[str, object] = {
        "task": options.task or "made up",
        "shape": [len(vectors), n_train, vectors.shape[2], len(asked.target.names)],  # type: ignore[union-attr]
        "cores": options.cores,
    }
    for name, probe in PROBES.items():
        figures[name] = compare(probe, vectors, asked, options.loop_heads, options.rounds)
    write_report(options.root, "mlp", figures)


def problem(labels: Ints, n_train: int) -> Problem:
    """Hold out a tenth of train for selection and early stopping; without test rows, train is predicted."""
    rows = np.arange(len(labels))
    names = tuple(map(str, range(int(labels.max()) + 1)))
    test = rows[n_train:] if n_train < len(rows) else rows
    return Problem(Classes(labels, names), rows[:n_train], rows[:0], test, "holdout", 5, "accuracy", 1111)


def compare(
    probe: SentEval, vectors: torch.Tensor, asked: Problem, loop_heads: int, rounds: int
) -> dict[str, object]:
    """Return the times of all heads, their ratio, and whether the loop's heads agree."""
    picked = np.linspace(0, len(vectors) - 1, loop_heads).round().astype(np.int64)
    fit, held = inner_splits(asked)[0]
    sample = Sample(vectors[torch.from_numpy(picked)], asked, fit, held)
    batched, looped, ratios = [], [], []
    with Parallel(n_jobs=torch.get_num_threads()) as pool:
        # starts threads and processes
        loop(pool, replace(probe, max_epochs=1), sample)
        for _ in range(rounds):
            began = time.perf_counter()
            ours = [probe.fit(layer, asked) for layer in torch.split(vectors, HEADS)]
            between = time.perf_counter()
            theirs = loop(pool, probe, sample)
            ended = time.perf_counter()
            batched.append(between - began)
            looped.append((ended - between) * len(vectors) / loop_heads)
            ratios.append(looped[-1] / batched[-1])
    return {
        "batched_seconds": [round(value, 2) for value in batched],
        "loop_seconds_extrapolated": [round(value, 1) for value in looped],
        "loop_heads": picked.tolist(),
        "ratio_median": float(np.median(ratios)),
        "ratios": [round(value, 2) for value in ratios],
        **agreement(ours, theirs, picked),
    }


def agreement(ours: list[Fit], theirs: list[tuple[float, Ints]], picked: Ints) -> dict[str, object]:
    """Return how many of the loop's heads have the same L2, and the share of equal answers to test rows."""
    l2 = np.concatenate([fit.l2 for fit in ours])[picked]
    answers = np.concatenate([fit.predictions for fit in ours])[picked]
    return {
        "same_l2": int(sum(one == other for one, (other, _) in zip(l2, theirs, strict=True))),
        "same_answers": float(np.mean([a == b for a, (_, b) in zip(answers, theirs, strict=True)])),
    }


def loop(pool: Parallel, probe: SentEval, sample: Sample) -> list[tuple[float, Ints]]:
    """Return each head's L2 and answers to test, from one module after another on every core."""
    units = range(len(sample.vectors))
    jobs = (delayed(train)(probe, unit_of(sample, unit), l2) for unit in units for l2 in probe.l2)
    found = pool(jobs)
    each = [found[unit * len(probe.l2) : (unit + 1) * len(probe.l2)] for unit in units]
    best = [int(np.argmax([round(100 * dev, 2) for dev, _ in of_unit])) for of_unit in each]
    return [(probe.l2[at], of_unit[at][1]) for at, of_unit in zip(best, each, strict=True)]


def unit_of(sample: Sample, unit: int) -> Sample:
    """Fit one head."""
    return Sample(sample.vectors[unit], sample.problem, sample.fit, sample.held)


def train(probe: SentEval, one: Sample, l2: float) -> tuple[float, Ints]:
    """Train one classifier as SentEval does; return its accuracy on the stopping rows and test answers."""
    torch.set_num_threads(1)
    random = np.random.RandomState(one.problem.seed)
    torch.manual_seed(one.problem.seed)
    x, y = one.vectors, torch.from_numpy(one.problem.gold)
    if probe.standardize:
        x = (x - x[one.fit].mean(0)) / x[one.fit].std(0, correction=0)
    model = _module(probe, x.shape[1], int(y.max()) + 1)
    kind = {"rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam}[probe.optimizer]
    optim = kind(model.parameters(), weight_decay=l2)
    rows, dev = TensorDataset(x[one.fit], y[one.fit]), (x[one.held], y[one.held])
    epochs, best, misses = 0, -1.0, 0
    state: dict[str, torch.Tensor] = {}
    while epochs <= probe.max_epochs and misses <= probe.tenacity:
        for _ in range(probe.epoch_size):
            _epoch(model, optim, rows, torch.from_numpy(random.permutation(len(rows))), probe.batch_size)
        epochs += probe.epoch_size
        found = float((_answers(model, dev[0]) == dev[1]).double().mean())
        if found > best:
            best, state = found, {key: value.clone() for key, value in model.state_dict().items()}
        else:
            misses += 1
    model.load_state_dict(state)
    return best, np.asarray(_answers(model, x[one.problem.test]))


def _module(probe: SentEval, dim: int, k: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(dim, probe.nhid), nn.Dropout(probe.dropout), nn.Sigmoid(), nn.Linear(probe.nhid, k)
    )


def _epoch(
    model: nn.Module, optim: torch.optim.Optimizer, rows: TensorDataset, order: torch.Tensor, size: int
) -> None:
    model.train()
    for batch in order.split(size):  # type: ignore[no-untyped-call]
        x, y = rows[batch]
        optim.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()  # type: ignore[no-untyped-call]
        optim.step()


@torch.inference_mode()
def _answers(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    outputs: torch.Tensor = model.eval()(x)
    return outputs.argmax(1)


if __name__ == "__main__":
    main()
