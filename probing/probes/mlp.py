"""A probe with one hidden layer, for information in vectors that no linear map extracts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from probing.errors import ProbingError
from probing.probes.losses import Loss
from probing.probes.senteval import EpochSize, SentEval, Tenacity
from probing.tasks.target import Scores, Target
from probing.validation.ranges import Iterations, Most, Range

_ASK = "give the number of hidden units, or use probe=senteval for none"


@dataclass(frozen=True)
class Mlp(SentEval):
    """SentEval's MLP on standardised vectors, with a schedule that lets training converge.

    The batches of 64, the evaluation on dev every 4 epochs and the 5 evaluations without improvement are
    SentEval's own defaults. The optimiser is RMSprop, as in the published grids, and not SentEval's default
    Adam. At a tenth of RMSprop's learning rate, early stopping leaves a layer of sigmoids half trained, which
    costs some points on a task of thousands of examples and almost everything on one of hundreds. On
    standardised vectors the score does not depend on the scale of a head's output. An MLP decodes more from
    the same vectors than a linear probe does, but the probe itself may have learnt some of it (see
    `baseline=control`).

    Attributes:
        l2: See `SentEval`, as for the other attributes.
        nhid: Number of hidden units, 1 or more.

    Raises:
        ProbingError: If a setting is out of its range.
    """

    batch_size: Iterations = 64
    epoch_size: EpochSize = 4
    tenacity: Tenacity = 5
    nhid: Annotated[int, Range(1, what=_ASK), Most(10_000)] = 50
    standardize: bool = True

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "mlp"

    def loss(self, target: Target) -> Loss:
        """Return the loss for a target.

        Raises:
            ProbingError: If the target is graded scores, for which SentEval has no hidden layer.
        """
        if isinstance(target, Scores):
            raise ProbingError("probe=mlp predicts classes, but the task has graded scores; use probe=ridge")
        return super().loss(target)
