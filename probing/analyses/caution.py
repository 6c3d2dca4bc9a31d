"""Warnings about findings on heads that do not hold: guessing models, few dev examples, attention sinks."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from probing.results.units import difference_unit, score_unit
from probing.statistics.scores import majority
from probing.tasks.problem import pose

if TYPE_CHECKING:
    from probing.ablations.evaluate import Answers
    from probing.models.sites import Site
    from probing.objectives.objective import Evaluator

log = logging.getLogger(__name__)
# with fewer dev examples than this, a choice by their score raises a warning
FEW = 200
# one-sided 95 %
_Z = 1.645
# positions from which on a uniform head would give the first token a fifth of its attention or less
_FROM = 4
# share of attention that makes a sink
SINK = 0.5


def warn_of_dev(name: str, ready: Evaluator, answers: Answers, seed: int, *, chooses: bool = True) -> None:
    """Warn if the full model does not beat guessing on dev, or if dev is too small to choose heads on.

    Args:
        name: Name of the analysis.
        ready: The model's objective.
        answers: Answers to dev, those of the full model first.
        seed: Seed of the run.
        chooses: Whether the analysis chooses heads by their score on dev.
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
                "heads that it seems to need may be noise",
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
    """The dev score of the most frequent class of train; 0 for correlations."""
    problem = pose(ready.task, seed)
    return majority(replace(problem, test=answers.rows))


class Sink:
    """Counts how much attention the first token draws, in heads that look back only."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self._shares: dict[Site, Tensor] = {}
        self._counts: dict[Site, int] = {}
        self._causal = True

    def add(self, site: Site, weights: Tensor, tokens: Tensor) -> None:
        """Note the attention of one batch at one site.

        Args:
            site: Where.
            weights: (batch, heads, queries, keys).
            tokens: (batch, keys), which positions hold tokens.
        """
        square = weights.shape[2] == weights.shape[3] and tokens.shape == (len(weights), weights.shape[3])
        if not self._causal or not square:
            return
        real = tokens.bool()
        ahead = weights.triu(1).amax((1, 3))[real]
        self._causal = self._causal and not bool(ahead.any())
        first = real.int().argmax(1)
        to_first = weights.gather(3, first.view(-1, 1, 1, 1).expand(-1, *weights.shape[1:3], 1)).squeeze(3)
        late = real & (real.cumsum(1) > _FROM)
        chosen = to_first.transpose(1, 2)[late].double().cpu()
        self._shares[site] = self._shares.get(site, torch.zeros(())) + chosen.sum(0)
        self._counts[site] = self._counts.get(site, 0) + len(chosen)

    def warn(self) -> None:
        """Warn if heads of a causal model give the first token most of their attention."""
        known = [self._shares[site] / count for site, count in self._counts.items() if count]
        if not self._causal or not known:
            return
        shares = torch.cat(known)
        sinks = int((shares > SINK).sum())
        if sinks:
            log.warning(
                "entropy: %d of %d heads give the first token more than %.0f%% of their attention, a sink as "
                "decoders have (Xiao et al. 2024): their low entropy says little of what they look for",
                sinks, len(shares), 100 * SINK,
            )  # fmt: skip
