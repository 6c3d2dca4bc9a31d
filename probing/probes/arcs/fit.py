"""Fits of probes of head words: to their optimum for several penalties, or as the paper trains them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.io.lazy import torch
from probing.io.progress import Progress
from probing.probes.arcs.attachment import counts
from probing.probes.arcs.course import STEPS, Course
from probing.probes.arcs.model import ArcModel, Weights
from probing.probes.arcs.padded import UNKNOWN, Batch, Corpus
from probing.probes.arcs.variables import Variables

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

log = logging.getLogger(__name__)
RATE = 0.002
"""Step size of Adam in the code of the paper."""
WEIGHT = 0.1
"""Weight of every map before the first step of the published regimen."""
MAX_SWEEPS = 1000
"""Maximum number of passes over train for one penalty."""
PATIENCE = 2
"""Number of penalties in a row that are worse on dev, after which weaker ones are not tried."""
TOLERANCE = 1e-4
"""Estimated excess over the minimum, as a share of the objective, at which a search ends."""


@dataclass(frozen=True)
class ArcFit:
    """A fitted probe.

    Attributes:
        model: The logits.
        flat: float64 (size,), the parameters.
        dev: Share of the scored words of dev whose head word is found.
        l2: The selected penalty; NaN where none was used.
        converged: Whether the search for the selected penalty reached its tolerance.
    """

    model: ArcModel
    flat: torch.Tensor
    dev: float
    l2: float
    converged: bool = True


def fit_exactly(
    model: ArcModel, train: Corpus, dev: Corpus, penalties: Sequence[float], name: str = "probe"
) -> ArcFit:
    """Fit a probe for every penalty and select the one that is best on dev; among equals the larger.

    The objective is the mean over words of −log softmax at the head word, plus λ/2 times the squared norm of
    all parameters. It is convex for given factors of ROOT, and for given weights convex in these factors.
    L-BFGS goes from the strongest penalty, where the weights are near 0, to the weakest, each from the
    optimum before, and ends when several in a row are worse on dev than the best. With few sentences and weak
    penalties there may be further minima, with other factors of ROOT. Then the one near the optimum before is
    found.

    Args:
        model: The logits.
        train: Sentences to fit.
        dev: Sentences to select the penalty on.
        penalties: Values of λ.
        name: Name of the probe in messages.
    """
    model = model.on_axes(train)
    flat = model.start().to(train.batches[0].maps.device)
    best: ArcFit | None = None
    worse = 0
    with Progress(f"fitting {name}", "passes over train", STEPS * len(penalties)) as progress:
        for l2 in sorted(penalties, reverse=True):
            course = Course(progress, TOLERANCE)
            flat, converged = minimised(model, train, l2, flat, course)
            course.end()
            found = ArcFit(model, flat, uas(model, flat, dev), l2, converged)
            log.debug("%s, l2=%g: dev UAS %.4f, %d passes over train", name, l2, found.dev, course.passes)
            worse = 0 if best is None or found.dev >= best.dev else worse + 1
            if best is None or found.dev > best.dev:
                best = found
            if worse == PATIENCE:
                break
    assert best is not None
    return best


def fit_as_published(
    model: ArcModel, train: Corpus, dev: Corpus, epochs: int = 1, name: str = "probe"
) -> ArcFit:
    """Fit a probe as the code of Clark et al. (2019) does: Adam, one sentence a step, in order.

    The loss of a step is the sum over the words of the sentence, without a penalty. Weights begin at 0.1
    instead of at random, so that the fit is the same each time.

    Args:
        model: The logits.
        train: Sentences in the order of the file.
        dev: Sentences to report; nothing is selected.
        epochs: Passes over train; the paper makes one.
        name: Name of the probe in messages.
    """
    flat = model.start(WEIGHT).to(train.batches[0].maps.device).requires_grad_()
    optimiser = torch.optim.Adam([flat], lr=RATE, eps=1e-8)
    with Progress(f"fitting {name}", "sentences", epochs * len(train)) as progress:
        for number in list(range(len(train))) * epochs:
            optimiser.zero_grad(set_to_none=True)
            sentence = train.sentence(number).double()
            (weights,) = model.weights(flat, [sentence])
            surprise(model, weights, sentence).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            progress.add(1, 1)
    done = flat.detach()
    return ArcFit(model, done, uas(model, done, dev), float("nan"))


def uas(model: ArcModel, flat: torch.Tensor, corpus: Corpus) -> float:
    """Return the share of scored words whose head word is found."""
    right, of = counts(model, flat, corpus)
    return float(right.sum() / of.sum())


def surprise(model: ArcModel, weights: Weights, batch: Batch) -> torch.Tensor:
    """Return the sum of −log softmax at the head words of a batch, whether they are scored or not."""
    logits = model.logits(weights, batch).flatten(0, 1).double()
    return torch.nn.functional.cross_entropy(
        logits, batch.governors.flatten(), ignore_index=UNKNOWN, reduction="sum"
    )


def objective(model: ArcModel, flat: torch.Tensor, corpus: Corpus, l2: float) -> tuple[float, torch.Tensor]:
    """Return the penalised mean surprise and its gradient, float64 (size,)."""
    at = flat.detach().requires_grad_()
    weights = model.weights(at, corpus.batches)
    leaves = [own.leaves() for own in weights]
    value = l2 / 2 * float(flat @ flat)
    for own, batch in zip(leaves, corpus.batches, strict=True):
        loss = surprise(model, own, batch) / corpus.governed
        loss.backward()  # type: ignore[no-untyped-call]
        value += float(loss.detach())
    outputs = [each for own in weights for each in own.tensors]
    slopes = [each.grad for own in leaves for each in own.tensors]
    (gradient,) = torch.autograd.grad(outputs, at, slopes)
    return value, gradient + l2 * flat


def minimised(
    model: ArcModel, corpus: Corpus, l2: float, start: torch.Tensor, course: Course | None = None
) -> tuple[torch.Tensor, bool]:
    """Return the parameters of the minimum that L-BFGS finds, and whether it reached the tolerance.

    Args:
        model: The logits.
        corpus: Sentences to fit.
        l2: The penalty λ.
        start: float64 (size,), the parameters to start from.
        course: Where passes are counted.
    """
    from scipy.optimize import minimize

    variables = Variables.at(model, start, corpus, l2)
    excess = np.inf

    def both(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        nonlocal excess
        value, gradient = objective(model, variables.parameters(_tensor(at, start)), corpus, l2)
        slopes = variables.gradient(gradient).cpu().numpy()
        # half the squared Newton decrement, where the curvature is 1
        excess = float(slopes @ slopes) / 2 / value
        if course is not None:
            course.note(excess)
        return value, slopes

    def end(intermediate_result: OptimizeResult) -> None:
        if excess <= TOLERANCE:
            raise StopIteration

    options = {"gtol": 0, "ftol": 0, "maxcor": 20, "maxiter": MAX_SWEEPS, "maxfun": MAX_SWEEPS}
    begin = variables.variables(start).cpu().numpy()
    done = minimize(both, begin, jac=True, method="L-BFGS-B", options=options, callback=end)
    both(done.x)  # a search that fails goes back to an earlier point
    return variables.parameters(_tensor(done.x, start)), excess <= TOLERANCE


def _tensor(values: NDArray[np.float64], like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(values).to(like.device)
