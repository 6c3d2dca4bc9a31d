"""The memory of L-BFGS, for a batch of problems."""

from __future__ import annotations

from collections.abc import Callable

from probing.io.lazy import torch


class Memory:
    """Pairs of steps s and gradient changes y, stored so that the recursion takes a few matrix products.

    The two-loop recursion (Nocedal & Wright 2006, algorithm 7.4) amounts to two triangular solves.
    With R the upper triangle of S Yᵀ, its first loop solves R α = S g. Its second loop solves
    Rᵀ γ = diag(R) α − Y r, where r = H₀ (g − Yᵀ α). The result is r + Sᵀ γ.

    Attributes:
        steps: float64 (p, m, f), S, oldest first.
        changes: float64 (p, m, f), Y.
        table: float64 (p, m, m), R. A pair that a problem rejected is zero, with 1 in R.
        used: Number of the m pairs in use.
    """

    def __init__(self, problems: int, size: int, width: int, device: torch.device) -> None:
        """Allocate `size` pairs of `width` numbers for each problem."""
        self.steps = torch.zeros(problems, size, width, dtype=torch.float64, device=device)
        self.changes = torch.zeros_like(self.steps)
        self.table = torch.eye(size, dtype=torch.float64, device=device).repeat(problems, 1, 1)
        self.used = 0

    def take(self, problems: torch.Tensor) -> None:
        """Keep the problems with these indices."""
        self.steps, self.changes = self.steps[problems], self.changes[problems]
        self.table = self.table[problems]

    def push(self, step: torch.Tensor, change: torch.Tensor, least: torch.Tensor) -> None:
        """Add a pair, (p, f) each, unless its curvature sᵀy is at most `least` (p,)."""
        size = self.table.shape[1]
        if self.used == size:
            self._forget()
        at = self.used
        curvature = torch.linalg.vecdot(step, change)
        usable = (curvature > least).unsqueeze(1)
        self.steps[:, at] = torch.where(usable, step, 0)
        self.changes[:, at] = torch.where(usable, change, 0)
        self.used += 1
        column = (self.steps[:, : self.used] @ self.changes[:, at].unsqueeze(2)).squeeze(2)
        column[:, at] = torch.where(usable.squeeze(1), curvature, 1)
        self.table[:, : self.used, at] = column

    def apply(self, gradient: torch.Tensor, solve: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        """Return H g for gradients (p, f), from the initial inverse Hessian `solve`."""
        m = self.used
        if not m:
            return solve(gradient)
        steps, changes, table = self.steps[:, :m], self.changes[:, :m], self.table[:, :m, :m]
        alpha = torch.linalg.solve_triangular(table, steps @ gradient.unsqueeze(2), upper=True)
        start = solve(gradient - (changes.mT @ alpha).squeeze(2)).unsqueeze(2)
        right = table.diagonal(dim1=1, dim2=2).unsqueeze(2) * alpha - changes @ start
        gamma = torch.linalg.solve_triangular(table.mT, right, upper=False)
        step: torch.Tensor = start + steps.mT @ gamma
        return step.squeeze(2)

    def _forget(self) -> None:
        """Drop the oldest pair."""
        self.steps[:, :-1] = self.steps[:, 1:].clone()
        self.changes[:, :-1] = self.changes[:, 1:].clone()
        self.table[:, :-1, :-1] = self.table[:, 1:, 1:].clone()
        self.table[:, -1] = 0
        self.table[:, :, -1] = 0
        self.used -= 1
