"""Distances between the leaves of a syntax tree (Chen et al. 2022)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from probing.datasets.code.syntax import CodeTree

NAMED = "identifier"
"""Type of the leaves that have an edge to the previous leaf with the same characters."""


BLOCK = 1 << 22
"""Distances from leaves to all nodes that are in memory at once."""


def leaf_distances(tree: CodeTree, chosen: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Return the length of the shortest path between any two leaves, in edges.

    The graph has the undirected edges of the tree, an edge between neighbouring leaves, and an edge from
    every identifier to the previous one with the same characters, so that it follows a variable.

    Args:
        tree: A tree.
        chosen: Numbers of n leaves; None takes all. Paths go through other leaves too.

    Returns:
        int64 (n, n), symmetric, with a zero diagonal.
    """
    from scipy.sparse.csgraph import shortest_path

    nodes = np.array([leaf.node for leaf in tree.leaves], dtype=np.int64)
    ends = nodes if chosen is None else nodes[chosen]
    found = np.zeros((len(ends), len(ends)), dtype=np.int64)
    if len(ends) < 2:
        return found
    graph = _graph(tree, nodes)
    step = max(1, BLOCK // len(tree.parents))
    for start in range(0, len(ends), step):
        block = ends[start : start + step]
        paths = shortest_path(graph, method="D", directed=False, unweighted=True, indices=block)
        found[start : start + step] = paths[:, ends]
    return found


def _graph(tree: CodeTree, nodes: NDArray[np.int64]) -> Any:  # noqa: ANN401
    """The edges of a tree, between its leaves and between its identifiers, as a sparse matrix."""
    from scipy.sparse import coo_array

    count = len(tree.parents)
    above = np.stack([np.arange(1, count), tree.parents[1:]])
    next_to = np.stack([nodes[:-1], nodes[1:]])
    starts, ends = np.concatenate([above, next_to, _repeated(tree)], axis=1)
    return coo_array((np.ones(len(starts)), (starts, ends)), shape=(count, count)).tocsr()


def _repeated(tree: CodeTree) -> NDArray[np.int64]:
    """Edges from identifiers to the previous ones with the same characters, int64 (2, edges)."""
    last: dict[str, int] = {}
    edges = []
    for leaf in tree.leaves:
        if leaf.type == NAMED:
            name = tree.text(leaf)
            if name in last:
                edges.append((last[name], leaf.node))
            last[name] = leaf.node
    return np.array(edges, dtype=np.int64).reshape(-1, 2).T
