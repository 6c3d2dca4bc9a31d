"""Changes that remove heads from a model: the rows that feed them, the columns that read them, counts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from probing.models.feeding import Feeding, FeedingAxis
from probing.models.sites import Side, Site
from probing.models.slices import Cut, HeadCount, Ranges, as_ranges, axes, sliceable

WIDTHS = frozenset({
    "all_head_size", "split_size", "inner_dim", "kv_dim", "attn_dim", "attention_size", "embed_dim",
    "hidden_size", "d_model", "dim",
})  # fmt: skip
"""Attributes that may contain the total width of all heads."""
NOT_A_COUNT = re.compile(r"dim|size|per_|width|scal")
CONVOLUTION = ("in_channels", "out_channels", "groups")
NAMED = 6  # heads that a message lists before it is cut short


@dataclass(frozen=True)
class Job:
    """Heads to remove from one projection.

    Attributes:
        sites: All sites of the projection; there is one, unless layers share it.
        heads: Heads to remove, in the current numbering.
        feeding: Features and parameters that feed the heads of the projection.
    """

    sites: tuple[Site, ...]
    heads: frozenset[int]
    feeding: Feeding

    @property
    def site(self) -> Site:
        """First of its sites."""
        return self.sites[0]


def obstacle(model: nn.Module, sites: Sequence[Site], asked: Mapping[Site, frozenset[int]]) -> str:
    """Return why a projection cannot be cut, as far as this is known beforehand; "" otherwise."""
    site = sites[0]
    module = model.get_submodule(site.module)
    if site.side is not Side.INPUT or not sliceable(module):
        return f"{site.module or site.name} is not a linear module whose weight can be sliced"
    if site.note.startswith("no softmax"):
        return "it has no softmax, so only the config separates its heads"
    if len({asked.get(each, frozenset()) for each in sites}) > 1:
        layers = ", ".join(str(each.layer) for each in sites)
        return f"layers {layers} share one projection; give the same heads for all of them"
    return ""


def split_groups(feeding: Feeding, heads: frozenset[int]) -> tuple[frozenset[int], str]:
    """Return the heads that form whole groups, and a message about the others.

    Grouped-query heads share a key and a value, which can only be removed together with the whole group.
    """
    broken = [group for group in feeding.groups if group & heads and not group <= heads]
    lost = frozenset[int]().union(*broken) & heads
    if not lost:
        return heads, ""
    groups = " and ".join(_listed(group) for group in broken[:2]) + (" ..." if len(broken) > 2 else "")
    return heads - lost, f"heads {_listed(lost)} share features with others; cut whole groups: {groups}"


def cuts_of(model: nn.Module, job: Job) -> tuple[list[Cut], str]:
    """Return the cuts of the parameters around one projection, and why they are impossible ("" if not)."""
    cuts: list[Cut] = []
    for part in job.feeding.parts:
        kept = _kept_rows(part, job.heads)
        if kept is None:
            continue
        if part.linear and not sliceable(model.get_submodule(part.parameter)):
            return [], f"{part.parameter} feeds its heads but cannot be sliced"
        cuts += _of_part(model, part, kept)
    if not cuts:
        return [], "no linear module was found that feeds only these heads"
    width = _width(model, job.site)
    gone = {
        job.site.offset + head * job.site.head_dim + i for head in job.heads for i in range(job.site.head_dim)
    }
    columns = as_ranges(i for i in range(width) if i not in gone)
    projection = model.get_submodule(job.site.module)
    return [*cuts, Cut(f"{job.site.module}.weight", axes(projection)[1], columns)], ""


def counts_of(model: nn.Module, job: Job) -> list[list[HeadCount]]:
    """Return possible changes of the head counts in the block's modules, the most likely first."""
    named = dict(model.named_modules())
    changes = [(_changes(job), False), (_widths(job), True)]
    found: dict[bool, list[HeadCount]] = {False: [], True: []}
    for name in sorted(_holders(job)):
        for attribute, value in vars(named[name]).items():
            if type(value) is not int:
                continue
            for change, wide in changes:
                new = change.get((_kind(named[name], attribute), value))
                if new is not None and new != value:
                    found[wide].append(HeadCount(name, attribute, new))
    ways = [found[False] + found[True], found[False], []]
    return [way for i, way in enumerate(ways) if way not in ways[:i]]


def merged(feedings: Sequence[Feeding]) -> Feeding:
    """Merge the feedings of several calls of one projection."""
    first, *others = feedings
    parts = {(part.parameter, part.axis): part for part in first.parts}
    for other in others:
        for part in other.parts:
            known = parts.get((part.parameter, part.axis))
            users = part.users if known is None else known.users | part.users
            parts[part.parameter, part.axis] = replace(part, users=users)
    return Feeding(tuple(parts.values()), first.block)


def _kept_rows(part: FeedingAxis, heads: frozenset[int]) -> Ranges | None:
    """Return the rows to keep; None for all. A row is removed if it feeds only heads that are removed."""
    gone = part.users[:, sorted(heads)].any(1)
    stay = [i for i in range(part.users.shape[1]) if i not in heads]
    gone &= ~part.users[:, stay].any(1)
    return as_ranges(i for i, out in enumerate(gone.tolist()) if not out) if gone.any() else None


def _of_part(model: nn.Module, part: FeedingAxis, kept: Ranges) -> Iterator[Cut]:
    if not part.linear:
        yield Cut(part.parameter, part.axis, kept)
        return
    module = model.get_submodule(part.parameter)
    yield Cut(f"{part.parameter}.weight", axes(module)[0], kept)
    if module._parameters.get("bias") is not None:
        yield Cut(f"{part.parameter}.bias", 0, kept)


def _width(model: nn.Module, site: Site) -> int:
    module = model.get_submodule(site.module)
    weight = module._parameters["weight"]
    assert weight is not None
    return int(weight.shape[axes(module)[1]])


def _holders(job: Job) -> set[str]:
    """Return the modules of the block that contain the projection or a part that feeds it."""
    names = [job.site.module, *(part.parameter for part in job.feeding.parts)]
    block = job.feeding.block
    parents = {block}
    for name in names:
        while "." in name and len(name) > len(block):
            name = name.rpartition(".")[0]  # noqa: PLW2901
            if name.startswith(block):
                parents.add(name)
    return parents


def _kind(module: nn.Module, attribute: str) -> str:
    """Return what an attribute counts: heads, keys, heads that share a key, or a width; "" otherwise."""
    if isinstance(module, nn.modules.conv._ConvNd):
        return "heads" if attribute in CONVOLUTION else ""
    if attribute in WIDTHS:
        return "width"
    if "group" in attribute:
        return "shared"
    if "head" not in attribute or NOT_A_COUNT.search(attribute):
        return ""
    return "keys" if "kv" in attribute or "key" in attribute else "heads"


def _changes(job: Job) -> dict[tuple[str, int], int]:
    """Return the new values of counts, by kind and current value."""
    heads, left = job.site.heads, job.site.heads - len(job.heads)
    groups = job.feeding.groups
    changes = {("heads", heads): left}
    if groups:
        changes["keys", len(groups)] = len([group for group in groups if not group <= job.heads])
    else:  # every head has its own key, or all share one
        changes["keys", heads] = left
        changes["shared", heads] = left
    return changes


def _widths(job: Job) -> dict[tuple[str, int], int]:
    dim = job.site.head_dim
    return {
        ("width", value * dim): new * dim for (kind, value), new in _changes(job).items() if kind != "shared"
    }


def _listed(heads: frozenset[int]) -> str:
    """Return heads as `0 1 2`, cut short if there are many."""
    ordered = sorted(heads)
    return " ".join(map(str, ordered[:NAMED])) + (" ..." if len(ordered) > NAMED else "")
