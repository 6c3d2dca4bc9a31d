"""Clusters of grids by the correlation of their scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.results.checks import check_matrix
from probing.validation.arguments import checked


@checked()
def linkage(matrix: pd.DataFrame) -> NDArray[np.float64]:
    """Return the average linkage of 1 − correlation, for a dendrogram.

    Args:
        matrix: Output of `correlations`; NaN counts as no correlation.

    Returns:
        float64 (n − 1, 4), as from `scipy.cluster.hierarchy.linkage`, with similar grids next to each other.

    Raises:
        ProbingError: If there are fewer than two grids.

    Example:
        >>> import pandas as pd, probing
        >>> names = ["tense", "depth", "length"]
        >>> matrix = pd.DataFrame([[1, 0.75, 0], [0.75, 1, 0], [0, 0, 1]], names, names)
        >>> probing.linkage(matrix)[:, 2:]  # distance and size of each merger
        array([[0.25, 2.  ],
               [1.  , 3.  ]])
    """
    check_matrix(matrix)
    if len(matrix) < 2:
        raise ProbingError(f"{len(matrix)} grid to cluster; give two or more")
    return tree_of(np.clip(1 - matrix.fillna(0.0).to_numpy(dtype=float), 0, 2))


def tree_of(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the average linkage of distances, with similar leaves next to each other.

    Args:
        distances: float64 (n, n), at least 0; the mean of both triangles is used, and not the diagonal.

    Returns:
        float64 (n - 1, 4), as from `scipy.cluster.hierarchy.linkage`.
    """
    from scipy.cluster.hierarchy import linkage as link
    from scipy.spatial.distance import squareform

    apart = (distances + distances.T) / 2
    np.fill_diagonal(apart, 0.0)
    found: NDArray[np.float64] = link(
        squareform(apart, checks=False), method="average", optimal_ordering=True
    )
    return found


def cut(tree: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Return the number of each leaf's cluster if a tree is cut into n clusters, from 1; int64."""
    from scipy.cluster.hierarchy import cut_tree

    return np.asarray(cut_tree(tree, n_clusters=n)[:, 0] + 1, dtype=np.int64)


@checked()
def clusters(matrix: pd.DataFrame, n: int) -> pd.Series:
    """Cut the tree of `linkage` into n clusters.

    Args:
        matrix: Output of `correlations`; NaN counts as no correlation.
        n: Number of clusters.

    Returns:
        The number of each grid's cluster, counted from 1, indexed by the grid's name; int64.

    Raises:
        ProbingError: If n is not between 1 and the number of grids.

    Example:
        >>> import pandas as pd, probing
        >>> names = ["tense", "depth", "length"]
        >>> matrix = pd.DataFrame([[1, 0.75, 0], [0.75, 1, 0], [0, 0, 1]], names, names)
        >>> probing.clusters(matrix, 2).to_dict()
        {'tense': 1, 'depth': 1, 'length': 2}
    """
    if not 1 <= n <= len(matrix):
        raise ProbingError(f"{n} clusters of {len(matrix)} grids; give 1 to {len(matrix)}")
    return pd.Series(cut(linkage(matrix), n), index=matrix.index, name="cluster", dtype="int64")
