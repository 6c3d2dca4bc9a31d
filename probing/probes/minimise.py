"""Preconditioned L-BFGS for a batch of convex problems that finish at different times."""

from __future__ import annotations

from dataclasses import dataclass

from probing.io.lazy import torch
from probing.probes.active import Rectangle
from probing.probes.curvature import Kronecker
from probing.probes.log_likelihood import LogLikelihood, Value
from probing.probes.memory import Memory

PAIRS = 12
PAIR_BYTES = 1 << 30
# by bytes of a number: at a step this short rounding hides the direction of descent
SHORTEST_STEP = {4: 1e-6, 8: 1e-10}
# this many sweeps without a smaller gap or a lower loss mean the same
PATIENCE = {4: 30, 8: 100}


@dataclass(frozen=True)
class Optimum:
    """The result of the search, for u units × l values of λ.

    Attributes:
        weights: float64 (u, l, k, d).
        loss: float64 (u, l), the objective at the weights.
        gap: float64 (u, l), estimated excess of the loss over the minimum.
        converged: bool (u, l), whether the tolerance was reached.
        sweeps: Number of passes over the data.
    """

    weights: torch.Tensor
    loss: torch.Tensor
    gap: torch.Tensor
    converged: torch.Tensor
    sweeps: int

    def replace(self, units: torch.Tensor, finer: Optimum) -> Optimum:
        """Return this optimum with the results of some units (u′,) replaced."""
        return Optimum(
            self.weights.index_copy(0, units, finer.weights),
            self.loss.index_copy(0, units, finer.loss),
            self.gap.index_copy(0, units, finer.gap),
            self.converged.index_copy(0, units, finer.converged),
            self.sweeps + finer.sweeps,
        )


def minimise(
    objective: LogLikelihood, start: torch.Tensor | None, tolerance: float, max_iterations: int
) -> Optimum:
    """Minimise every problem of the batch from its own start.

    L-BFGS with the Kronecker curvature model as initial inverse Hessian. A problem is finished when half
    its squared Newton decrement, ½ gᵀ H⁻¹ g, estimates that the loss exceeds the minimum by less than
    `tolerance` times itself. Here g is the gradient over all rows at exactly the weights returned. The
    criterion does not change when features are scaled or rotated.

    Args:
        objective: The problems.
        start: float64 (u, l, k, d), or None for zero.
        tolerance: Relative gap at which a problem is finished.
        max_iterations: Maximum number of sweeps over the data.
    """
    search = _Search(objective, *_begin(objective, start))
    found = _Found(search)
    sweep = 0
    while True:
        search.aim()
        reached = search.gap <= tolerance * search.loss
        ended = reached | search.stuck() | (sweep >= max_iterations)
        if found.record(search, reached, ended):
            if bool(search.ended.all()):
                return found.optimum(sweep)
            search.compact()
        # refresh the model often at first, when the weights move far
        search.advance(refresh=sweep & (sweep - 1) == 0)
        sweep += 1


def _begin(objective: LogLikelihood, start: torch.Tensor | None) -> tuple[torch.Tensor, Value]:
    if start is None:
        return objective.origin()
    # the data have no gradient along the null vector of the classes, and the optimum has no component there
    start = (start - start.mean(2, keepdim=True)).to(objective.features.dtype).double()
    return start, objective(start, curvature=True)


class _Search:
    """The state of all unfinished problems, on a rectangular grid of u units × l slots."""

    def __init__(self, objective: LogLikelihood, start: torch.Tensor, value: Value) -> None:
        assert value.curvature is not None
        self.objective = objective
        self.model = Kronecker(objective.variance, objective.penalty)
        self.model.update(value.curvature)
        self.weights, self.loss, self.gradient = start, value.loss, value.gradient
        self.ids = torch.arange(self.loss.numel(), device=start.device).view_as(self.loss)
        self.ended = torch.zeros_like(self.loss, dtype=torch.bool)
        self.step = torch.ones_like(self.loss)
        self.direction, self.slope, self.gap = torch.zeros_like(start), self.step, self.step
        self.rounding = value.rounding
        self.age = torch.zeros_like(self.loss)
        self.least, self.lowest = torch.full_like(self.loss, torch.inf), self.loss
        room = PAIR_BYTES // (2 * start.numel() * start.element_size())
        width = start.shape[2] * start.shape[3]
        self.memory = Memory(self.ids.numel(), max(3, min(PAIRS, room)), width, start.device)

    def aim(self) -> None:
        """Set the direction −H⁻¹ g, its slope, and the gap ½ gᵀ H⁻¹ g."""
        shape = self.gradient.shape
        product = self.memory.apply(
            self.gradient.reshape(self.ids.numel(), -1),
            lambda flat: self.model.solve(flat.view(shape)).view_as(flat),
        )
        self.direction = product.view(shape).neg()
        self.slope = _dot(self.gradient, self.direction)
        self.gap = self.slope / -2

    def advance(self, refresh: bool) -> None:
        """Try the step of every problem. Take it where it leads down, and shorten it elsewhere."""
        # evaluate exactly what is kept: weights that the features' precision can represent
        dtype = self.objective.features.dtype
        trial = (self.weights + _wide(self.step) * self.direction).to(dtype).double()
        value = self.objective(trial, curvature=refresh)
        slope = _dot(value.gradient, self.direction)
        taken = self._accept(value.loss, slope)
        shorter = (self.slope / (self.slope - slope)).nan_to_num(0.1).clamp(0.1, 0.5)
        self.step = torch.where(taken, 1, self.step * shorter)
        weights, gradient = trial, value.gradient
        if not bool(taken.all()):
            weights = torch.where(_wide(taken), trial, self.weights)
            gradient = torch.where(_wide(taken), gradient, self.gradient)
        move, change = weights - self.weights, gradient - self.gradient
        # the penalty alone makes sᵀy at least λ‖s‖²; a pair with less is due to rounding
        least = (move.square() * self.objective.penalty).sum((2, 3)) / 2
        rows = (self.ids.numel(), -1)
        self.memory.push(move.view(rows), change.view(rows), least.flatten())
        self.weights, self.gradient = weights, gradient
        self.loss = torch.where(taken, value.loss, self.loss)
        self.rounding = torch.where(taken, value.rounding, self.rounding)
        if value.curvature is not None:
            self.model.update(value.curvature, taken)

    def _accept(self, loss: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        """Return where the loss decreases sufficiently or, where rounding blurs it, the slope is closer to 0.

        The second rule is the approximate Wolfe condition of Hager & Zhang (2005, eq. 4.1). For a convex
        loss the slope still shows a decrease when differences of the loss are lost to rounding.
        """
        decrease = loss <= self.loss + 1e-4 * self.step * self.slope
        level = loss <= self.loss + self.rounding
        return (decrease | (level & (slope.abs() <= 0.8 * self.slope.abs()))) & slope.isfinite()

    def stuck(self) -> torch.Tensor:
        """Return where rounding ends the search before the tolerance is reached; bool (u, l)."""
        smaller = self.gap < 0.9 * self.least
        lower = self.loss < self.lowest - self.rounding
        self.least = torch.where(smaller, self.gap, self.least)
        self.lowest = torch.where(lower, self.loss, self.lowest)
        self.age = torch.where(smaller | lower, 0, self.age + 1)
        drowned = (self.gap < self.rounding / 8) | ((self.step < 1) & (self.gap < self.rounding))
        dtype = self.objective.features.dtype
        return drowned | (self.step < SHORTEST_STEP[dtype.itemsize]) | (self.age > PATIENCE[dtype.itemsize])

    def compact(self) -> None:
        """Drop finished problems, as far as the grid stays rectangular."""
        kept = Rectangle.around(~self.ended)
        if kept is None:
            return
        flat = torch.arange(self.ids.numel(), device=self.ids.device).view_as(self.ids)
        self.memory.take(kept.pick(flat).flatten())
        self.objective = self.objective.take(kept)
        self.model.take(kept)
        self.ids, self.ended = kept.pick(self.ids), kept.pick(self.ended)
        self.weights, self.gradient = kept.pick(self.weights), kept.pick(self.gradient)
        self.loss, self.step = kept.pick(self.loss), kept.pick(self.step)
        self.rounding = kept.pick(self.rounding)
        self.least, self.lowest = kept.pick(self.least), kept.pick(self.lowest)
        self.age = kept.pick(self.age)
        self.slope, self.direction = kept.pick(self.slope), kept.pick(self.direction)


class _Found:
    """Results of the problems, collected as they finish."""

    def __init__(self, search: _Search) -> None:
        self.shape = search.weights.shape
        self.weights = search.weights.new_empty(search.ids.numel(), *self.shape[2:])
        self.loss, self.gap = search.loss.new_empty(2, search.ids.numel())
        self.converged = torch.zeros_like(self.loss, dtype=torch.bool)

    def record(self, search: _Search, reached: torch.Tensor, ended: torch.Tensor) -> bool:
        """Store the problems that have just ended; return whether there are any."""
        new = ended & ~search.ended
        if not bool(new.any()):
            return False
        ids = search.ids[new]
        self.weights[ids], self.loss[ids] = search.weights[new], search.loss[new]
        self.gap[ids], self.converged[ids] = search.gap[new], reached[new]
        search.ended = search.ended | ended
        return True

    def optimum(self, sweeps: int) -> Optimum:
        """Return all results on the full grid."""
        grid = self.shape[:2]
        parts = (self.loss.view(grid), self.gap.view(grid), self.converged.view(grid))
        return Optimum(self.weights.view(self.shape), *parts, sweeps)


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the inner products (u, l) of two batches (u, l, k, d)."""
    product: torch.Tensor = torch.linalg.vecdot(a.flatten(2), b.flatten(2))
    return product


def _wide(a: torch.Tensor) -> torch.Tensor:
    return a[:, :, None, None]
