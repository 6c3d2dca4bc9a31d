"""Passes that skip the layers that masks do not change, where they give the same result as whole passes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache

import torch

from probing.errors import ProbingError
from probing.models.default_inputs import default_inputs
from probing.models.masking import gated
from probing.models.resume import Plan, Prefix, cropped, make_plan
from probing.models.sites import Site
from probing.objectives.objective import Batch, Evaluator, Output

log = logging.getLogger(__name__)
# it cannot be foreseen how a family reacts to changed inputs
_FAILURES = (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError, ProbingError)


class Shortcut:
    """The activations of one batch without masks, from which passes under masks start."""

    def __init__(self, ready: Evaluator, plan: Plan, lone: int | None) -> None:
        """Store the model and its plan; called by `find_shortcut`."""
        self._ready = ready
        self._plan = plan
        self._lone = lone
        self._prefix = Prefix(ready.model, plan)

    def record(self, batch: Batch) -> bool:
        """Run the batch without masks; return whether passes over it can start in the middle."""
        with self._prefix.recording():
            self._ready.run(batch)
        return self._prefix.complete

    @contextmanager
    def from_site(self, site: Site, batch: Batch, copies: int) -> Iterator[None]:
        """Let a pass over copies of the recorded batch start at a site."""
        with ExitStack() as stack:
            stack.enter_context(self._prefix.resumed(site, copies))
            if self._lone is not None:
                positions = list(self._ready.lone_tokens(batch))[self._lone].repeat(copies)
                stack.enter_context(cropped(self._ready.model, self._plan, positions))
            yield

    def holds(self, batch: Batch) -> bool:
        """Return whether two masks from every site give the same as whole passes over the same batch."""
        try:
            return self.record(batch) and all(self._agrees(batch, site) for site in self._ready.heads.sites)
        except _FAILURES:
            return False

    def _agrees(self, batch: Batch, site: Site) -> bool:
        heads = self._ready.heads
        gates = torch.ones(2, len(heads), dtype=torch.bool, device=self._ready.model.device)
        gates[0, heads.slices[site].start] = False
        with gated(self._ready.model, heads, gates.repeat_interleave(len(batch.rows), 0)):
            whole = self._ready.run(batch.repeated(2))
            with self.from_site(site, batch, 2):
                short = self._ready.run(batch.repeated(2))
        return _same(whole, short)


@lru_cache(maxsize=1)
def find_shortcut(ready: Evaluator) -> Shortcut | None:
    """Return the best shortcut that a model allows, tried on its shortest batch; None if it allows none."""
    try:
        plan = make_plan(ready.model, ready.heads.sites, default_inputs(ready.model))
    except _FAILURES:
        plan = None
    batch = min(ready.batches("dev"), key=lambda batch: batch.size)
    if plan is None or not Shortcut(ready, plan, None).holds(batch):
        log.info("this family's passes cannot start in the middle; every mask takes a whole pass")
        return None
    # with texts of one token every guess would agree
    telling = [batch for batch in ready.batches("dev") if bool((batch.tokens.sum(1) > 1).any())]
    trial = min(telling, key=lambda batch: batch.size, default=batch)
    guesses = range(len(list(ready.lone_tokens(trial)))) if plan.late and telling else range(0)
    found = (Shortcut(ready, plan, number) for number in guesses)
    return next((shortcut for shortcut in found if shortcut.holds(trial)), Shortcut(ready, plan, None))


def _same(one: Output, other: Output) -> bool:
    return torch.allclose(one.loss, other.loss, rtol=1e-4, atol=1e-5)
