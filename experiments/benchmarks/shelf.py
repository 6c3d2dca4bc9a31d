"""Seconds that `probing ls`, `show` and `clean` take on a root with many results and shards.

python experiments/benchmarks/shelf.py
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np

from experiments.benchmarks.report import write_report
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import as_plain, build_config
from probing.representations.cache import Store
from probing.representations.manifest import write_manifest
from probing.representations.request import Request, unit_id
from probing.representations.shard import META, Shard, ShardWriter
from probing.results.schema import PREDICTED, as_frame
from probing.results.store import ResultStore
from probing.tasks.card import card
from probing.tasks.task import Task

LAYERS, HEADS, SIZE = 6, 12, 4
TASK = "grammar/tense"
IMPORTS = "import pandas, pyarrow"


def build(root: Path, results: int, shards: int, requests: int) -> list[str]:
    """Write results and shards as runs write them, without a model.

    Args:
        root: Folder of outputs.
        results: Number of results; those of every other request have none.
        shards: Number of shards of all requests together.
        requests: Number of requests for vectors.

    Returns:
        Keys of the results.
    """
    config = build_config(plain_values(compose_config([f"task={TASK}", "task.n_train=40", "task.n_dev=20"])))
    task = config.task.build()
    about = {
        "created": "2026-11-28T00:00:00+00:00",
        "card": card(task).as_dict(),
        "config": as_plain(config),
        "overrides": ["task.n_train=40", "task.n_dev=20"],
        "gold": [0, 1] * 250,
    }
    used = []
    for number in range(requests):
        request = Request({"weights": f"{number}"}, "head", "first", None, "float32", 5)
        _write_vectors(root / "representations", request, task, shards // requests)
        used += [request] if number % 2 == 0 else []
    keys = []
    for number in range(results):
        request = used[number % len(used)]
        key = hashlib.sha256(str(number).encode()).hexdigest()[:16]
        note = {**about, "representations": request.key, "request": json.loads(request.as_json())}
        frame = as_frame(_rows(key, number))
        ResultStore(root / "results", key, "minilm.grammar-tense.head.first.logistic").write(frame, note)
        keys.append(key)
    return keys


def _write_vectors(root: Path, request: Request, task: Task, shards: int) -> None:
    """Write one shard with a manifest, and repeat it under further names."""
    store = Store(root, request.key)
    store.prepare(request)
    ids = [unit_id(unit) for unit in task.units]
    vectors = {layer: np.ones((len(ids), HEADS, SIZE), dtype=np.float32) for layer in range(LAYERS)}
    layout = dict.fromkeys(range(LAYERS), (HEADS, SIZE))
    first = ShardWriter(store.folder).write(ids, task.units, vectors, layout)
    names = {"model": "minilm", "task": TASK, "granularity": "head", "pooling": "first"}
    write_manifest(root, request, task, names)
    for number in range(2, shards + 1):
        _repeat(first, number)


def _repeat(shard: Shard, number: int) -> None:
    meta = {**shard.meta, "number": number}
    folder = shard.folder.with_name(f"shard-{uuid.uuid4().hex[:12]}")
    folder.mkdir()
    for name in meta["files"]:
        os.link(shard.folder / name, folder / name)
    mark = {"meta": meta, "sha256": hashlib.sha256(json.dumps(meta).encode()).hexdigest()}
    (folder / META).write_text(json.dumps(mark, indent=1), encoding="utf-8")


def _rows(key: str, number: int) -> list[dict[str, object]]:
    rng = np.random.default_rng(number)
    same = {
        "analysis": "probe", "model": "minilm", "task": TASK, "granularity": "head", "pooling": "first",
        "probe": "logistic", "seed": number, "baseline": "none", "n_heads": 1, "metric": "accuracy",
        "n_train": 40, "n_dev": 20, "n_test": 500, "n_classes": 2, "majority": 0.5, "setup": "0",
        "key": key, "inner": False,
    }  # fmt: skip
    return [
        {**same, "layer": layer, "head": head, "dev": rng.random(), "test": rng.random(),
         "test_low": 0.1, "test_high": 0.9, "p_adjusted": 0.1, PREDICTED: rng.integers(0, 2, 500)}
        for layer in range(LAYERS) for head in range(HEADS)
    ]  # fmt: skip


def seconds(*command: str) -> float:
    """Return the wall-clock time of a command, in seconds."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Print the median of each command, and its ratio to importing two libraries."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=500)
    parser.add_argument("--shards", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--root", type=Path, default=Path("outputs"), help="folder of the report")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        key, *_ = build(Path(root), options.results, options.shards, options.requests)
        probing = (sys.executable, "-m", "probing")
        commands = {
            "imports": (sys.executable, "-c", IMPORTS),
            "ls": (*probing, "ls", f"paths.root={root}"),
            "show": (*probing, "show", key, "examples=0", f"paths.root={root}"),
            "show with tokens": (*probing, "show", key, f"paths.root={root}"),
            "clean": (*probing, "clean", f"paths.root={root}"),
        }
        rounds = [
            {name: seconds(*command) for name, command in commands.items()} for _ in range(options.rounds)
        ]
    medians = {name: statistics.median(each[name] for each in rounds) for name in commands}
    sizes = {name: getattr(options, name) for name in ("results", "shards", "requests")}
    figures = {
        name: {"seconds": round(median, 2), "ratio": round(median / medians["imports"], 2)}
        for name, median in medians.items()
    }
    write_report(options.root, "shelf", {**sizes, **figures})


if __name__ == "__main__":
    main()
