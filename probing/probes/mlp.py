"""A probe with one hidden layer, for what vectors hold but no linear map reads off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from probing.errors import ProbingError
from probing.probes.losses import Loss
from probing.probes.senteval import EpochSize, SentEval, Tenacity
from probing.tasks.target import Scores, Target
from probing.validation.ranges import Iterations, Most, Range

_ASK = "give hidden units, or for none use probe=senteval"


@dataclass(frozen=True)
class Mlp(SentEval):
    """SentEval's MLP on standardised vectors, with a schedule that lets it finish.

    Batches of 64, a look at dev every 4 epochs and 5 looks without improvement forgiven are SentEval's own
    defaults. The optimiser is RMSprop, as in the published grids, and not Adam, SentEval's default: at a
    tenth of RMSprop's rate the early stop finds a layer of sigmoids half trained, which costs some points
    on a task of thousands of examples and almost everything on one of hundreds. On standardised vectors
    the score does not depend on the scale that a head happens to write at. An MLP tells more from the same
    vectors than a linear probe, but some of it is what the probe itself learnt: see `baseline=control`.

    Attributes:
        l2: See `SentEval`, as for all others.
        nhid: Hidden units, 1 or more.

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
        """As on the command line."""
        return "mlp"

    def loss(self, target: Target) -> Loss:
        """What is minimised.

        Raises:
            ProbingError: If scores are asked for; SentEval has no hidden layer for them.
        """
        if isinstance(target, Scores):
            raise ProbingError(
                "probe=mlp tells classes apart, but the task has graded scores; use probe=ridge"
            )
        return super().loss(target)
