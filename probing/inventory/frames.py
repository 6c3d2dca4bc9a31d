"""Results and cached vectors on disk as frames, a row for each, from footers and marks alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from probing.errors import CorruptFileError, ProbingError
from probing.representations.summaries import VectorsSummary, reduction_of, site_of, summaries
from probing.results.footers import NAMES, ResultFooter, read_footers
from probing.validation.arguments import checked

What = Literal["results", "vectors"]
RESULTS: dict[str, str] = {
    "key": "string", "model": "string", "step": "Int64", "task": "string", "analysis": "string",
    "granularity": "string", "layers": "string", "pooling": "string", "probe": "string",
    "objective": "string", "baseline": "string", "seed": "Int64", "limit": "Int64", "inner": "boolean",
    "metric": "string", "best": "Float64", "bytes": "Int64", "date": "datetime64[s, UTC]",
    "vectors": "string", "path": "string",
}  # fmt: skip
VECTORS: dict[str, str] = {
    "key": "string", "model": "string", "task": "string", "site": "string", "pooling": "string",
    "texts": "Int64", "layers": "string", "shards": "Int64", "results": "Int64", "bytes": "Int64",
    "date": "datetime64[s, UTC]", "path": "string",
}  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """Everything that is found under a folder of outputs.

    Attributes:
        root: The folder.
        results: The results, by file name.
        vectors: The cached vectors, by key.
        problems: Reasons why some files are neither.
    """

    root: Path
    results: Sequence[ResultFooter]
    vectors: Sequence[VectorsSummary]
    problems: Sequence[CorruptFileError]


@checked()
def stored(root: str | Path = "outputs", what: What = "results") -> pd.DataFrame:
    """List the results, or the cached vectors, under a folder, a row for each.

    Only footers and marks are read, so that thousands of files are listed in seconds. Damaged files are left
    out; `probing ls` names them.

    Args:
        root: Folder that `paths.root` named.
        what: Whether to list results or vectors.

    Returns:
        For results the columns of `RESULTS`: names as in `load_results`, `layers` if a run was restricted to
        some, `best`, the highest test score of a run of probes, `bytes` on disk, `date`, and the key of the
        `vectors` that it read. For vectors those of `VECTORS`: names of all models and tasks that they belong
        to, separated by commas, number of texts, cached layers, and the number of results that refer to them.
        The newest comes last.

    Raises:
        ProbingError: If there is no such folder.

    Example:
        >>> import probing
        >>> probing.stored("outputs")[["key", "task", "best", "bytes"]]  # doctest: +SKIP
        >>> vectors = probing.stored("outputs", "vectors")  # doctest: +SKIP
        >>> vectors["bytes"].sum()  # doctest: +SKIP
    """
    found = take_stock(Path(root))
    return results_frame(found) if what == "results" else vectors_frame(found)


def take_stock(root: Path, *, sizes: bool = False) -> Stored:
    """Read the footers and marks of everything under a folder.

    Args:
        root: Folder of outputs.
        sizes: Whether to compare the sizes of the files of shards with their marks.

    Raises:
        ProbingError: If there is no such folder.
    """
    if not root.is_dir():
        raise ProbingError(f"{root}: no such folder; give the paths.root that the runs wrote to")
    results, problems = read_footers(root / "results")
    vectors = summaries(root / "representations", sizes=sizes)
    return Stored(root, results, vectors, [*problems, *(each for own in vectors for each in own.problems)])


def results_frame(found: Stored) -> pd.DataFrame:
    """Return a row for each result, the newest last."""
    rows = [
        {
            **{name: each.names[name] for name in NAMES},
            "layers": _chosen(each),
            "key": each.key,
            "best": each.best,
            "bytes": each.size,
            "date": each.created,
            "vectors": each.about.get("representations"),
            "path": str(each.path),
        }
        for each in found.results
    ]
    return _frame(rows, RESULTS)


def _chosen(result: ResultFooter) -> str | None:
    """Return the layers to which a run was restricted; None for all layers."""
    config = result.about.get("config") or {}
    layers = (config.get("granularity") or {}).get("layers")
    return layers_text(sorted(layers)) if layers else None


def vectors_frame(found: Stored) -> pd.DataFrame:
    """Return a row for each request of cached vectors, the newest last."""
    readers: dict[str, list[ResultFooter]] = {}
    for result in found.results:
        for key in result.vectors:
            readers.setdefault(key, []).append(result)
    rows: list[dict[str, object]] = [
        {
            "key": each.key,
            "model": _named(each, readers.get(each.key, []), "model"),
            "task": _named(each, readers.get(each.key, []), "task"),
            "site": site_of(_request(each, readers.get(each.key, []))),
            "pooling": reduction_of(_request(each, readers.get(each.key, []))),
            "texts": each.texts,
            "layers": layers_text(each.layers),
            "shards": each.shards,
            "results": len(readers.get(each.key, [])),
            "bytes": each.size,
            "date": each.written,
            "path": str(each.folder),
        }
        for each in found.vectors
    ]
    return _frame(rows, VECTORS)


def _named(vectors: VectorsSummary, readers: Sequence[ResultFooter], name: str) -> str | None:
    """Return the models or tasks of the manifests, or without manifests those of the results."""
    names = [about[name] for about in vectors.manifests] or [str(each.names[name]) for each in readers]
    return ", ".join(sorted(set(names))) or None


def _request(vectors: VectorsSummary, readers: Sequence[ResultFooter]) -> Mapping[str, Any]:
    """Return the request, from its own file or from a result that refers to it."""
    if vectors.request is not None:
        return vectors.request
    own = (each.about for each in readers if each.about.get("representations") == vectors.key)
    return next((about["request"] for about in own if isinstance(about.get("request"), Mapping)), {})


def layers_text(layers: Sequence[int]) -> str:
    """Return layers as "0-5, 7"; "emb" is the embeddings."""
    parts: list[list[int]] = []
    for layer in layers:
        if parts and parts[-1][-1] == layer - 1 >= 0:
            parts[-1].append(layer)
        else:
            parts.append([layer])
    ends = [f"{part[0]}" if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts]
    return ", ".join("emb" if end == "-1" else end for end in ends)


def _frame(rows: list[dict[str, object]], columns: dict[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns)).astype(columns)
    return frame.sort_values(["date", "key"], kind="stable", ignore_index=True)
