"""Scores of predictions, for many probes at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from probing.tasks.target import Metric

# of classes that can be counted, and the class that F1 of two classes is of
POSITIVE = 1
# a spread this small beside the mean is rounding: SciPy's mark for a constant
SMALLEST_SPREAD = 1e-13


@dataclass(frozen=True)
class Margins:
    """All that F1 and Matthews' coefficient need of a confusion matrix; float64 (…, k) each.

    For several labels of an example they are counts of each label.

    Attributes:
        hits: Examples of each class that were given it.
        labelled: Examples of each class.
        predicted: Examples that were given each class.
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
    """One score of every probe.

    Args:
        predictions: (…, n): classes, int64, or scores, float64; or labels, bool (…, n, k).
        gold: (n,) or (n, k), the same of the examples.
        metric: Which score. Two classes have the second as the positive one in `f1`.

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
    """Mean over classes or labels of 2·hits / (labelled + predicted), leaving out those with neither.

    Returns:
        float64 (…), as scikit-learn's `f1_score(average="macro")`; 0 where no label is there at all.
    """
    seen = margins.labelled + margins.predicted
    f1 = torch.where(seen > 0, 2 * margins.hits / seen, 0)
    return f1.sum(-1) / (seen > 0).sum(-1).clamp(min=1)


def micro_f1(margins: Margins) -> torch.Tensor:
    """F1 of the decisions on all labels together; 0 if no example has a label and none was given one.

    Returns:
        float64 (…), as scikit-learn's `f1_score(average="micro")` for several labels of an example.
    """
    seen = (margins.labelled + margins.predicted).sum(-1)
    return torch.where(seen > 0, 2 * margins.hits.sum(-1) / seen, 0)


def f1(margins: Margins) -> torch.Tensor:
    """F1 of the positive class; 0 if no example has it and none was given it."""
    seen = (margins.labelled + margins.predicted)[..., POSITIVE]
    return torch.where(seen > 0, 2 * margins.hits[..., POSITIVE] / seen, 0)


def matthews(margins: Margins) -> torch.Tensor:
    """The correlation of labels and predictions, for any number of classes (Gorodkin 2004).

    Returns:
        float64 (…); 0 where labels or predictions are all of one class, as in scikit-learn.
    """
    n = margins.labelled.sum(-1)
    common = n * margins.hits.sum(-1) - (margins.labelled * margins.predicted).sum(-1)
    spread = (n**2 - margins.labelled.square().sum(-1)) * (n**2 - margins.predicted.square().sum(-1))
    return torch.where(spread > 0, common / spread.sqrt(), 0)


COUNTED = {"macro_f1": macro_f1, "f1": f1, "matthews": matthews, "micro_f1": micro_f1}


def pearson(predictions: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Pearson's correlation of float (…, n) with (n,); 0 where either is constant, which tells nothing."""
    return (correlate(predictions, "pearson") * correlate(gold, "pearson")).sum(-1).clamp(-1, 1)


def spearman(predictions: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Pearson's correlation of the ranks, equal values sharing the mean of theirs, as SciPy has it."""
    return (correlate(predictions, "spearman") * correlate(gold, "spearman")).sum(-1).clamp(-1, 1)


def correlate(values: torch.Tensor, metric: Metric) -> torch.Tensor:
    """Vectors whose inner products are the correlations; float64 (…, n), 0 where `values` are constant.

    Args:
        values: (…, n).
        metric: `pearson` or `spearman`.
    """
    units = _unit(values.double())
    if metric == "pearson":
        return units
    # ranks would make much of the last bits of a constant
    return torch.where(units.any(-1, keepdim=True), _unit(_ranks(values)), 0)


def mse(predictions: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """Mean squared error of (…, n) against (n,)."""
    return (predictions.double() - gold.double()).square().mean(-1)


def _counts(values: torch.Tensor, k: int) -> torch.Tensor:
    """How often each of 0 … k − 1 stands in every row of int64 (…, n); float64 (…, k)."""
    rows = values.reshape(-1, values.shape[-1])
    shift = k * torch.arange(len(rows), device=rows.device).unsqueeze(1)
    counts = torch.bincount((rows + shift).flatten(), minlength=k * len(rows))
    return counts.view(*values.shape[:-1], k).double()


def _unit(values: torch.Tensor) -> torch.Tensor:
    """Centred and of length 1, or all 0 where they are constant."""
    if not values.shape[-1]:
        return values
    mean = values.mean(-1, keepdim=True)
    centred = values - mean
    # squares of what is scaled to 1 can neither overflow nor vanish
    top = centred.abs().amax(-1, keepdim=True)
    scaled = centred / top
    length = scaled.norm(dim=-1, keepdim=True)
    return torch.where(top * length > SMALLEST_SPREAD * mean.abs(), scaled / length, 0)


def _ranks(values: torch.Tensor) -> torch.Tensor:
    """Ranks from 1 along the last dimension, means for ties; float64."""
    values = values.contiguous()
    ordered = values.sort(-1).values
    first = torch.searchsorted(ordered, values, side="left")
    last = torch.searchsorted(ordered, values, side="right")
    return (first + last + 1).double() / 2
