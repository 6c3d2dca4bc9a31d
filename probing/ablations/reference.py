"""Mean outputs of heads over a reference set of train examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from probing.models.masking import site_means
from probing.models.sites import Site
from probing.objectives.objective import Evaluator


def reference_means(ready: Evaluator, most: int) -> dict[Site, Tensor]:
    """Return the mean output of every head over the tokens of some train examples.

    Args:
        ready: The model and its examples.
        most: Maximum number of examples, spread over all lengths.
    """
    return site_means(ready.model, _inputs(ready, most), ready.heads)


def _inputs(ready: Evaluator, most: int) -> Iterator[Mapping[str, Tensor]]:
    batches = ready.batches("train")
    count = sum(len(batch.rows) for batch in batches)
    step = max(1, -(-count // most))
    for batch in batches[::step]:
        yield batch.inputs
