"""All heads of a model along one axis, the one that masks, gates and scores use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from probing.errors import ProbingError
from probing.models.sites import Site


@dataclass(frozen=True)
class Heads:
    """The heads of some sites, in order of execution.

    Attributes:
        sites: Head sites of one model; their heads follow one another, N in total.
    """

    sites: tuple[Site, ...]

    def __len__(self) -> int:
        """Return N, the number of heads."""
        return sum(site.heads for site in self.sites)

    def __repr__(self) -> str:
        """Return the number of heads and of layers in each stack."""
        layers: dict[str, int] = {}
        for site in self.sites:
            layers[stack_name(site)] = layers.get(stack_name(site), 0) + 1
        there = ", ".join(f"{stack} {count} layers".strip() for stack, count in layers.items())
        return f"Heads({len(self)} heads: {there})"

    @cached_property
    def slices(self) -> dict[Site, slice]:
        """Positions of each site's heads among all N."""
        found, start = {}, 0
        for site in self.sites:
            found[site] = slice(start, start + site.heads)
            start += site.heads
        return found

    @cached_property
    def cells(self) -> tuple[dict[str, object], ...]:
        """Columns that identify each head in the result frame: stack, layer, head."""
        several = len({stack_name(site) for site in self.sites}) > 1
        return tuple(
            {"stack": stack_name(site) if several else None, "layer": site.layer, "head": head}
            for site in self.sites
            for head in range(site.heads)
        )

    def names(self, places: Iterable[int]) -> str:
        """Return heads as `4.10 3.5` (layer.head) in the given order; with several stacks, `cross.4.10`."""
        cells = (self.cells[place] for place in places)
        return " ".join(".".join(str(part) for part in cell.values() if part is not None) for cell in cells)

    def places(self, heads: Iterable[tuple[int, int]], stack: str | None = None) -> list[int]:
        """Return the positions of (layer, head) among all N.

        Args:
            heads: Layers and heads, from 0.
            stack: `encoder`, `decoder` or `cross`, for a model that has several.

        Raises:
            ProbingError: If the model does not have a head, or only a stack can identify it.
        """
        stacks = list(dict.fromkeys(stack_name(site) for site in self.sites))
        if stack is None and len(stacks) > 1:
            raise ProbingError(f"the model has heads in {', '.join(stacks)}; choose one with stack=...")
        if stack is not None and stack not in stacks:
            raise ProbingError(f"the model has no stack {stack!r}; it has {', '.join(map(repr, stacks))}")
        of_layer = {site.layer: site for site in self.sites if stack in (None, stack_name(site))}
        return [self._place(of_layer, layer, head) for layer, head in heads]

    def _place(self, of_layer: dict[int, Site], layer: int, head: int) -> int:
        site = of_layer.get(layer)
        if site is None:
            raise ProbingError(f"the model has no heads in layer {layer}; it has layers {_listed(of_layer)}")
        if not 0 <= head < site.heads:
            raise ProbingError(f"layer {layer} has no head {head}; it has heads 0 to {site.heads - 1}")
        return int(self.slices[site].start) + head

    def of_layers(self, layers: Sequence[int] | None) -> Heads:
        """Return only the heads of some layers; None keeps all.

        Raises:
            ProbingError: If the model does not have a layer.
        """
        if layers is None:
            return self
        there = {site.layer for site in self.sites}
        for layer in layers:
            if layer not in there:
                raise ProbingError(
                    f"granularity.layers: the model has no heads in layer {layer}; "
                    f"it has layers {_listed(there)}"
                )
        return Heads(tuple(site for site in self.sites if site.layer in layers))


def stack_name(site: Site) -> str:
    """Return `encoder`, `decoder` or `cross` for a model that has both stacks; "" otherwise."""
    return "cross" if site.cross else site.stack


def _listed(layers: Iterable[int]) -> str:
    there = sorted(layers)
    whole = there == list(range(there[0], there[-1] + 1))
    return f"{there[0]} to {there[-1]}" if whole else ", ".join(map(str, there))
