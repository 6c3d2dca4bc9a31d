"""Record of the heads removed from a model, so that another copy of it can be cut in the same way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from torch import nn
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.heads import stack_name
from probing.models.sites import Site
from probing.models.slices import Cut, HeadCount, Ranges, apply, as_indices, as_ranges

_VERSION = 1
_MEMORY = "_pruned_heads"
NOTE = "Plain transformers does not load this model correctly; probing.load_pruned(folder) does."


@dataclass(frozen=True)
class Removed:
    """Everything that was removed from a model, in the numbering of the whole model.

    Attributes:
        heads: Removed heads, by stack ("", "encoder", "decoder" or "cross") and layer.
        kept: Indices that parameters kept, by name and axis.
        counts: New head counts in modules, by name and attribute.
    """

    heads: Mapping[str, Mapping[int, tuple[int, ...]]] = field(default_factory=dict)
    kept: Mapping[str, Mapping[int, Ranges]] = field(default_factory=dict)
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def smaller(self) -> bool:
        """True if any parameter is smaller than in the whole model."""
        return bool(self.kept)

    def originals(self, site: Site, heads: Iterable[int]) -> tuple[int, ...]:
        """Return the numbers in the whole model of heads that are given in a site's current numbering."""
        gone = self.heads.get(stack_name(site), {}).get(site.layer, ())
        left = [head for head in range(site.heads + len(gone)) if head not in gone]
        return tuple(left[head] for head in sorted(heads))

    def after(
        self, cuts: Iterable[Cut], counts: Iterable[HeadCount], heads: Mapping[Site, Iterable[int]]
    ) -> Removed:
        """Return the record after further cuts, whose heads are numbered as before these cuts."""
        gone = {stack: dict(layers) for stack, layers in self.heads.items()}
        for site, several in heads.items():
            layers = gone.setdefault(stack_name(site), {})
            layers[site.layer] = tuple(sorted((*layers.get(site.layer, ()), *self.originals(site, several))))
        kept = {name: dict(axes) for name, axes in self.kept.items()}
        for cut in cuts:
            axes = kept.setdefault(cut.parameter, {})
            axes[cut.axis] = _through(axes.get(cut.axis), cut.kept)
        counted = {name: dict(values) for name, values in self.counts.items()}
        for count in counts:
            counted.setdefault(count.module, {})[count.attribute] = count.value
        return Removed(gone, kept, counted)

    def within(self, model: nn.Module, prefix: str) -> Removed:
        """Return the record with the module names of a model with or without a task head.

        Raises:
            ProbingError: If the model does not have the modules that were cut.
        """
        known = {name for name, _ in model.named_modules()}

        def local(module: str) -> str:
            names = (module, module.removeprefix(f"{prefix}."), f"{prefix}.{module}")
            found = next((name for name in names if name in known), None)
            if found is None:
                raise ProbingError(
                    f"{type(model).__name__} has no {module}, which was cut; load the saved class"
                )
            return found

        def parameter(name: str) -> str:
            module, _, last = name.rpartition(".")
            return f"{local(module)}.{last}"

        kept = {parameter(name): axes for name, axes in self.kept.items()}
        return Removed(self.heads, kept, {local(name): values for name, values in self.counts.items()})

    def apply(self, model: nn.Module) -> None:
        """Cut the parameters of a whole model as recorded; the values that remain are its own."""
        cuts = [Cut(name, axis, ranges) for name, axes in self.kept.items() for axis, ranges in axes.items()]
        counts = [
            HeadCount(name, key, value)
            for name, values in self.counts.items()
            for key, value in values.items()
        ]
        apply(model, cuts, counts)


def removed_from(model: PreTrainedModel) -> Removed:
    """Return the record of what was removed from a model, now or before saving; empty for a whole model."""
    found = vars(model).get(_MEMORY)
    return found if isinstance(found, Removed) else Removed()


def remember(model: PreTrainedModel, removed: Removed) -> None:
    """Store the record in the model."""
    vars(model)[_MEMORY] = removed


def as_json(removed: Removed) -> str:
    """Return the record as text."""
    note = {"note": NOTE} if removed.smaller else {}
    return json.dumps({"version": _VERSION, **note, **asdict(removed)}, indent=1) + "\n"


def from_json(text: str) -> Removed:
    """Return the record that `as_json` wrote.

    Raises:
        ValueError: If the text is not such a record.
    """
    try:
        content = json.loads(text)
        if content["version"] != _VERSION:
            raise ValueError(f"has version {content['version']}, not {_VERSION}; update probing")
        return Removed(
            {
                str(stack): {int(layer): tuple(map(int, gone)) for layer, gone in layers.items()}
                for stack, layers in content["heads"].items()
            },
            {
                str(name): {int(axis): _ranges(runs) for axis, runs in axes.items()}
                for name, axes in content["kept"].items()
            },
            {
                str(name): {str(key): int(value) for key, value in values.items()}
                for name, values in content["counts"].items()
            },
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("is not a record of pruned heads") from error


def _ranges(runs: Iterable[Iterable[int]]) -> Ranges:
    found = tuple((int(first), int(last)) for first, last in runs)
    edges = [edge for run in found for edge in run]
    if edges != sorted(edges) or (edges and edges[0] < 0):
        raise ValueError("has indices that are out of order")
    return found


def _through(before: Ranges | None, kept: Ranges) -> Ranges:
    """Return `kept`, which indexes the entries kept before, as indices of the whole parameter."""
    if before is None:
        return kept
    there = as_indices(before)
    return as_ranges(there[index] for index in as_indices(kept))
