"""Forward passes that start in the middle, so that the layers below a masked head run once for all masks."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.models.default_inputs import BATCH, LENGTH
from probing.models.recording import as_it_was, is_linear
from probing.models.sites import Side, Site

Key = tuple[str, int]
"""Dotted name of a module, and the index of its call within one forward pass."""
_ALONE = 1


@dataclass
class _Call:
    """One call of a module in the traced pass; its times count the entries and exits of all modules."""

    key: Key
    parent: _Call | None
    begin: int
    end: int
    axes: Any = None
    wide: bool = False


@dataclass(frozen=True)
class Plan:
    """The parts of a forward pass that need not be computed again if only what follows a site changes.

    Attributes:
        finished: Outermost modules that finish before each site is reached, in order.
        axes: Batch axis of each tensor in their outputs; None for a tensor without one.
        calls: Number of calls of each of these modules in a pass.
        late: Modules that project every token separately, starting with the one at the last site.
    """

    finished: Mapping[Site, tuple[Key, ...]]
    axes: Mapping[Key, Any]
    calls: Mapping[str, int]
    late: tuple[str, ...]


def make_plan(model: PreTrainedModel, sites: Sequence[Site], inputs: Mapping[str, Tensor]) -> Plan | None:
    """Make a plan from one tiny traced forward pass; None if it does not show when a site is reached.

    Args:
        model: Model in which the sites were found.
        sites: Head sites.
        inputs: Inputs as from `default_inputs`; the batch size must differ from all other sizes.
    """
    calls = _trace(model, inputs)
    begins = {call.key: call for call in calls}
    keys = {site: (site.module, site.call) for site in sites}
    if any(site.side is not Side.INPUT or keys[site] not in begins for site in sites):
        return None
    finished = {site: _finished(calls, begins[key].begin) for site, key in keys.items()}
    wanted = {key for keys in finished.values() for key in keys}
    last = max(begins[key].begin for key in keys.values())
    late = tuple(dict.fromkeys(call.key[0] for call in calls if call.wide and call.begin >= last))
    axes = {key: begins[key].axes for key in wanted}
    count = Counter(call.key[0] for call in calls)
    return Plan(finished, axes, {name: count[name] for name, _ in wanted}, late)


class Prefix:
    """Intermediate results of one forward pass, for passes that start at any of its sites."""

    def __init__(self, model: PreTrainedModel, plan: Plan) -> None:
        """Start without results."""
        self._model = model
        self._plan = plan
        self._kept: dict[Key, Any] = {}
        self._calls: Counter[str] = Counter()

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Keep the results of the forward pass within the context, which must contain exactly one."""

        def keep(name: str) -> Callable[..., None]:
            def hook(_: nn.Module, __: Any, output: Any) -> None:  # noqa: ANN401
                key = (name, self._calls[name])
                self._calls[name] += 1
                if key in self._plan.axes:
                    self._kept[key] = output

            return hook

        self._kept.clear()
        self._calls.clear()
        with ExitStack() as hooks:
            for name in {name for name, _ in self._plan.axes}:
                module = self._model.get_submodule(name)
                hooks.callback(module.register_forward_hook(keep(name)).remove)
            yield

    @property
    def complete(self) -> bool:
        """True if the pass followed the plan; some families process longer inputs differently."""
        return dict(self._calls) == dict(self._plan.calls)

    @contextmanager
    def resumed(self, site: Site, copies: int) -> Iterator[None]:
        """Let a pass over several consecutive copies of the batch start at a site."""
        queues: dict[str, deque[Any]] = defaultdict(deque)
        for key in self._plan.finished[site]:
            queues[key[0]].append(repeated(self._kept[key], self._plan.axes[key], copies))
        with ExitStack() as stack:
            for name, queue in queues.items():
                stack.enter_context(_standing_in(self._model.get_submodule(name), queue))
            yield


@contextmanager
def cropped(model: PreTrainedModel, plan: Plan, positions: Tensor) -> Iterator[None]:
    """After the attention of the last block, project only one token of every row.

    The result is broadcast over all tokens when it is added, so only this token is correct afterwards.

    Args:
        model: Model that was traced.
        plan: Plan that names the modules.
        positions: int64 (rows,), the position of the token in each row.
    """

    def hook(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not args or not isinstance(args[0], Tensor) or args[0].ndim != 3 or args[0].shape[1] == _ALONE:
            return None
        rows = torch.arange(len(positions), device=positions.device)
        return (args[0][rows, positions].unsqueeze(1), *args[1:])

    with ExitStack() as hooks:
        for name in plan.late:
            hooks.callback(model.get_submodule(name).register_forward_pre_hook(hook).remove)
        yield


def repeated(value: Any, axes: Any, copies: int) -> Any:  # noqa: ANN401
    """Return consecutive copies of a batch, along the batch axis of each tensor."""
    if isinstance(value, Tensor):
        if axes is None or copies == 1:
            return value.clone()  # the model may write into it
        times = [1] * value.ndim
        times[axes] = copies
        return value.repeat(times)
    if isinstance(value, Mapping):
        items = {name: repeated(item, axes[name], copies) for name, item in value.items()}
        return type(value)(**items) if not isinstance(value, dict) or type(value) is not dict else items
    if isinstance(value, list | tuple):
        return type(value)(repeated(item, axis, copies) for item, axis in zip(value, axes, strict=True))
    return value


@contextmanager
def _standing_in(module: nn.Module, queue: deque[Any]) -> Iterator[None]:
    """Answer the first calls of a module from a queue."""
    forward = module.forward

    def answer(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return queue.popleft() if queue else forward(*args, **kwargs)

    before = module.__dict__.get("forward")
    module.__dict__["forward"] = answer
    try:
        yield
    finally:
        if before is None:
            del module.__dict__["forward"]
        else:
            module.__dict__["forward"] = before


def _trace(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> list[_Call]:
    calls: list[_Call] = []
    stack: list[_Call] = []
    count: Counter[str] = Counter()
    ticks = 0

    def enter(name: str, linear: bool) -> Callable[..., None]:
        def hook(_: nn.Module, args: tuple[Any, ...]) -> None:
            nonlocal ticks
            ticks += 1
            call = _Call((name, count[name]), stack[-1] if stack else None, ticks, 0)
            call.wide = linear and bool(args) and isinstance(args[0], Tensor) and _is_wide(args[0])
            count[name] += 1
            calls.append(call)
            stack.append(call)

        return hook

    def leave(_: nn.Module, __: Any, output: Any) -> None:  # noqa: ANN401
        nonlocal ticks
        ticks += 1
        call = stack.pop()
        call.end, call.axes = ticks, _axes(output)

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            hooks.callback(module.register_forward_pre_hook(enter(name, is_linear(module))).remove)
            hooks.callback(module.register_forward_hook(leave).remove)
        with as_it_was(model):
            model(**inputs, **({"use_cache": False} if _caches(model) else {}))
    return calls


def _caches(model: PreTrainedModel) -> bool:
    return hasattr(model.config, "use_cache")


def _finished(calls: Sequence[_Call], time: int) -> tuple[Key, ...]:
    """Return the outermost calls that have ended by a given time."""
    return tuple(
        call.key for call in calls if call.end < time and call.parent is not None and call.parent.end > time
    )


def _is_wide(tensor: Tensor) -> bool:
    return tensor.ndim == 3 and tensor.shape[:2] == (BATCH, LENGTH)


def _axes(value: Any) -> Any:  # noqa: ANN401
    """Return the batch axis of each tensor, in the structure of the value."""
    if isinstance(value, Tensor):
        sizes = list(value.shape)
        if BATCH in sizes:
            return sizes.index(BATCH)
        return 0 if sizes and sizes[0] % (BATCH * LENGTH) == 0 else None
    if isinstance(value, Mapping):
        return {name: _axes(item) for name, item in value.items()}
    return [_axes(item) for item in value] if isinstance(value, list | tuple) else None
