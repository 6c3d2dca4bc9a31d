"""Scores of predictions, for many probes at once."""

from __future__ import annotations

import torch

from probing.tasks.task import Metric


def score(predictions: torch.Tensor, labels: torch.Tensor, n_classes: int, metric: Metric) -> torch.Tensor:
    """Accuracy or macro-F1 of every probe.

    Args:
        predictions: int64 (…, n), below `n_classes`.
        labels: int64 (n,).
        n_classes: Number of classes.
        metric: Which of the two.

    Returns:
        float64 (…), fractions.
    """
    if metric == "accuracy":
        return (predictions == labels).double().mean(-1)
    return macro_f1(confusion(predictions, labels, n_classes))


def confusion(predictions: torch.Tensor, labels: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Counts of (label, prediction); int64 (…, k, k)."""
    cells = (labels * n_classes + predictions).reshape(-1, len(labels))
    shift = torch.arange(len(cells), device=cells.device).unsqueeze(1) * n_classes**2
    counts = torch.bincount((cells + shift).flatten(), minlength=len(cells) * n_classes**2)
    return counts.view(*predictions.shape[:-1], n_classes, n_classes)


def macro_f1(counts: torch.Tensor) -> torch.Tensor:
    """Mean over classes of 2·TP / (labelled + predicted), leaving out classes with neither.

    Args:
        counts: (…, k, k), of (label, prediction).

    Returns:
        float64 (…), as scikit-learn's `f1_score(average="macro")`.
    """
    hits = counts.diagonal(dim1=-2, dim2=-1).double()
    return mean_f1(hits, (counts.sum(-1) + counts.sum(-2)).double())


def mean_f1(hits: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Mean F1 from true positives and labelled + predicted of each class, (…, k) both."""
    f1 = torch.where(seen > 0, 2 * hits / seen, 0)
    return f1.sum(-1) / (seen > 0).sum(-1)
