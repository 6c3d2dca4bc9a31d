"""What one probe reads: a head, a layer, or several heads put together."""

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
        layers: The layers to read, from 0 (-1 is the embeddings, of whole layers); None reads all.
        n: Of `top_heads`, how many heads; None takes 1, 2, 4, 8 ... up to half, and all.
        draws: Of `top_heads`, how many sets of n random heads stand beside them.
        permutations: Of `top_heads`, how often all is repeated on shuffled labels.
    """

    unit: Level
    layers: Annotated[tuple[Layer, ...], _SOME] | None = None
    n: Annotated[tuple[Count, ...], _SOME] | None = None
    draws: _Repeats = 3
    permutations: _Repeats = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be meant, and put layers and numbers in order, each once."""
        check_ranges(self, "granularity")
        for name in ("layers", "n"):
            values = getattr(self, name)
            object.__setattr__(self, name, None if values is None else tuple(sorted(set(values))))

    @property
    def site(self) -> SiteKind:
        """Where the model is read for this unit."""
        return "hidden" if self.unit == "layer" else "head"

    @property
    def used(self) -> dict[str, object]:
        """The settings that a result depends on: other units have no use for those of `top_heads`."""
        settings = asdict(self)
        names = settings if self.unit == "top_heads" else ("unit", "layers")
        return {name: settings[name] for name in names}

    def sizes(self, heads: int) -> tuple[int, ...]:
        """How many heads are put together by `top_heads`, ascending.

        Raises:
            ProbingError: If there are not so many.
        """
        if self.n is None:
            powers = [2**power for power in range(heads.bit_length()) if 2 * 2**power <= heads]
            return (*powers, heads)
        if self.n[-1] > heads:
            raise ProbingError(f"granularity.n asks for {self.n[-1]} heads, but {heads} are read")
        return self.n
