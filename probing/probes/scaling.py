"""The affine map that prepares vectors for the solver, and its inverse."""

from __future__ import annotations

from dataclasses import dataclass, replace

from probing.errors import ProbingError
from probing.io.lazy import torch

# minimum number of rows for the principal axes, which speed up the solver and change no optimum
AXES_ROWS = 2048
# with more features than this, computing the axes would cost more than it saves
MOST_AXES = 4096


@dataclass(frozen=True)
class Scaling:
    """The affine map x ↦ Vᵀ((x − centre) · scale), one for each unit.

    Attributes:
        centre: float32 (u, 1, dim).
        scale: float32 (u, 1, dim); 0 for a feature that is constant on the training rows.
        axes: V, float32 (u, dim, dim), orthogonal; None for no rotation.
    """

    centre: torch.Tensor
    scale: torch.Tensor
    axes: torch.Tensor | None = None

    @classmethod
    def of(cls, train: torch.Tensor, standardize: bool) -> Scaling:
        """Compute the statistics of training vectors in float64, so that summation order does not matter.

        Args:
            train: float32 (u, n, dim).
            standardize: Whether to scale every feature to unit variance. Otherwise the vectors are only
                centred, which changes no optimum because the bias is free.
        """
        centre = torch.stack([x.mean(0, keepdim=True, dtype=torch.float64) for x in train])
        if not standardize:
            return cls(centre.to(train.dtype), torch.ones_like(centre, dtype=train.dtype))
        spread = torch.stack(
            [(x - c).square_().mean(0, keepdim=True) for x, c in zip(train, centre, strict=True)]
        )
        spread.sqrt_()
        # a spread below the rounding of float32 is noise, so the feature counts as constant
        constant = spread <= 8 * torch.finfo(train.dtype).eps * centre.abs()
        return cls(centre.to(train.dtype), torch.where(constant, 0, 1 / spread).to(train.dtype))

    def apply(self, vectors: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
        """Return mapped vectors in `dtype` (float32) with a last feature of ones; (u, n, dim + 1)."""
        dtype = dtype or torch.float32
        units, n, dim = vectors.shape
        mapped = vectors.new_ones(units, n, dim + 1, dtype=dtype)
        for vector, out, centre, scale in zip(vectors, mapped, self.centre, self.scale, strict=True):
            torch.sub(vector.to(dtype), centre.to(dtype), out=out[:, :dim]).mul_(scale)
        return mapped

    def of_unit(self, unit: int) -> Scaling:
        """Return the map of one unit."""
        axes = None if self.axes is None else self.axes[unit : unit + 1]
        return Scaling(self.centre[unit : unit + 1], self.scale[unit : unit + 1], axes)

    def rotate_(self, mapped: torch.Tensor) -> Scaling:
        """Rotate the output of `apply` to its principal axes in place; return the map with the rotation.

        An orthogonal rotation does not change the loss or the penalty ‖W‖², but it makes the features
        uncorrelated, as the solver's curvature model assumes.
        """
        plain = mapped[..., :-1]
        n, dim = plain.shape[1:]
        if dim > MOST_AXES:
            return self
        sample = plain[:, :: max(1, n // max(AXES_ROWS, 8 * dim))]
        gram = torch.bmm(sample.mT, sample).double() / sample.shape[1]
        axes = torch.linalg.eigh(gram)[1].to(mapped.dtype)
        for rows, turn in zip(plain, axes, strict=True):
            rows.copy_(rows @ turn)
        return replace(self, axes=axes)

    def to_raw(self, weights: torch.Tensor) -> torch.Tensor:
        """Turn weights for mapped vectors into equivalent weights for the vectors as given.

        Args:
            weights: float64 (u, l, k, dim + 1), the bias last.
        """
        raw = weights[..., :-1]
        if self.axes is not None:
            raw = raw @ self.axes.double().mT.unsqueeze(1)
        raw = raw * self.scale[:, None]
        bias = weights[..., -1:] - (raw * self.centre[:, None]).sum(-1, keepdim=True)
        return torch.cat([raw, bias], -1)

    def from_raw(self, weights: torch.Tensor) -> torch.Tensor:
        """Return the inverse of `to_raw`; a constant feature gets weight 0."""
        bias = weights[..., -1:] + (weights[..., :-1] * self.centre[:, None]).sum(-1, keepdim=True)
        mapped = weights[..., :-1] * torch.where(self.scale > 0, 1 / self.scale, 0)[:, None]
        if self.axes is not None:
            mapped = mapped @ self.axes.double().unsqueeze(1)
        return torch.cat([mapped, bias], -1)


def check_finite(vectors: torch.Tensor) -> None:
    """Reject vectors that contain NaN or infinity.

    Raises:
        ProbingError: Naming the first unit that contains them.
    """
    # a finite sum has only finite terms; a sum that is not finite may just have overflowed
    suspects = (~torch.isfinite(vectors.sum((1, 2)))).nonzero().flatten().tolist()
    for unit in suspects:
        bad = int((~torch.isfinite(vectors[unit])).any(1).sum())
        if bad:
            raise ProbingError(
                f"unit {unit}: {bad} of {vectors.shape[1]} vectors contain NaN or infinity; "
                "a probe needs finite vectors"
            )
