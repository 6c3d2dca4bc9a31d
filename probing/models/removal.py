"""Remove heads from a model permanently, by smaller matrices that are verified against the masked model."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.cutting import Job, counts_of, cuts_of, merged, obstacle, split_groups
from probing.models.default_inputs import default_inputs
from probing.models.feeding import Feeding, feeding
from probing.models.heads import Heads, stack_name
from probing.models.masking import gated
from probing.models.removed import Removed, remember, removed_from
from probing.models.sites import Side, Site
from probing.models.slices import Cut, HeadCount, Undo, apply, owners, roll_back
from probing.models.trace import find_sites
from probing.models.unchanged import Outputs, difference, outputs_of, padded
from probing.validation.arguments import checked

Heading = Mapping[int, Collection[int]]
_FAILURES = (
    RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, AssertionError,
    ZeroDivisionError, ProbingError,
)  # fmt: skip
"""Errors that a forward pass may raise when shapes do not fit."""


@dataclass(frozen=True)
class Pruned:
    """The result of one call of `prune_heads`.

    Attributes:
        cut: Removed heads, by layer, numbered as in the whole model before any was cut.
        uncut: Reasons why heads of a layer were not removed, by layer.
        parameters_before: Number of the model's parameters before the call.
        parameters_after: Number of the model's parameters after the call.
        removed: Record of everything that this call and earlier calls removed from the whole model.
    """

    cut: Mapping[int, tuple[int, ...]]
    uncut: Mapping[int, str]
    parameters_before: int
    parameters_after: int
    removed: Removed = field(repr=False)


@checked()
def prune_heads(
    model: PreTrainedModel,
    heads: Heading,
    *,
    stack: str = "",
    cross: bool = False,
    inputs: Mapping[str, Tensor] | None = None,
    strict: bool = False,
) -> Pruned:
    """Remove heads from a model in place, by smaller matrices; it then computes what the masked model does.

    This removes columns of the output projection, and every row of a linear module or entry of a parameter
    that feeds only these heads. Gradients show which ones do; no table of families is needed. Layer by layer,
    the model is compared on small inputs, with and without padding, with the same model whose heads are set
    to zero (Michel et al. 2019, section 2.3). A layer that differs by more than rounding, or
    does not run, is restored with the same parameter objects as before.

    Args:
        model: Any transformers model; its mode, hooks and random state stay the same.
        heads: Heads to remove, by layer, both from 0, as `find_sites` numbers them in the current model.
        stack: "encoder" or "decoder" for a model that has both; "cross" for cross-attention.
        cross: The same as `stack="cross"`.
        inputs: Keyword arguments for the comparison; the default is a few tokens or a small image.
        strict: Whether to raise an error and restore the whole model if anything cannot be removed.

    Returns:
        The heads that were removed, and why others were not; grouped-query attention loses whole groups.

    Raises:
        ProbingError: If the model does not have a head, or something cannot be removed and `strict` is set.

    Example:
        >>> from transformers import BertConfig, BertModel
        >>> from probing import find_sites, prune_heads
        >>> model = BertModel(BertConfig(vocab_size=100, num_hidden_layers=2)).eval()
        >>> prune_heads(model, {0: [3, 7], 1: [11]}).cut
        {0: (3, 7), 1: (11,)}
        >>> [site.heads for site in find_sites(model).heads]
        [10, 11]
    """
    given = default_inputs(model) if inputs is None else dict(inputs)
    sites = find_sites(model, given).heads
    asked = _asked(sites, heads, "cross" if cross else stack)
    before = _size(model)
    work = _Work(model, padded(given), sites)
    reasons: dict[Site, str] = {}
    done: dict[Site, frozenset[int]] = {}
    try:
        for job, why in _jobs(model, sites, asked, given):
            for site in job.sites:
                if why:
                    reasons[site] = why
            failure = work.cut(job) if job.heads else ""
            for site in job.sites:
                if failure:
                    reasons[site] = failure
                elif job.heads:
                    done[site] = job.heads
            _refuse(strict, reasons)
    except BaseException:
        roll_back(work.undo)
        raise
    earlier = removed_from(model)
    removed = earlier.after(work.cuts, work.counts, done)
    remember(model, removed)
    return Pruned(
        {site.layer: earlier.originals(site, gone) for site, gone in done.items()},
        {site.layer: why for site, why in reasons.items()},
        before,
        _size(model),
        removed,
    )


def _asked(sites: Sequence[Site], heads: Heading, stack: str) -> dict[Site, frozenset[int]]:
    stacks = list(dict.fromkeys(map(stack_name, sites)))
    chosen = stack if stack or len(stacks) > 1 else stacks[0]
    if chosen not in stacks:
        there = ", ".join(map(repr, stacks))
        raise ProbingError(f"the model has heads in {there}; choose one with stack=...")
    of_stack = Heads(tuple(site for site in sites if stack_name(site) == chosen))
    named = [(layer, head) for layer, several in heads.items() for head in several]
    of_stack.places(named)  # raises for heads that do not exist
    wanted = {layer: frozenset(several) for layer, several in heads.items() if several}
    return {site: wanted[site.layer] for site in of_stack.sites if site.layer in wanted}


def _jobs(
    model: PreTrainedModel,
    sites: Sequence[Site],
    asked: Mapping[Site, frozenset[int]],
    inputs: Mapping[str, Tensor],
) -> Iterator[tuple[Job, str]]:
    """Yield the heads to remove from each projection, and why other requested heads are kept."""
    modules = dict.fromkeys(site.module for site in asked)
    followed = [site for site in sites if site.module in modules and site.side is Side.INPUT]
    found = feeding(model, followed, inputs) if followed else {}
    for module in modules:
        shared = tuple(site for site in sites if site.module == module)
        yield _job(model, shared, asked, [found.get(site) for site in shared])


def _job(
    model: PreTrainedModel,
    sites: tuple[Site, ...],
    asked: Mapping[Site, frozenset[int]],
    found: Sequence[Feeding | None],
) -> tuple[Job, str]:
    known = [each for each in found if each is not None]
    fed = merged(known) if known else Feeding((), "")
    why = obstacle(model, sites, asked)
    if not why and len(known) < len(sites):
        why = "its heads cannot be traced back to the modules that feed them"
    if why:
        return Job(sites, frozenset(), fed), why
    whole, why = split_groups(fed, asked[sites[0]])
    return Job(sites, whole, fed), why


class _Work:
    """The model that is being cut, and the steps that undo all changes to it."""

    def __init__(
        self, model: PreTrainedModel, batches: list[dict[str, Tensor]], sites: Sequence[Site]
    ) -> None:
        self._model = model
        self._batches = batches
        self._modules = list(dict.fromkeys(site.module for site in sites if site.module))
        self._places = {(site.module, site.layer) for site in sites}
        self._owners = owners(model)
        self.undo: list[Undo] = []
        self.cuts: list[Cut] = []
        self.counts: list[HeadCount] = []

    def cut(self, job: Job) -> str:
        """Remove heads from one projection and return "", or leave it untouched and return the reason."""
        cuts, why = cuts_of(self._model, job)
        why = why or self._shared(cuts)
        if why:
            return why
        kept = torch.ones(job.site.heads, dtype=torch.bool, device=self._model.device)
        kept[sorted(job.heads)] = False
        with gated(self._model, Heads(job.sites), kept.repeat(len(job.sites))[None]):
            expected = self._outputs()
        for counts in counts_of(self._model, job):
            undo = apply(self._model, cuts, counts)
            try:
                failure = self._failure(expected, job)
            except BaseException:
                roll_back(undo)
                raise
            if not failure:
                self.undo += undo
                self.cuts += cuts
                self.counts += counts
                if len(job.heads) == job.site.heads:
                    self._places = {place for place in self._places if place[0] != job.site.module}
                return ""
            roll_back(undo)
            why = why or failure
        return why

    def _shared(self, cuts: Sequence[Cut]) -> str:
        for cut in cuts:
            names = self._owners.get(id(self._model.get_parameter(cut.parameter)), [])
            if len(names) > 1:
                return f"{names[0]} and {names[1]} are one parameter"
        return ""

    def _outputs(self) -> Outputs:
        return outputs_of(self._model, self._batches, self._modules)

    def _failure(self, expected: Outputs, job: Job) -> str:
        try:
            differs = difference(expected, self._outputs(), job.site.module)
            if not differs and len(job.heads) == job.site.heads and not self._found(job):
                return "without any head, its layer would no longer be found; keep at least one"
        except _FAILURES as error:
            if len(job.heads) == job.site.heads:
                return "it does not run without any head; keep at least one"
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            return f"it does not run with fewer heads ({reason})"
        return differs and f"with fewer heads it gives {differs}"

    def _found(self, job: Job) -> bool:
        """Return whether a layer without heads still counts, so that the others keep their numbers."""
        now = {(site.module, site.layer) for site in find_sites(self._model, self._batches[0]).heads}
        return now == {place for place in self._places if place[0] != job.site.module}


def _refuse(strict: bool, reasons: Mapping[Site, str]) -> None:
    if strict and reasons:
        site, why = next(iter(reasons.items()))
        raise ProbingError(f"{site}: {why}; the model was not changed")


def _size(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
