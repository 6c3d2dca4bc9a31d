"""Newton's method in float64 that takes small logistic fits from near their optimum to the optimum."""

from __future__ import annotations

from dataclasses import dataclass

from probing.io.lazy import torch
from probing.probes.scaling import Scaling

# tolerated excess of the loss over the minimum: logits are then within some 1e-9 of the optimum's
ENOUGH = 1e-18
MOST_STEPS = 8
# a step that leaves more of the gap than this is followed by a new Hessian
KEEP_HESSIAN = 5e-2
# number of rows in one chunk
CHUNK = 1024


def polish(
    vectors: torch.Tensor, target: torch.Tensor, weights: torch.Tensor, l2: torch.Tensor, standardize: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Move fits to the optimum, as far as float64 resolves it.

    The search in float32 leaves logits up to a thousandth from those of the optimum, by an amount that
    depends on how threads and processors round. The prediction for an example that close to the border
    between two classes would be arbitrary. Newton steps in float64, on vectors standardised in float64, leave
    some 1e-9.

    Args:
        vectors: float32 (u, n, dim), as given.
        target: See `probing.probes.coding.Coding.target`; every class has a row, every anchor a share.
        weights: float64 (u, l, k, dim + 1), weights near the optimum for vectors as given.
        l2: float64 (u, l), the values of λ.
        standardize: See `Scaling.of`.

    Returns:
        Weights, float64 (u, l, k, dim + 1), and bool (u, l), whether they are the optimum. Where the steps do
        not converge, the fit is returned unchanged.
    """
    scaling = Scaling.of(vectors, standardize)
    begin, found = scaling.from_raw(weights), []
    for unit, start in enumerate(begin):
        exact = scaling.of_unit(unit).apply(vectors[unit : unit + 1], torch.float64)[0]
        found.append(_Unit.of(exact, target, l2[unit], weights.shape[2]).solve(start))
    polished = scaling.to_raw(torch.stack([at for at, _ in found]))
    reached = torch.stack([ended for _, ended in found])
    return torch.where(reached[:, :, None, None], polished, weights), reached


@dataclass(frozen=True)
class _Unit:
    """The fits of one unit to n rows with l values of λ.

    Weights are relative to those of the last class, θ_c = W_c − W_k, q = k − 1 of them. Weights at the
    optimum add up to 0 over classes, so that ‖W‖² = Σ_c θ_c² − (Σ_c θ_c)² / k.

    Attributes:
        x: float64 (n, d), the last feature being 1.
        moments: float64 (q, d), mean of y xᵀ.
        penalty: float64 (l, 1, d), 0 for the bias.
    """

    x: torch.Tensor
    moments: torch.Tensor
    penalty: torch.Tensor

    @classmethod
    def of(cls, x: torch.Tensor, target: torch.Tensor, l2: torch.Tensor, k: int) -> _Unit:
        """Prepare the problems; see `polish`."""
        shares = torch.nn.functional.one_hot(target, k) if target.dim() == 1 else target
        penalty = l2.view(-1, 1, 1).repeat(1, 1, x.shape[1])
        penalty[..., -1] = 0
        return cls(x, (shares.to(x.dtype).T @ x)[:-1] / len(x), penalty)

    def solve(self, start: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the optimum (l, k, d) from weights near it, and bool (l,), whether it was found."""
        theta, ended = self._descend(start[:, :-1] - start[:, -1:])
        found = torch.cat([theta, torch.zeros_like(theta[:, :1])], 1)
        found = found - found.mean(1, keepdim=True)
        return torch.where(ended[:, None, None], found, start), ended

    def _descend(self, at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Take Newton steps from θ (l, q, d); return the result and bool (l,), whether it is the optimum."""
        factor = self._factor(at, torch.float32)
        last = at.new_full(at.shape[:1], torch.inf)
        ended = torch.zeros_like(last, dtype=torch.bool)
        for _ in range(MOST_STEPS):
            gradient = self._gradient(at)
            step, gap = _newton(factor, gradient)
            if bool((~ended & ~(gap <= KEEP_HESSIAN * last)).any()):
                factor = self._factor(at, torch.float64)
                step, gap = _newton(factor, gradient)
            # a step leaves about as large a share of the gap as the step before it
            left = gap * torch.where(last.isfinite(), gap / last, 1)
            at, last = torch.where(ended[:, None, None], at, at - step), gap
            ended = ended | (left <= ENOUGH)
            if bool(ended.all()):
                break
        return at, ended

    def _gradient(self, at: torch.Tensor) -> torch.Tensor:
        """Return the gradient of the mean loss with its penalty; (l, q, d)."""
        total = torch.zeros_like(at)
        for rows in torch.split(self.x, CHUNK):
            total += (_chances(at, rows).flatten(0, 1) @ rows).view_as(at)
        shared = at.sum(1, keepdim=True) / (at.shape[1] + 1)
        return total / len(self.x) - self.moments + self.penalty * (at - shared)

    def _factor(self, at: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Return Cholesky factors (l, q·d, q·d) of the Hessians; NaN where they do not exist."""
        values, q, d = at.shape
        one, other = torch.triu_indices(q, q, device=at.device)
        total = at.new_zeros(values * len(one), d, d)
        for rows in torch.split(self.x, CHUNK):
            chance = _chances(at, rows).to(dtype)
            weights = -chance[:, one] * chance[:, other]
            weights[:, one == other] += chance
            total += _squares(rows.T.to(dtype).contiguous(), weights.flatten(0, 1)).double()
        pairs = total.view(values, -1, d, d) / len(self.x)
        penalty = torch.diag_embed(self.penalty)
        pairs += penalty * ((one == other).to(at.dtype) - 1 / (q + 1))[:, None, None]
        hessian = at.new_empty(values, q, q, d, d)
        hessian[:, one, other] = hessian[:, other, one] = pairs
        factor, failed = torch.linalg.cholesky_ex(hessian.transpose(2, 3).reshape(values, q * d, q * d))
        return torch.where(failed[:, None, None] == 0, factor, torch.nan)


def _chances(at: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return probabilities (l, q, n) of all classes but the last, under θ (l, q, d)."""
    logits = (at.flatten(0, 1) @ rows.T).view(*at.shape[:2], -1)
    if at.shape[1] == 1:
        return logits.sigmoid_()
    top = logits.amax(1, keepdim=True).clamp_(min=0)
    shares = logits.sub_(top).exp_()
    return shares.div_(shares.sum(1, keepdim=True).add_(top.neg().exp_()))


def _squares(x: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the sums of w x xᵀ over columns of x (d, n) under weights (p, n); (p, d, d)."""
    d = len(x)
    if 6 * len(weights) <= d:
        return (weights[:, None] * x).flatten(0, 1).matmul(x.T).view(-1, d, d)
    # with many weights, compute the products of features once for all of them
    products = torch.cat([x[row] * x[row:] for row in range(d)])
    one, other = torch.triu_indices(d, d, device=x.device)
    found = x.new_empty(len(weights), d, d)
    found[:, one, other] = found[:, other, one] = weights @ products.T
    return found


def _newton(factor: torch.Tensor, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the steps (l, q, d), and half the squared Newton decrements, (l,)."""
    flat = gradient.flatten(1)
    step = torch.cholesky_solve(flat.unsqueeze(2), factor).squeeze(2)
    return step.view_as(gradient), torch.linalg.vecdot(flat, step) / 2
