"""Cached vectors for those who want them: as an array, or as a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.representations.manifest import Manifest, read_manifests
from probing.representations.reader import Representations
from probing.representations.store import Store


@overload
def load_representations(
    root: str | Path = ...,
    *,
    model: str | None = ...,
    task: str | None = ...,
    granularity: str | None = ...,
    pooling: str | None = ...,
    layer: int | None = ...,
    head: int | None = ...,
    frame: Literal[False] = ...,
) -> NDArray[np.float32]: ...


@overload
def load_representations(
    root: str | Path = ...,
    *,
    model: str | None = ...,
    task: str | None = ...,
    granularity: str | None = ...,
    pooling: str | None = ...,
    layer: int | None = ...,
    head: int | None = ...,
    frame: Literal[True],
) -> pd.DataFrame: ...


def load_representations(  # noqa: PLR0913
    root: str | Path = "outputs",
    *,
    model: str | None = None,
    task: str | None = None,
    granularity: str | None = None,
    pooling: str | None = None,
    layer: int | None = None,
    head: int | None = None,
    frame: bool = False,
) -> NDArray[np.float32] | pd.DataFrame:
    """Read the vectors that runs have cached for one task and model.

    Args:
        root: The folder that `paths.root` named.
        model: The model's name in results; as the next three, needed only where it takes it to tell.
        task: The task's name.
        granularity: "head" or "layer".
        pooling: "first", "last", "mean" or "max".
        layer: One layer; None reads all of them.
        head: One head of every layer read; None reads all of them.
        frame: Return a frame instead of an array.

    Returns:
        float32 (n, layers, heads, dim), rows in the task's order; or the same numbers as a frame with
        one row per example (index: row, split, label, text) and columns (layer, head, feature).

    Raises:
        ProbingError: If nothing, or more than one thing, answers; the message says what to add.
    """
    named = {"model": model, "task": task, "granularity": granularity, "pooling": pooling}
    manifest = _find(Path(root) / "representations", {k: v for k, v in named.items() if v is not None})
    vectors = _read(Path(root) / "representations", manifest, layer)
    layers = vectors.layers if layer is None else (layer,)
    heads = _heads(vectors, layers, head)
    array = np.stack([vectors.layer(number, heads) for number in layers]).transpose(2, 0, 1, 3)
    return _as_frame(array, manifest.examples, layers, heads) if frame else np.ascontiguousarray(array)


def _find(root: Path, named: dict[str, str]) -> Manifest:
    manifests = read_manifests(root)
    if not manifests:
        raise ProbingError(f"{root}: no representations; run probing first, or give its paths.root")
    found = [m for m in manifests if all(m.about[name] == value for name, value in named.items())]
    if not found:
        there = "; ".join(sorted({_title(manifest) for manifest in manifests}))
        raise ProbingError(f"{root}: nothing cached for {_words(named)}; there is {there}")
    if len({manifest.about["key"] + manifest.about["task"] for manifest in found}) > 1:
        there = "; ".join(sorted({_title(manifest) for manifest in found}))
        raise ProbingError(f"{root}: more than one answers to {_words(named) or 'that'}: {there}; say which")
    return found[0]


def _read(root: Path, manifest: Manifest, layer: int | None) -> Representations:
    if layer is not None and layer not in manifest.layout:
        raise ProbingError(f"layer {layer} is not cached; there is {', '.join(map(str, manifest.layout))}")
    layout = manifest.layout if layer is None else {layer: manifest.layout[layer]}
    ids = manifest.examples["id"].tolist()
    parts = Store(root, manifest.about["key"]).locate(ids, tuple(layout))
    found = Representations(manifest.about["key"], layout, len(ids), parts)
    if not found.complete:
        raise ProbingError(f"{root}: some vectors of {_title(manifest)} are gone; run probing again")
    return found


def _heads(vectors: Representations, layers: tuple[int, ...], head: int | None) -> list[int]:
    counts = {vectors.layout[layer][0] for layer in layers}
    if head is not None:
        if not 0 <= head < min(counts):
            raise ProbingError(f"head {head} is not cached; heads go from 0 to {min(counts) - 1}")
        return [head]
    if len(counts) > 1:
        raise ProbingError("layers differ in their number of heads; read them one by one, layer=...")
    return list(range(counts.pop()))


def _as_frame(
    array: NDArray[np.float32], examples: pd.DataFrame, layers: tuple[int, ...], heads: list[int]
) -> pd.DataFrame:
    columns = pd.MultiIndex.from_product(
        [layers, heads, range(array.shape[3])], names=["layer", "head", "feature"]
    )
    index = pd.MultiIndex.from_arrays(
        [range(len(examples)), examples["split"], examples["label"], examples["text"]],
        names=["row", "split", "label", "text"],
    )
    return pd.DataFrame(array.reshape(len(examples), -1), index=index, columns=columns)


def _title(manifest: Manifest) -> str:
    return _words({k: v for k, v in manifest.about.items() if k != "key"})


def _words(named: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in named.items())
