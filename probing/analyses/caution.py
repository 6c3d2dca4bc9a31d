"""Warnings about unreliable findings: models that guess, few dev examples, attention sinks."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.results.units import difference_unit, score_unit
from probing.statistics.scores import majority
from probing.tasks.problem import pose

if TYPE_CHECKING:
    from probing.ablations.evaluate import Answers
    from probing.objectives.objective import Evaluator

log = logging.getLogger(__name__)
# with fewer dev examples than this, selection by their score raises a warning
FEW = 200
# one-sided 95 %
_Z = 1.645
# share of attention from which a token counts as a sink
SINK = 0.5


def warn_of_dev(name: str, ready: Evaluator, answers: Answers, seed: int, *, chooses: bool = True) -> None:
    """Warn if the full model does not beat guessing on dev, or if dev is too small for selecting heads.

    Args:
        name: Name of the analysis.
        ready: The evaluator.
        answers: Answers to dev, those of the full model first.
        seed: Seed of the run.
        chooses: Whether the analysis selects heads by their score on dev.
    """
    from probing.ablations.differences import standard_error

    metric = ready.metrics[0]
    score, error = answers.scores(ready)[0][metric], standard_error(ready, answers, metric, seed)
    shown = score_unit(metric).spoken(score)
    if metric != "loss" and np.isfinite(error):
        guess = _guess(ready, answers, seed)
        if score - _Z * error <= guess:
            log.warning(
                "%s: on dev the full model is not above chance (%s %s, %s by guessing): "
                "heads that it seems to use may be noise",
                name, metric, shown, score_unit(metric).spoken(guess),
            )  # fmt: skip
    if chooses and len(answers.rows) < FEW:
        spread = ""
        if np.isfinite(error):
            unit = replace(difference_unit(metric, [error]), signed=False)
            spread = f" (standard error {unit.spoken(error)})"
        log.warning(
            "%s: heads are selected on %d dev examples only, where the full model's %s is %s%s; "
            "with more examples, others may be selected",
            name, len(answers.rows), metric, shown, spread,
        )  # fmt: skip


def _guess(ready: Evaluator, answers: Answers, seed: int) -> float:
    """Return the dev score of the most frequent class of train; 0 for correlations."""
    problem = pose(ready.task, seed)
    return majority(replace(problem, test=answers.rows))


def warn_of_sinks(shares: NDArray[np.float64]) -> None:
    """Warn if heads of a causal model give the first token most of their attention.

    Args:
        shares: Attention to the first token, averaged over tokens that are not near it; float64 (heads,).
    """
    sinks = int((shares > SINK).sum())
    if sinks:
        log.warning(
            "entropy: %d of %d heads give the first token more than %.0f%% of their attention, a sink as "
            "decoders have (Xiao et al. 2024): their low entropy says little about what they attend to",
            sinks, len(shares), 100 * SINK,
        )  # fmt: skip
