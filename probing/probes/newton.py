"""Two-class logistic regression on all folds of a k-fold together, starting from the fit to all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from probing.io.lazy import torch
from probing.probes.polish import ENOUGH
from probing.probes.scaling import Scaling
from probing.tasks.problem import Rows

# number of sweeps after which problems that have not converged are left to the general solver
MOST_SWEEPS = 10
# number of sweeps that keep the Hessians of the start; most folds need no more
KEEP_HESSIAN = 2
# numbers in one batch of logits or of weighted features
CHUNK = 1 << 22
# a feature with less of its variance than this may count as constant in a fold
LEAST_VARIANCE = 1e-6


@dataclass(frozen=True)
class KFold:
    """The rows of a k-fold, ordered so that each fold leaves out one block.

    Attributes:
        rows: int64 (m,).
        blocks: The position in `rows` of the block that each fold leaves out.
    """

    rows: Rows
    blocks: tuple[slice, ...]

    @classmethod
    def of(cls, fits: Sequence[Rows]) -> KFold | None:
        """Order the rows that are fitted on; None unless every row is left out exactly once."""
        union, fitted = np.unique(np.concatenate(fits), return_counts=True)
        if (fitted != len(fits) - 1).any():
            return None
        left_out = []
        for rows in fits:
            out = np.ones(union[-1] + 1, dtype=bool)
            out[rows] = False
            left_out.append(union[out[union]])
        ends = np.cumsum([0, *map(len, left_out)]).tolist()
        return cls(np.concatenate(left_out), tuple(slice(a, b) for a, b in pairwise(ends)))

    def sizes(self, device: torch.device) -> torch.Tensor:
        """Return the number of rows of each fit; float64 (f,)."""
        left = [block.stop - block.start for block in self.blocks]
        return len(self.rows) - torch.tensor(left, dtype=torch.float64, device=device)

    def means(self, sums: torch.Tensor) -> torch.Tensor:
        """Return the means over the rows of each fit from sums over the blocks; float64 (f, …) both."""
        rest = sums.sum(0) - sums
        return rest / self.sizes(sums.device).view(-1, *[1] * (sums.dim() - 1))


@dataclass(frozen=True)
class FoldSolver:
    """Minimise mean log(1 + exp z) − y z + (λ/4)‖θ‖², z = θᵀx, on every fold, for l values of λ.

    That is `Objective` of two classes at W = (−θ/2, θ/2), where its optimum is. Folds share most rows, so
    Newton's method nearly converges in one step from the fit to all of them. One sweep there gives the
    gradients and Hessians of all folds, each being the total without its own block. A fold is finished when
    half its squared Newton decrement is small enough, as in `minimise`, at exactly the weights returned.

    Attributes:
        kfold: The folds.
        shares: float32 (m,), y of the rows of `kfold` in its order: 0 or 1, or anything between.
        l2: float64 (l,).
        standardize: Whether the penalty is on weights of features scaled to unit variance on each fit.
        tolerance: As in `minimise`.
    """

    kfold: KFold
    shares: torch.Tensor
    l2: torch.Tensor
    standardize: bool
    tolerance: float

    def __call__(self, vectors: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
        """Fit all folds of all units.

        Args:
            vectors: float32 (u, m, dim), in the order of `kfold`.
            start: float64 (u, l, 2, dim + 1), the weights fitted to all m rows.

        Returns:
            Weights for vectors as given, float64 (u, f, l, 2, dim + 1). NaN where Newton's method does not
            converge at once, for example with features that are constant in a fold.
        """
        scaling = Scaling.of(vectors, self.standardize)
        begin, found = scaling.from_raw(start), []
        for unit, origin in enumerate(begin[:, :, 1] - begin[:, :, 0]):
            exact = scaling.of_unit(unit).apply(vectors[unit : unit + 1], torch.float64)[0]
            found.append(_Unit(self, exact).solve(origin.to(vectors.dtype)))
        theta = torch.stack(found)
        weights = torch.stack([-theta, theta], 3) / 2
        return scaling.to_raw(weights.flatten(1, 2)).view(weights.shape)


class _Unit:
    """All folds and L2 values of one unit, p = f · l problems."""

    def __init__(self, solver: FoldSolver, exact: torch.Tensor) -> None:
        """Store features (m, d) in float64, scaled on all rows, the last being 1."""
        self.exact, self.x, self.y = exact, exact.to(solver.shares.dtype), solver.shares
        self.kfold, self.values, self.tolerance = solver.kfold, len(solver.l2), solver.tolerance
        self.sizes = self.kfold.sizes(exact.device).repeat_interleave(self.values).unsqueeze(1)
        self.penalty = (solver.l2[:, None] / 2 * self._scales(solver.standardize).unsqueeze(1)).flatten(0, 1)

    def solve(self, origin: torch.Tensor) -> torch.Tensor:
        """Return θ (f, l, d) from the fits to all rows (l, d); NaN where that fails."""
        loss, gradient, hessian = self._at_origin(origin)
        theta = origin.double().repeat(len(self.kfold.blocks), 1)
        loss += (self.penalty * theta.square()).sum(1) / 2
        gradient += self.penalty * theta
        factor = self._factor(hessian, self.penalty)
        step = _solve(factor, gradient)
        least = (loss - torch.linalg.vecdot(gradient, step) / 2).clamp(min=0)
        theta -= step
        within = self.x.new_ones(len(self.kfold.blocks), len(self.x))
        for row, block in zip(within, self.kfold.blocks, strict=True):
            row[block] = 0
        problems = torch.arange(len(theta), device=theta.device)
        for some in torch.split(problems, max(1, CHUNK // len(self.x))):
            self._approach_(theta, some, within, factor, self.tolerance * least)
            self._polish_(theta, some, within, factor)
        return theta.view(-1, *origin.shape)

    def _approach_(
        self,
        theta: torch.Tensor,
        going: torch.Tensor,
        within: torch.Tensor,
        factor: torch.Tensor,
        enough: torch.Tensor,
    ) -> None:
        """Continue from θ (p, d) with some problems until their gaps are at most `enough` (p,).

        Args:
            theta: Changed in place; NaN where that fails.
            going: int64, indices of the problems.
            within: float32 (f, m), 1 for the rows of each fit.
            factor: float64 (p, d, d); changed in place.
            enough: float64 (p,).
        """
        for sweep in range(MOST_SWEEPS):
            # evaluate exactly what is kept: weights that the features' precision can represent
            at = theta[going].to(self.x.dtype)
            theta[going] = at.double()
            mine = within[going // self.values]
            chance = (at @ self.x.T).sigmoid_()
            if sweep >= KEEP_HESSIAN:
                factor[going] = self._factor(
                    self._hessian(self.x, chance * (1 - chance) * mine) / self.sizes[going, None],
                    self.penalty[going],
                )
            error = chance.sub_(self.y).mul_(mine)
            gradient = (error @ self.x).double() / self.sizes[going] + self.penalty[going] * theta[going]
            step = _solve(factor[going], gradient)
            far = ~(torch.linalg.vecdot(gradient, step) / 2 <= enough[going])
            going = going[far]
            if not len(going):
                return
            theta[going] -= step[far]
        theta[going] = torch.nan

    def _polish_(
        self, theta: torch.Tensor, going: torch.Tensor, within: torch.Tensor, factor: torch.Tensor
    ) -> None:
        """Continue in float64 to the optimum, as `polish` does; see `_approach_` for the arguments."""
        last = torch.full_like(theta[:, 0], torch.inf)
        for _ in range(MOST_SWEEPS):
            at, mine = theta[going], within[going // self.values]
            error = (at @ self.exact.T).sigmoid_().sub_(self.y).mul_(mine)
            gradient = error @ self.exact / self.sizes[going] + self.penalty[going] * at
            step = _solve(factor[going], gradient)
            gap = torch.linalg.vecdot(gradient, step) / 2
            theta[going] -= step
            # a step leaves about as large a share of the gap as the step before it
            left = gap * torch.where(last[going].isfinite(), gap / last[going], 1)
            last[going] = gap
            going = going[~(left <= ENOUGH)]
            if not len(going):
                return
        theta[going] = torch.nan

    def _at_origin(self, origin: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the loss (p,), gradient (p, d) and Hessian (p, d, d) of the data at θ (l, d)."""
        logits = origin @ self.x.T
        losses = torch.nn.functional.softplus(logits) - self.y * logits
        chance = torch.sigmoid(logits)
        error, curvature = chance - self.y, chance * (1 - chance)
        sums: tuple[list[torch.Tensor], ...] = ([], [], [])
        for block in self.kfold.blocks:
            sums[0].append(losses[:, block].sum(1).double())
            sums[1].append((error[:, block] @ self.x[block]).double())
            sums[2].append(self._hessian(self.x[block], curvature[:, block]))
        loss, gradient, hessian = (self.kfold.means(torch.stack(parts)).flatten(0, 1) for parts in sums)
        return loss, gradient, hessian

    @staticmethod
    def _hessian(x: torch.Tensor, curvature: torch.Tensor) -> torch.Tensor:
        """Return the sum over rows (n, d) weighted by (p′, n); float64 (p′, d, d)."""
        total = torch.zeros((), dtype=torch.float64, device=x.device)
        step = max(1, CHUNK // (len(curvature) * x.shape[1]))
        for rows, weights in zip(torch.split(x, step), torch.split(curvature, step, 1), strict=True):
            total = total + ((rows.T * weights[:, None]) @ rows).double()
        return total

    @staticmethod
    def _factor(hessian: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
        """Return Cholesky factors of the data's Hessians with the penalty; NaN never counts as converged."""
        hessian.diagonal(dim1=1, dim2=2).add_(penalty)
        factor, failed = torch.linalg.cholesky_ex(hessian)
        return torch.where(failed[:, None, None] == 0, factor, torch.nan)

    def _scales(self, standardize: bool) -> torch.Tensor:
        """Return the variance of each feature on each fit, 0 for the bias; float64 (f, d).

        Features are scaled on all rows, but the penalty is on weights of features scaled on each fit.
        """
        variance = self.exact.new_ones(len(self.kfold.blocks), self.exact.shape[1])
        if standardize:
            blocks = [self.exact[block] for block in self.kfold.blocks]
            mean = self.kfold.means(torch.stack([rows.sum(0) for rows in blocks]))
            square = self.kfold.means(torch.stack([rows.square().sum(0) for rows in blocks]))
            variance = square - mean.square()
            variance[variance < LEAST_VARIANCE] = torch.nan
            # a feature that is constant on all rows has weight 0 under any penalty
            variance[:, (square == 0).all(0)] = 1
        variance[:, -1] = 0
        return variance


def _solve(factor: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """Return Newton steps (p, d) from Cholesky factors (p, d, d) and gradients (p, d)."""
    return torch.cholesky_solve(gradient.unsqueeze(2), factor).squeeze(2)
