"""How well rules tell the five patterns of attention maps apart, on maps made for each pattern.

    python experiments/synthetic_maps.py

Kovaleva et al. (2019) released neither their classifier nor the labelled maps, so the rules of
`analysis=patterns` are a substitute. This prints their confusion matrix on synthetic maps of two segments.
Each row is a pattern that maps were made for, and each column the pattern that the rules find.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from probing.analyses.map_patterns import PATTERNS, Rules
from probing.representations.reductions.shapes import Shapes
from probing.representations.reductions.statistic import AttentionBatch
from probing.representations.reductions.token_batch import TokenBatch
from probing.tasks.task import Unit

SHARPNESS = (0.5, 0.95)
"""Range of the share of attention that follows the pattern; the rest is random."""


def main() -> None:
    """Print the confusion matrix."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=int, default=100, help="maps of each pattern")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(confusion(options.maps, options.seed).to_string())


def confusion(maps: int, seed: int, rules: Rules | None = None) -> pd.DataFrame:
    """Return how many maps of each pattern (rows) are found to have which (columns).

    Args:
        maps: Number of maps of each pattern, of 8 to 40 tokens each.
        seed: Seed of the maps.
        rules: Thresholds; None takes the defaults.
    """
    generator, statistic = np.random.default_rng(seed), Shapes()
    found = np.zeros((len(PATTERNS), len(PATTERNS)), dtype=np.int64)
    for _ in range(maps):
        inputs = two_segments(int(generator.integers(3, 19)), int(generator.integers(3, 19)))
        drawn = [made(pattern, inputs, generator) for pattern in PATTERNS]
        weights = torch.from_numpy(np.stack(drawn))[None]
        numbers = statistic.reduce(AttentionBatch(weights, inputs.real, inputs.real, None, inputs)).numpy()
        columns = dict(zip(statistic.columns, numbers.transpose(2, 0, 1), strict=True))
        found[np.arange(len(PATTERNS)), (rules or Rules()).patterns(columns)[0]] += 1
    return pd.DataFrame(found, index=pd.Index(PATTERNS, name="made"), columns=list(PATTERNS))


def two_segments(first: int, second: int) -> TokenBatch:
    """Return the tokens of a text of two segments with [CLS] and two [SEP]."""
    segments = [-1, *[0] * first, -1, *[1] * second, -1]
    length = len(segments)
    numbers = torch.tensor([segments])
    real = torch.ones(1, length, dtype=torch.bool)
    pieces = ("[CLS]", *["a"] * first, "[SEP]", *["b"] * second, "[SEP]")
    return TokenBatch(
        ids=numbers, real=real, special=numbers < 0, segments=numbers,
        words=torch.full((1, length), -1), offsets=torch.zeros(1, length, 2, dtype=torch.int64),
        pieces=(pieces,), units=(Unit("a", second="b"),),
    )  # fmt: skip


def made(pattern: str, inputs: TokenBatch, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return a random map of one pattern for these tokens, float64 (length, length); rows sum to 1."""
    segments = inputs.segments[0].numpy()
    length = len(segments)
    noise = generator.dirichlet(np.full(length, 2.0), length)
    if pattern == "heterogeneous":
        return noise
    share = generator.uniform(*SHARPNESS)
    if pattern == "block":
        same = segments[:, None] == segments
        shape = generator.uniform(0.5, 1.5, (length, length)) * same
    else:
        lines, diagonal = _lines(inputs, generator), _diagonal(length, generator)
        weight = {"vertical": 1.0, "diagonal": 0.0}.get(pattern, generator.uniform(0.4, 0.6))
        shape = weight * lines + (1 - weight) * diagonal
    shape = shape / shape.sum(1, keepdims=True)
    return np.asarray(share * shape + (1 - share) * noise)


def _lines(inputs: TokenBatch, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return attention to the special tokens, in shares of their own."""
    special = np.flatnonzero(inputs.special[0].numpy())
    lines = np.zeros((len(inputs.special[0]),) * 2)
    lines[:, special] = generator.dirichlet(np.ones(len(special)))
    return lines


def _diagonal(length: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Return attention to the query itself, its previous and its next token, in shares of their own."""
    shares = generator.dirichlet(np.ones(3))
    diagonal = sum(share * np.eye(length, k=k) for share, k in zip(shares, (-1, 0, 1), strict=True))
    return np.asarray(diagonal + 1e-9)


if __name__ == "__main__":
    main()
