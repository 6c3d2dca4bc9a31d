"""Access to cached vectors, as an array or as a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import CorruptFileError, ProbingError
from probing.representations.cache import Store
from probing.representations.manifest import NAMED_BY, PARTNER, Manifest, read_manifests
from probing.representations.reader import Representations
from probing.validation.arguments import checked
from probing.validation.suggestions import name_one, suggest

AGAIN = "run its command again to extract it again"


@overload
def load_representations(
    root: str | Path = ...,
    *,
    layer: int | None = ...,
    head: int | None = ...,
    partner: bool = ...,
    frame: Literal[False] = ...,
    **named: str,
) -> NDArray[np.float32]: ...


@overload
def load_representations(
    root: str | Path = ...,
    *,
    layer: int | None = ...,
    head: int | None = ...,
    partner: bool = ...,
    frame: Literal[True],
    **named: str,
) -> pd.DataFrame: ...


@checked()
def load_representations(
    root: str | Path = "outputs",
    *,
    layer: int | None = None,
    head: int | None = None,
    partner: bool = False,
    frame: bool = False,
    **named: str,
) -> NDArray[np.float32] | pd.DataFrame:
    """Read the vectors that runs have cached for one task and model.

    Args:
        root: Output folder of the runs, as in `paths.root`.
        layer: Layer to read; None reads all that are cached for these examples.
        head: Head to read from every layer; None reads all of them.
        partner: Whether to read the second unit of each example instead of the first, for tasks on pairs of
            units.
        frame: Whether to return a frame instead of an array.
        **named: Columns that select one set of vectors: `model=` and `task=` as in results, `granularity=`
            and `pooling=`. Where these are the same, `examples=` or `vectors=`, as listed in the error
            message.

    Returns:
        float32 (n, layers, heads, dim), one row per example, in the task's order. Rows are NaN where a word
        was cut off with the end of its text, so that it has no vector. With `frame=True`, the same numbers as
        a frame with one row per example (index: row, split, label, text) and columns (layer, head, feature).
        `text` is the text of the unit that was read.

    Raises:
        ProbingError: If nothing matches, or more than one set of vectors does; the message says what to add.

    Example:
        >>> import probing
        >>> frame = probing.run(["task=grammar/tense", "task.limit=50"])  # doctest: +SKIP
        >>> vectors = probing.load_representations("outputs", task="grammar/tense")  # doctest: +SKIP
        >>> vectors.shape  # examples, layers, heads, features  # doctest: +SKIP
        (150, 6, 12, 32)
    """
    unknown = sorted(set(named) - set(NAMED_BY))
    if unknown:
        raise ProbingError(
            f"load_representations has no {unknown[0]}=; {suggest(unknown[0], list(NAMED_BY))}"
        )
    cache = Path(root) / "representations"
    manifest = _find(cache, named)
    units = _units(manifest, PARTNER if partner else "")
    by_layer = _open(cache, manifest, units["id"].tolist(), layer)
    heads = _heads([vectors.layout[number] for number, vectors in by_layer.items()], head)
    try:
        array = np.stack([vectors.layer(number, heads) for number, vectors in by_layer.items()])
    except CorruptFileError as error:
        raise type(error)(error.path, error.reason, AGAIN) from error
    array = array.transpose(2, 0, 1, 3)
    return _as_frame(array, units, list(by_layer), heads) if frame else np.ascontiguousarray(array)


def _find(root: Path, named: dict[str, str]) -> Manifest:
    manifests = read_manifests(root)
    if not manifests:
        raise ProbingError(f"{root}: no representations; run probing first, or give the paths.root of a run")
    found = [m for m in manifests if all(m.about[name] == value for name, value in named.items())]
    if not found:
        there = "; ".join(_words(manifest.about) for manifest in manifests)
        raise ProbingError(f"{root}: nothing cached for {_words(named)}; cached: {there}")
    if len(found) > 1:
        raise ProbingError(f"{root}: {_name_one(found)}")
    return found[0]


def _name_one(found: Sequence[Manifest]) -> str:
    """Return the message that asks which of several sets is meant, with their sizes where these differ."""
    names = [name for name in NAMED_BY if len({manifest.about[name] for manifest in found}) > 1]
    texts = [manifest.about[names[0]] for manifest in found]
    counts = [len(manifest.examples) for manifest in found]
    counted = len(set(counts)) > 1 and names[0] in ("examples", "vectors")
    if counted:
        texts = [f"{text} ({count} examples)" for text, count in zip(texts, counts, strict=True)]
    return name_one("set of vectors", names, texts)


def _units(manifest: Manifest, prefix: str) -> pd.DataFrame:
    """Return the first or the second unit of every example: id, text, label, split."""
    examples = manifest.examples
    if f"{prefix}id" not in examples:
        raise ProbingError(f"examples of {_words(manifest.about)} are not pairs; omit partner=True")
    chosen = {"id": examples[f"{prefix}id"], "text": examples[f"{prefix}text"]}
    return pd.DataFrame({**chosen, "label": examples["label"], "split": examples["split"]})


def _open(root: Path, manifest: Manifest, ids: list[str], layer: int | None) -> dict[int, Representations]:
    """Return the layers that are cached for every example, or only the requested one, ascending."""
    store = Store(root, manifest.about["vectors"])
    try:
        cached = store.cached_layers(ids)
    except CorruptFileError as error:
        raise type(error)(error.path, error.reason, AGAIN) from error
    if not cached:
        raise ProbingError(f"{root}: vectors of {_words(manifest.about)} are missing; run probing again")
    if layer is not None and layer not in cached:
        raise ProbingError(f"layer {layer} is not cached; cached layers: {', '.join(map(str, cached))}")
    layout = {k: shape for k, shape in cached.items() if layer in {None, k}}
    whole = Representations(store.key, layout, len(ids), store.locate(ids, tuple(layout)))
    if whole.complete:
        return dict.fromkeys(layout, whole)
    # runs that read other layers have written them to other shards
    return {
        k: Representations(store.key, {k: shape}, len(ids), store.locate(ids, (k,)))
        for k, shape in layout.items()
    }


def _heads(shapes: Sequence[tuple[int, int]], head: int | None) -> list[int]:
    counts = {heads for heads, _ in shapes}
    if head is not None:
        if not 0 <= head < min(counts):
            raise ProbingError(f"head {head} is not cached; heads range from 0 to {min(counts) - 1}")
        return [head]
    if len(counts) > 1:
        raise ProbingError("layers differ in their number of heads; read them one at a time with layer=...")
    return list(range(counts.pop()))


def _as_frame(
    array: NDArray[np.float32], examples: pd.DataFrame, layers: list[int], heads: list[int]
) -> pd.DataFrame:
    columns = pd.MultiIndex.from_product(
        [layers, heads, range(array.shape[3])], names=["layer", "head", "feature"]
    )
    index = pd.MultiIndex.from_arrays(
        [range(len(examples)), examples["split"], examples["label"], examples["text"]],
        names=["row", "split", "label", "text"],
    )
    return pd.DataFrame(array.reshape(len(examples), -1), index=index, columns=columns)


def _words(named: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in named.items())
