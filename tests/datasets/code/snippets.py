"""Code in several languages, and reference outputs of the code of Chen et al. for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from probing.datasets.code.syntax import CodeTree, parse

LANGUAGES = ("python", "java", "javascript")


def snippets(shared: Path, language: str) -> list[str]:
    """The pieces of code of one language, in order."""
    found = json.loads((shared / "data/attention/code_snippets.json").read_text(encoding="utf-8"))
    return [each["code"] for each in found if each["lang"] == language]


def alignment(shared: Path, language: str) -> list[dict[str, Any]]:
    """For the first pieces the token ids, and the node of the leaf of each token."""
    path = shared / f"reference/attention/cat_alignment_minilm_{language}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def aligned(shared: Path, language: str) -> list[tuple[CodeTree, list[int], list[int]]]:
    """For the first pieces the tree, the token ids, and the number of the leaf of each token or -1."""
    found = []
    for code, row in zip(snippets(shared, language), alignment(shared, language), strict=False):
        tree = parse(code, language)
        places = {leaf.node: place for place, leaf in enumerate(tree.leaves)}
        found.append((tree, row["ids"], [places.get(node, -1) for node in row["numbers"]]))
    return found
