"""Check that the model of an evaluator returns finite and reproducible losses."""

from __future__ import annotations

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.models.broken import AT_RANDOM, SAME, not_finite
from probing.objectives.objective import Evaluator, plain


def check_sound(ready: Evaluator, dtype: str) -> Evaluator:
    """Run the shortest examples twice and compare the losses.

    Args:
        ready: The evaluator to check.
        dtype: Precision of the model's computation.

    Returns:
        The same evaluator.

    Raises:
        ProbingError: If a loss is NaN or infinite, or differs from one pass to the next.
    """
    batches = ready.batches("dev") or ready.batches("test")
    if not batches:
        return ready
    with torch.no_grad():  # the model may store tensors that are differentiated later
        first, second = (plain(ready.run(batches[-1]).loss) for _ in range(2))
    if not torch.isfinite(torch.from_numpy(first)).all():
        raise ProbingError(f"the model's loss is not finite (NaN or infinity); {not_finite(dtype)}")
    apart = abs(first - second).max()
    if apart > SAME * abs(first).max():
        raise ProbingError(
            f"two passes over the same examples give losses that differ by {apart:.1e}: {AT_RANDOM}"
        )
    return ready
