"""Cost of statistics of attention beyond the bare forward pass with eager attention.

    python -m experiments.benchmarks.attention [--joined 2]

Models of the sizes of MiniLM and BERT base with random weights read sentences of the grammar tasks. Every
batch is run in turns: bare, with each statistic of all heads, and with all statistics in one pass.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from experiments.benchmarks.extraction import bert_base, packaged_tokenizer, sentences
from experiments.benchmarks.report import write_report
from probing.models.loading import LoadedModel
from probing.representations.encode import EncodedBatch
from probing.representations.forward import ModelReader
from probing.representations.passes import vectors
from probing.representations.reductions.divergence import Divergence
from probing.representations.reductions.statistic import Statistic
from probing.representations.reductions.surface import Surface
from probing.representations.reductions.token_roles import TokenRoles
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig
from probing.tasks.task import Unit

STATISTICS: Mapping[str, Statistic] = {
    "surface": Surface(),
    "roles": TokenRoles(),
    "divergence": Divergence(),
}
SIZES: Mapping[str, Mapping[str, int]] = {
    "minilm": {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536},
    "bert_base": {},
}
"""Changes to the configuration of BERT base."""
WARM_UP = 3


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=300)
    parser.add_argument("--joined", type=int, default=1, help="sentences of about 12 words in one text")
    parser.add_argument("--statistics", default=",".join(STATISTICS))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tokenizer", default=packaged_tokenizer())
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    chosen = {name: STATISTICS[name] for name in options.statistics.split(",")}
    units = joined(sentences(options.sentences * options.joined), options.joined)
    figures: dict[str, object] = {"texts": len(units), "threads": options.threads, "device": options.device}
    for size, changes in SIZES.items():
        loaded = bert_base(options.tokenizer, torch.device(options.device), "eager", **changes)
        seconds, tokens = in_turns(loaded, chosen, units, options)
        bare = seconds.pop("bare")
        over = {f"{name}_over_bare": spent / bare for name, spent in seconds.items()}
        figures[size] = {"tokens_per_text": tokens, "bare_s": bare, **over}
    write_report(options.root, "attention", figures)


def joined(units: list[Unit], count: int) -> list[Unit]:
    """Return texts of several sentences each."""
    return [
        Unit(" ".join(unit.text for unit in units[start : start + count]))
        for start in range(0, len(units), count)
    ]


def in_turns(
    loaded: LoadedModel, chosen: Mapping[str, Statistic], units: list[Unit], options: argparse.Namespace
) -> tuple[dict[str, float], float]:
    """Return the seconds of the bare passes, of those with each statistic and with all, and tokens of a text.

    All read the same batches: those of a statistic across layers, which are the smallest.
    """
    settings = ExtractConfig(device=options.device, threads=options.threads)
    requests = {
        name: Request({"weights": "benchmark"}, "attention", statistic, None, "float32", 5)
        for name, statistic in chosen.items()
    }
    readers = {name: ModelReader.of(loaded, request, settings) for name, request in requests.items()}
    device, smallest = loaded.model.device, readers.get("divergence", next(iter(readers.values())))
    batches = [batch.to(device) for batch in smallest.encoder().batches(units)]
    works: dict[str, Callable[[EncodedBatch], object]] = {"bare": lambda batch: _bare(loaded, batch)}
    every = {**{name: [reader] for name, reader in readers.items()}, "together": list(readers.values())}
    for name, own in every.items():
        works[name] = lambda batch, own=own: vectors(own, [batch] * len(own), [units] * len(own))  # type: ignore[misc]
    seconds = dict.fromkeys(works, 0.0)
    for index in range(-WARM_UP, len(batches)):
        order = list(works) if index % 2 else list(reversed(works))
        for name in order:
            start = time.perf_counter()
            works[name](batches[index])
            if device.type == "cuda":
                torch.cuda.synchronize()
            if index >= 0:
                seconds[name] += time.perf_counter() - start
    tokens = sum(int(batch.real.sum()) for batch in batches) / sum(len(batch.real) for batch in batches)
    return seconds, tokens


@torch.inference_mode()
def _bare(loaded: LoadedModel, batch: EncodedBatch) -> None:
    loaded.model(**batch.inputs)


if __name__ == "__main__":
    main()
