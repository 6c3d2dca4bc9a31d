"""The affine map that prepares vectors for the solver, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from probing.errors import ProbingError
from probing.io.lazy import torch

# rows that the principal axes are found on, at least; they speed the solver and change no optimum
AXES_ROWS = 2048
# with more features than this the axes would cost more than they save
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
        """Read the statistics of training vectors, in float64 so that no order of summing shows.

        Args:
            train: float32 (u, n, dim).
            standardize: Scale every feature to unit variance; otherwise the vectors are only centred,
                which changes no optimum since the bias is free.
        """
        centre = torch.stack([x.mean(0, keepdim=True, dtype=torch.float64) for x in train])
        if not standardize:
            return cls(centre.to(train.dtype), torch.ones_like(centre, dtype=train.dtype))
        spread = torch.stack(
            [(x - c).square_().mean(0, keepdim=True) for x, c in zip(train, centre, strict=True)]
        )
        spread.sqrt_()
        # below the rounding of float32 a spread is noise: such a feature counts as constant
        constant = spread <= 8 * torch.finfo(train.dtype).eps * centre.abs()
        return cls(centre.to(train.dtype), torch.where(constant, 0, 1 / spread).to(train.dtype))

    def apply(self, vectors: torch.Tensor, dtype: torch.dtype | None = None) -> torch.Tensor:
        """Mapped vectors with a last feature of ones for the bias; (u, n, dim + 1), in `dtype` or float32."""
        dtype = dtype or torch.float32
        units, n, dim = vectors.shape
        mapped = vectors.new_ones(units, n, dim + 1, dtype=dtype)
        for vector, out, centre, scale in zip(vectors, mapped, self.centre, self.scale, strict=True):
            torch.sub(vector.to(dtype), centre.to(dtype), out=out[:, :dim]).mul_(scale)
        return mapped

    def of_unit(self, unit: int) -> Scaling:
        """The map of one unit."""
        axes = None if self.axes is None else self.axes[unit : unit + 1]
        return Scaling(self.centre[unit : unit + 1], self.scale[unit : unit + 1], axes)

    def rotate_(self, mapped: torch.Tensor) -> Scaling:
        """Turn what `apply` gave, in place, to its principal axes; return the map with the rotation.

        An orthogonal rotation leaves the loss and the penalty ‖W‖² what they are, but makes the
        features uncorrelated, which is what the solver's curvature model assumes.
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
        """Turn weights for mapped vectors into weights that do the same for the vectors given.

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
        """The inverse of `to_raw`; a constant feature gets weight 0."""
        bias = weights[..., -1:] + (weights[..., :-1] * self.centre[:, None]).sum(-1, keepdim=True)
        mapped = weights[..., :-1] * torch.where(self.scale > 0, 1 / self.scale, 0)[:, None]
        if self.axes is not None:
            mapped = mapped @ self.axes.double().unsqueeze(1)
        return torch.cat([mapped, bias], -1)


def check_finite(vectors: torch.Tensor) -> None:
    """Refuse vectors that hold NaN or infinity.

    Raises:
        ProbingError: Naming the first unit that does.
    """
    # a sum that is finite has finite terms only; one that is not may just have overflowed
    suspects = (~torch.isfinite(vectors.sum((1, 2)))).nonzero().flatten().tolist()
    for unit in suspects:
        bad = int((~torch.isfinite(vectors[unit])).any(1).sum())
        if bad:
            raise ProbingError(
                f"unit {unit}: {bad} of {vectors.shape[1]} vectors hold NaN or infinity; "
                "a probe needs finite vectors"
            )
