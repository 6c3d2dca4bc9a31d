"""The snippets of outputs/README.md read a shard: row i of a layer is the text of row i."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from probing.representations.request import unit_id
from probing.representations.shard import Shard, ShardWriter
from probing.tasks.task import Unit

README = Path(__file__).resolve().parents[2] / "outputs" / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
LIBRARIES = ("pandas", "pyarrow", "polars", "duckdb")
UNITS = [Unit(f"text {number}, häuser", (0, 4) if number % 2 else None) for number in range(3000)]


def shard(root: Path, storage: str) -> tuple[Shard, NDArray[np.float32]]:
    values = np.random.default_rng(0).normal(size=(len(UNITS), 3, 8)).astype(storage)
    values[5] = np.nan
    return ShardWriter(root).write([unit_id(unit) for unit in UNITS], UNITS, {0: values}, {0: (3, 8)}), values


def test_there_is_a_snippet_for_each_library() -> None:
    assert len(SNIPPETS) == len(LIBRARIES)


@pytest.mark.parametrize("storage", ["float32", "float16"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_snippet_gives_the_texts_and_their_vectors(tmp_path: Path, library: str, storage: str) -> None:
    if (library, storage) == ("duckdb", "float16"):
        pytest.skip("DuckDB does not read half precision that is split by byte; the README says so")
    pytest.importorskip(library)
    (snippet,) = [text for text in SNIPPETS if re.search(rf"^import {library}\b", text, re.MULTILINE)]
    made, expected = shard(tmp_path / "key", storage)
    names = {"shard": str(made.folder)}
    exec(snippet, names)
    texts, vectors = list(map(str, names["texts"])), np.asarray(names["vectors"])
    assert texts == [unit.text for unit in UNITS]
    assert vectors.dtype == storage
    np.testing.assert_array_equal(vectors, expected[:, 2])
