"""Cost of reading attention beyond the bare forward pass with eager attention.

    python experiments/benchmarks/attention.py [--statistics surface,divergence] [--words 24]

Every batch of sentences is run in turns: bare, and with each statistic of every head of every layer. MiniLM is
of published weights, where its package is installed, and a model of BERT-base's size has random weights.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from experiments.benchmarks.extraction import packaged_tokenizer, sentences
from experiments.benchmarks.report import write_report
from probing.models.loading import LoadedModel
from probing.representations.forward import ModelReader
from probing.representations.reductions.divergence import Divergence
from probing.representations.reductions.statistic import Statistic
from probing.representations.reductions.surface import Surface
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig

STATISTICS: Mapping[str, Statistic] = {"surface": Surface(), "divergence": Divergence()}
SIZES = {
    "minilm": {"hidden_size": 384, "num_hidden_layers": 6, "intermediate_size": 1536},
    "bert_base": {},
}
"""Changes to the configuration of BERT base."""


def main() -> None:
    """Run the benchmark and write its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=300)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tokenizer", default=packaged_tokenizer())
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
