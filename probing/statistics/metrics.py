"""Metrics of predictions, for many probes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from probing.io.lazy import torch
from probing.tasks.target import Metric

# the positive class in the F1 of two classes
POSITIVE = 1
# relative to the mean, a spread this small is rounding; SciPy's threshold for a constant
SMALLEST_SPREAD = 1e-13


@dataclass(frozen=True)
class Margins:
    """The counts of a confusion matrix that F1 and Matthews' coefficient use; float64 (…, k) each.

    For several labels of an example they are counts of each label.

    Attributes:
        hits: Number of examples of each class predicted correctly.
        labelled: Number of examples of each class.
        predicted: Number of examples predicted as each class.
    """

    hits: torch.Tensor
    labelled: torch.Tensor
    predicted: torch.Tensor

    @classmethod
    def of(cls, predictions: torch.Tensor, labels: torch.Tensor) -> Margins:
        """Count int64 predictions (…, n) and classes (n,), or bool (…, n, k) and labels (n, k)."""
        if predictions.dtype == torch.bool:
            hits, predicted = (predictions & labels).sum(-2).double(), predictions.sum(-2).double()
            return cls(hits, labels.sum(-2).double().expand_as(hits), predicted)
        k = 1 + max(POSITIVE, int(labels.max()), int(predictions.max()))
        right = torch.where(predictions == labels, predictions, k)
        hits, predicted = _counts(right, k + 1)[..., :k], _counts(predictions, k)
        return cls(hits, _counts(labels, k).expand_as(hits), predicted)


def score(predictions: torch.Tensor, gold: torch.Tensor, metric: Metric | Literal["mse"]) -> torch.Tensor:
    """Return the score of every probe.

    Args:
        predictions: (…, n): classes, int64, or scores, float64; or labels, bool (…, n, k).
        gold: (n,) or (n, k), the classes, scores or labels of the examples.
        metric: Name of the metric. With two classes the second is the positive one in `f1`.

    Returns:
        float64 (…): fractions, correlations, or the mean squared error.
    """
    if metric == "accuracy":
        return (predictions == gold).double().mean(-1)
    if metric == "exact_match":
        return (predictions == gold).all(-1).double().mean(-1)
    if metric in COUNTED:
        return COUNTED[metric](Margins.of(predictions, gold))
    return {"pearson": pearson, "spearman": spearman, "mse": mse}[metric](predictions, gold)


def macro_f1(margins: Margins) -> torch.Tensor:
    """Return the mean over classes or labels of 2·hits / (labelled + predicted), without those with neither.

    Returns:
        float64 (…), as scikit-learn's `f1_score(average="macro")`; 0 if there is no label at all.
    """
    seen = margins.labelled + margins.predicted
    f1 = torch.where(seen > 0, 2 * margins.hits / seen, 0)
    return f1.sum(-1) / (seen > 0).sum(-1).clamp(min=1)


def micro_f1(margins: Margins) -> torch.Tensor:
    """Return the F1 of the decisions on all labels together; 0 if no label is true or predicted.

    Returns:
        float64 (…), as scikit-learn's `f1_score(average="micro")` for several labels of an example.
    """
    seen = (margins.labelled + margins.predicted).sum(-1)
    return torch.where(seen > 0, 2 * margins.hits.sum(-1) / seen, 0)


def f1(margins: Margins) -> torch.Tensor:
    """Return F1 of the positive class; 0 if no example has this class or is assigned to it."""
    seen = (margins.labelled + margins.predicted)[..., POSITIVE]
    return torch.where(seen > 0, 2 * margins.hits[..., POSITIVE] / seen, 0)


def matthews(margins: Margins) -> torch.Tensor:
    """Return the correlation of labels and predictions, for any number of classes (Gorodkin 2004).

    Returns:
        float64 (…); 0 where labels or predictions are all of one class, as in scikit-learn.
    """
    n = margins.labelled.sum(-1)
    common = n * margins.hits.sum(-1) - (margins.labelled * margins.predicted).sum(-1)
    spread = (n**2 - margins.labelled.square().sum(-1)) * (n**2 - margins.predicted.square().sum(-1))
    return torch.where(spread > 0, common / spread.sqrt(), 0)


COUNTED = {"macro_f1": macro_f1, "f1": f1, "matthews": matthews, "micro_f1": micro_f1}


def pearson(predictions: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Return Pearson's correlation of float (…, n) with (n,); 0 where either is constant."""
    return (correlate(predictions, "pearson") * correlate(gold, "pearson")).sum(-1).clamp(-1, 1)


def spearman(predictions: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Return Pearson's correlation of the ranks, where equal values share their mean rank, as in SciPy."""
    return (correlate(predictions, "spearman") * correlate(gold, "spearman")).sum(-1).clamp(-1, 1)


def correlate(values: torch.Tensor, metric: Metric) -> torch.Tensor:
    """Return vectors whose inner products are the correlations; float64 (…, n), 0 for constant `values`.

    Args:
        values: (…, n).
        metric: `pearson` or `spearman`.
    """
    units = _unit(values.double())
    if metric == "pearson":
        return units
    # ranks would amplify the last bits of a constant
    return torch.where(units.any(-1, keepdim=True), _unit(_ranks(values)), 0)


def mse(predictions: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of (…, n) against (n,)."""
    return (predictions.double() - gold.double()).square().mean(-1)


def _counts(values: torch.Tensor, k: int) -> torch.Tensor:
    """Return the counts of 0 … k − 1 in every row of int64 (…, n); float64 (…, k)."""
    rows = values.reshape(-1, values.shape[-1])
    shift = k * torch.arange(len(rows), device=rows.device).unsqueeze(1)
    counts = torch.bincount((rows + shift).flatten(), minlength=k * len(rows))
    return counts.view(*values.shape[:-1], k).double()


def _unit(values: torch.Tensor) -> torch.Tensor:
    """Return values centred and scaled to length 1, or all 0 where they are constant."""
    if not values.shape[-1]:
        return values
    mean = values.mean(-1, keepdim=True)
    centred = values - mean
    # squares of values scaled to 1 can neither overflow nor underflow
    top = centred.abs().amax(-1, keepdim=True)
    scaled = centred / top
    length = scaled.norm(dim=-1, keepdim=True)
    return torch.where(top * length > SMALLEST_SPREAD * mean.abs(), scaled / length, 0)


def _ranks(values: torch.Tensor) -> torch.Tensor:
    """Return ranks from 1 along the last dimension, with means for ties; float64."""
    values = values.contiguous()
    ordered = values.sort(-1).values
    first = torch.searchsorted(ordered, values, side="left")
    last = torch.searchsorted(ordered, values, side="right")
    return (first + last + 1).double() / 2
