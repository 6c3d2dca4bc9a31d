"""A cheap, exactly invertible model of the curvature of logistic regression."""

from __future__ import annotations

from probing.io.lazy import torch
from probing.probes.active import Rectangle

# curvature below this is rounding
SMALLEST = 1e-8
# curvature below this share of the mean over classes is not trusted
LEAST_SHARE = 1e-2


class Kronecker:
    """The Hessian as A ⊗ Σ + λI, with A between classes and Σ, here diagonal, between features.

    The Hessian of the mean negative log likelihood is the mean over rows of (diag(p) − ppᵀ) ⊗ xxᵀ. If p
    and x were independent, it would be the Kronecker product of the two means, as in K-FAC (Martens &
    Grosse 2015). At W = 0 this is exact. With A = U diag(a) Uᵀ and Σ = diag(s), which holds for features on
    their principal axes, the ridge is added exactly, and the inverse maps G to U [(Uᵀ G) / (a sᵀ + λ)].
    Centred features make the bias, where s = 1 and λ = 0, a block of its own.

    A has a null vector: adding one vector to the weights of all classes changes no probability. The data
    have no gradient along it, so it is left out.
    """

    def __init__(self, variance: torch.Tensor, penalty: torch.Tensor) -> None:
        """Store Σ and λ.

        Args:
            variance: float64 (u, d), mean square of each feature.
            penalty: float64 (u, l, 1, d).
        """
        self.variance = variance[:, None, None]
        self.penalty = penalty
        self.rotation: torch.Tensor | None = None
        self.inverse = torch.ones_like(penalty)

    def take(self, kept: Rectangle) -> None:
        """Keep only some of the problems."""
        self.variance, self.penalty = self.variance[kept.units], kept.pick(self.penalty)
        self.inverse = kept.pick(self.inverse)
        self.rotation = None if self.rotation is None else kept.pick(self.rotation)

    def update(self, between: torch.Tensor, where: torch.Tensor | None = None) -> None:
        """Set A for all problems, or for those where `where` (u, l) is true.

        Args:
            between: float64 (u, l, k, k); or (u, l, k), its diagonal only, where k is large.
            where: bool (u, l).
        """
        # a step that overflowed is rejected, and so is its curvature
        between = between.nan_to_num(0, 0, 0)
        values, rotation = (between, None) if between.dim() == 3 else _eigen(between)
        # a class that is hardly ever uncertain would get a step far beyond the range of the model
        floor = (LEAST_SHARE * values.mean(2, keepdim=True)).clamp(min=SMALLEST)
        values = values.maximum(floor).unsqueeze(-1)
        inverse = 1 / (values * self.variance + self.penalty)
        if where is None:
            self.rotation, self.inverse = rotation, inverse
            return
        wide = where[:, :, None, None]
        self.inverse = torch.where(wide, inverse, self.inverse)
        if rotation is not None and self.rotation is not None:
            self.rotation = torch.where(wide, rotation, self.rotation)

    def solve(self, gradient: torch.Tensor) -> torch.Tensor:
        """Return the model's inverse Hessian times a gradient, float64 (u, l, k, d)."""
        gradient = gradient - gradient.mean(2, keepdim=True)
        if self.rotation is not None:
            return self.rotation @ (self.rotation.mT @ gradient).mul_(self.inverse)
        solved = gradient.mul_(self.inverse)
        return solved - solved.mean(2, keepdim=True)


def _eigen(between: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return eigenvalues and eigenvectors of A, shifted along its null vector, where gradients are zero."""
    lift = between.diagonal(dim1=2, dim2=3).mean(2).clamp(min=SMALLEST) / between.shape[2]
    values, vectors = torch.linalg.eigh(between + lift[:, :, None, None])
    return values, vectors
