"""Granularity: the heads or layers that one probe reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from probing.errors import ProbingError
from probing.representations.request import SiteKind
from probing.validation.ranges import Count, CountOrZero, Entries, Layer, Most, check_ranges

Level = Literal["head", "layer", "attention", "top_heads", "all_heads"]
_SOME = Entries(what="name some, or null for all")
_Repeats = Annotated[CountOrZero, Most(100)]


@dataclass(frozen=True)
class Granularity:
    """A choice in conf/granularity.

    Attributes:
        unit: Single heads; whole layers; a layer's heads together; the heads that are best on dev
            together; or all heads together.
        layers: Layers to read, from 0; -1 is the embeddings, for whole layers only. None reads all.
        n: Numbers of heads for `top_heads`; None takes 1, 2, 4, 8 ... up to half, and all.
        draws: Number of random sets of n heads that `top_heads` are compared with.
        permutations: Number of repetitions of `top_heads` on permuted labels.
    """

    unit: Level
    layers: Annotated[tuple[Layer, ...], _SOME] | None = None
    n: Annotated[tuple[Count, ...], _SOME] | None = None
    draws: _Repeats = 3
    permutations: _Repeats = 1

    def __post_init__(self) -> None:
        """Refuse impossible settings; sort layers and numbers and drop duplicates."""
        check_ranges(self, "granularity")
        for name in ("layers", "n"):
            values = getattr(self, name)
            object.__setattr__(self, name, None if values is None else tuple(sorted(set(values))))

    @property
    def site(self) -> SiteKind:
        """Site at which the model is read for this unit."""
        return "hidden" if self.unit == "layer" else "head"

    @property
    def used(self) -> dict[str, object]:
        """Settings that a result depends on; those of `top_heads` do not affect other units."""
        settings = asdict(self)
        names = settings if self.unit == "top_heads" else ("unit", "layers")
        return {name: settings[name] for name in names}

    def sizes(self, heads: int) -> tuple[int, ...]:
        """Return the numbers of heads that `top_heads` concatenates, in ascending order.

        Raises:
            ProbingError: If the model has fewer heads.
        """
        if self.n is None:
            powers = [2**power for power in range(heads.bit_length()) if 2 * 2**power <= heads]
            return (*powers, heads)
        if self.n[-1] > heads:
            raise ProbingError(f"granularity.n={self.n[-1]}: only {heads} heads are read; give fewer")
        return self.n
