"""Cost of removing heads: leave-one-out, importance, and a pruned model's forward pass.

    python experiments/benchmarks/ablation.py

MiniLM with a readout of its last layer answers 1,000 sentences (first token). In turns, at equal threads:
leave-one-out over all 72 heads by passes that begin at the masked layer, and by 72 evaluations of whole
passes; importance of all heads, and a bare forward and backward pass over the same batches, with gradients
of all parameters and without; the forward pass with half of the heads cut out, and the full one.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from experiments.benchmarks.report import write_report
from probing.ablations.compact import compact, seconds_each
from probing.ablations.evaluate import Answers, MaskedEvaluator
from probing.ablations.gradients import importance_sums
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.objectives.objective import Evaluator
from probing.runs.prepare import prepare


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    parser.add_argument("overrides", nargs="*", help="overrides as on the command line, such as pooling=mean")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as root:
        ready = _ready([*options.overrides, f"paths.root={root}"], options.sentences)
        figures = {
            "sentences": options.sentences,
            "threads": options.threads,
            "heads": len(ready.heads),
            "overrides": options.overrides,
            **_leave_one_out(ready, options.threads, options.rounds),
            **_importance(ready, options.rounds),
            **_pruned(ready, options.rounds),
        }
    write_report(options.root, "ablation", figures)


def _ready(overrides: list[str], sentences: int) -> Evaluator:
    asked = [f"task.n_test={sentences}", "task=grammar/tense", "analysis=importance", *overrides]
    run = prepare(build_config(plain_values(compose_config(asked))))
    return run.context().evaluator()


def _leave_one_out(ready: Evaluator, threads: int, rounds: int) -> dict[str, object]:
    masks = ~np.eye(len(ready.heads), dtype=bool)
    short = MaskedEvaluator(ready, threads=threads)
    whole = MaskedEvaluator(ready, threads=threads, shortcuts=False)
    short.answers("dev", masks[:2])  # finds the shortcuts
    found: dict[str, list[Answers]] = {}

    def together() -> None:
        found["short"] = [short.answers("test", masks)]

    def apart() -> None:
        found["whole"] = [whole.answers("test", mask[None]) for mask in masks]

    seconds = _in_turns({"shortcut": together, "separate": apart}, rounds)
    losses = [np.concatenate([answers.loss for answers in found[name]]) for name in ("short", "whole")]
    return {
        "leave_one_out_s": seconds["shortcut"],
        "separate_evaluations_s": seconds["separate"],
        "leave_one_out_times_as_fast": _ratio(seconds, "separate", "shortcut"),
        "largest_difference_of_losses": float(np.abs(losses[0] - losses[1]).max()),
    }


def _importance(ready: Evaluator, rounds: int) -> dict[str, object]:
    batches = ready.batches("test")

    def importance() -> None:
        importance_sums(ready.model, (partial(_loss, ready, batch) for batch in batches), ready.heads)

    def backward(parameters: bool) -> None:
        ready.model.requires_grad_(parameters)
        embeddings = ready.model.get_input_embeddings()
        for batch in batches:
            with torch.enable_grad():
                handle = embeddings.register_forward_hook(lambda _, __, out: out.requires_grad_())
                torch.autograd.backward(ready.run(batch).loss.sum())
                handle.remove()
            ready.model.zero_grad(set_to_none=True)
        ready.model.requires_grad_(False)

    tasks: dict[str, Callable[[], None]] = {
        "importance": importance,
        "all": partial(backward, True),
        "inputs": partial(backward, False),
    }
    seconds = _in_turns(tasks, rounds)
    return {
        "importance_s": seconds["importance"],
        "forward_backward_s": seconds["all"],
        "forward_backward_of_inputs_s": seconds["inputs"],
        "importance_over_forward_backward": _ratio(seconds, "importance", "all"),
        "importance_over_forward_backward_of_inputs": _ratio(seconds, "importance", "inputs"),
    }


def _pruned(ready: Evaluator, rounds: int) -> dict[str, object]:
    mask = np.ones(len(ready.heads), dtype=bool)
    for places in ready.heads.slices.values():
        mask[places.start : (places.start + places.stop) // 2] = False
    small = copy.deepcopy(ready.model)
    compact(small, ready.heads, mask)
    full, pruned = seconds_each([ready.model, small], ready.batches("test"), rounds)
    return {"full_forward_s": full, "half_pruned_forward_s": pruned, "half_pruned_over_full": pruned / full}


def _loss(ready: Evaluator, batch: object) -> torch.Tensor:
    return ready.run(batch).loss  # type: ignore[arg-type]


def _in_turns(tasks: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def _ratio(seconds: dict[str, list[float]], one: str, other: str) -> float:
    """Return the median over rounds."""
    return statistics.median(a / b for a, b in zip(seconds[one], seconds[other], strict=True))


if __name__ == "__main__":
    main()
