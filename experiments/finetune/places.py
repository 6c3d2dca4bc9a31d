"""Places that a classifier reads: a layer, or some heads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from probing.analyses.best_heads import ranking
from probing.errors import ProbingError

Head = tuple[int, int]
CHOICES = "last, layer:4, heads:4.10,3.5 or top:8"
_FORM = re.compile(r"last|layer:-?\d+|heads:\d+\.\d+(,\d+\.\d+)*|top:[1-9]\d*")


@dataclass(frozen=True)
class Read:
    """Layer or heads to read, as given on the command line.

    Attributes:
        kind: The last layer, a layer, named heads, or the heads that are best on dev.
        layer: Number of the layer for `layer`; -1 is the embeddings.
        heads: (layer, head) of each head, for `heads`.
        n: Number of heads, for `top`.
    """

    kind: Literal["last", "layer", "heads", "top"]
    layer: int = 0
    heads: tuple[Head, ...] = ()
    n: int = 0

    def __str__(self) -> str:
        """Return the value as on the command line."""
        heads = ",".join(f"{layer}.{head}" for layer, head in self.heads)
        shown = {"last": "", "layer": f":{self.layer}", "heads": f":{heads}", "top": f":{self.n}"}
        return self.kind + shown[self.kind]


@dataclass(frozen=True)
class Places:
    """Places in a model whose vectors are concatenated in this order.

    Attributes:
        site: Head outputs before the output projection, or hidden states.
        heads: (layer, head) of each, in ascending order; hidden states have only head 0.
    """

    site: Literal["head", "hidden"]
    heads: tuple[Head, ...]

    def __str__(self) -> str:
        """Return a text such as `heads 3.5 4.10`, or `layer 5`."""
        if self.site == "hidden":
            return f"layer {self.heads[0][0]}"
        return "heads " + " ".join(f"{layer}.{head}" for layer, head in self.heads)

    @property
    def by_layer(self) -> dict[int, tuple[int, ...]]:
        """Return the heads that are read in each layer."""
        layers = sorted({layer for layer, _ in self.heads})
        return {layer: tuple(head for at, head in self.heads if at == layer) for layer in layers}


def parse_read(text: str) -> Read:
    """Read a value of `--read`.

    Raises:
        ProbingError: If its form is unknown.
    """
    if not _FORM.fullmatch(text):
        raise ProbingError(f"--read {text}: cannot be read; give {CHOICES} (layer.head from 0)")
    kind, _, value = text.partition(":")
    if kind == "layer":
        return Read("layer", layer=int(value))
    if kind == "heads":
        named = {(int(layer), int(head)) for layer, head in (item.split(".") for item in value.split(","))}
        return Read("heads", heads=tuple(sorted(named)))
    return Read("top", n=int(value)) if kind == "top" else Read("last")


def resolve(
    read: Read, heads: Mapping[int, int], layers: tuple[int, ...], grid: Callable[[], pd.DataFrame]
) -> Places:
    """Return the places in a model that a read refers to.

    Args:
        read: Layer or heads to read.
        heads: Number of heads in each layer of the model.
        layers: Layers whose hidden states the model gives; -1 is the embeddings.
        grid: Function that returns the result frame of single heads. It is called only for `top`, which uses
            only the dev scores.

    Raises:
        ProbingError: If the model has no such layer or head, or too few heads.
    """
    if read.kind == "last":
        return Places("hidden", ((max(layers), 0),))
    if read.kind == "layer":
        if read.layer not in layers:
            raise ProbingError(f"--read {read}: the model has layers {min(layers)} to {max(layers)}")
        return Places("hidden", ((read.layer, 0),))
    if read.kind == "top":
        total = sum(heads.values())
        if read.n > total:
            raise ProbingError(f"--read {read}: the model has {total} heads")
        return Places("head", tuple(sorted(ranking(grid())[: read.n])))
    for layer, head in read.heads:
        if head >= heads.get(layer, 0):
            shown = f"layers 0 to {max(heads)} of {max(heads.values())} heads"
            raise ProbingError(f"--read {read}: there is no head {layer}.{head}; the model has {shown}")
    return Places("head", read.heads)
