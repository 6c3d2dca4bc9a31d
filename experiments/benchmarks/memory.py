"""Peak memory of extraction, over models of different depth and corpora of different length.

    python experiments/benchmarks/memory.py

Each case runs in a separate process. The figure is the growth of its resident memory from the point at which
model and texts are loaded to the peak of the extraction.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from experiments.benchmarks.extraction import packaged_tokenizer, sentences
from experiments.benchmarks.report import write_report
from probing.models.loading import LoadedModel
from probing.representations.extract import Extractor
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig

CASES = {"base": (4, 2000), "six times the layers": (24, 2000), "ten times the texts": (4, 20000)}


def main() -> None:
    """Run every case in a separate process, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", choices=CASES)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    if options.case:
        sys.stdout.write(json.dumps(_measure(*CASES[options.case])))
        return
    figures = {}
    for case in CASES:
        command = [sys.executable, "-m", "experiments.benchmarks.memory", "--case", case]
        figures[case] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    base = figures["base"]["growth_mb"]
    ratios = {f"{case} over base": figures[case]["growth_mb"] / base for case in CASES}
    write_report(options.root, "memory", {"cases": figures, "ratios": ratios})


def _measure(layers: int, texts: int) -> dict[str, float]:
    config = BertConfig(
        hidden_size=384, num_hidden_layers=layers, num_attention_heads=12, intermediate_size=384
    )
    model = BertModel(config)
    model.train(False)
    loaded = LoadedModel(model, AutoTokenizer.from_pretrained(packaged_tokenizer()), 512)
    units = sentences(texts)
    request = Request({"weights": "benchmark"}, "head", "mean", None, "float32", 5)
    settings = ExtractConfig(threads=1, shard_mb=16)
    before = _resident()
    with tempfile.TemporaryDirectory() as folder:
        extractor = Extractor(Path(folder), request, settings, lambda: loaded)
        peak = _peak_during(lambda: extractor.extract(units))
    vectors = 4 * texts * layers * 384
    return {"layers": layers, "texts": texts, "vectors_mb": vectors / 1e6, "growth_mb": (peak - before) / 1e6}


def _peak_during(work: Callable[[], object]) -> int:
    """Return the peak resident memory in bytes while some work runs, sampled every five milliseconds."""
    seen = [_resident()]
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(_resident())
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return max(seen)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
