"""Distances between the leaves of a syntax tree (Chen et al. 2022)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from probing.datasets.code.tree import CodeTree

NAMED = "identifier"
"""Type of the leaves that have an edge to the previous leaf with the same characters."""


def leaf_distances(tree: CodeTree) -> NDArray[np.int64]:
    """Return the length of the shortest path between any two leaves, in edges.

    The graph has the undirected edges of the tree, an edge between neighbouring leaves, and an edge from
    every identifier to the previous one with the same characters, so that it follows a variable.

    Args:
        tree: A tree with n leaves.

    Returns:
        int64 (n, n), symmetric, with a zero diagonal.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import shortest_path

    count = len(tree.parents)
    nodes = np.array([leaf.node for leaf in tree.leaves], dtype=np.int64)
    if len(nodes) < 2:
        return np.zeros((len(nodes), len(nodes)), dtype=np.int64)
    above = np.stack([np.arange(1, count), tree.parents[1:]])
    next_to = np.stack([nodes[:-1], nodes[1:]])
    starts, ends = np.concatenate([above, next_to, _repeated(tree)], axis=1)
    graph = coo_array((np.ones(len(starts)), (starts, ends)), shape=(count, count)).tocsr()
    found = shortest_path(graph, method="D", directed=False, unweighted=True, indices=nodes)
    distances: NDArray[np.int64] = found[:, nodes].astype(np.int64)
    return distances


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
