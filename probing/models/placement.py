"""The hooks of one capture: their places in a model, and the sites that they have reached."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.axes import view, written
from probing.models.default_inputs import Sizes, sizes_of
from probing.models.recording import implementation
from probing.models.sites import Kind, Side, Site, eager_needed

Edit = Callable[[Site, Tensor], Tensor | None]
Visit = Callable[[dict[Any, Any]], dict[Any, Tensor]]


class ForwardStoppedError(BaseException):
    """Raised in a hook once every requested site is reached; not an error, and caught by `Capture`."""


class _StandIn:
    """Wrapper that calls a method with its positional arguments, as changed by the visits."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.visits: list[Visit] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        values: dict[Any, Any] = dict(enumerate(args))
        for visit in self.visits:
            values |= visit(values)
        return self._method(*values.values(), **kwargs)


class Placement:
    """The hooks of one context, and the sites that they have reached in the current forward pass."""

    def __init__(
        self, model: PreTrainedModel, sites: Sequence[Site], change: Edit, *, stop_early: bool
    ) -> None:
        """Prepare the hooks without attaching them.

        Args:
            model: Model in which the sites were found.
            sites: Sites to read or write.
            change: Callback for each site that is reached; its result is written there.
            stop_early: Whether to leave the forward pass after the last site.

        Raises:
            ProbingError: If attention weights are requested from a fused implementation.
        """
        self._model = model
        self._sites = tuple(dict.fromkeys(sites))
        self._change = change
        self._stop_early = stop_early
        self._sizes: Sizes | None = None
        self._calls: Counter[tuple[str, Side]] = Counter()
        self._missing: set[Site] = set()
        self._flags = self._needed_flags()
        self._paused = False

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites, each once."""
        return self._sites

    @property
    def reads_attention(self) -> bool:
        """True if attention weights are requested."""
        return any(site.kind is Kind.ATTENTION for site in self._sites)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Run the model without reading or writing."""
        self._paused = True
        try:
            yield
        finally:
            self._paused = False

    def install(self, hooks: ExitStack) -> None:
        """Attach all hooks; `hooks` removes them again, even if this fails half way."""
        hooks.callback(self._model.register_forward_pre_hook(self._begin, with_kwargs=True).remove)
        for (name, side), sites in self._by_door().items():
            module = self._module(sites[0])
            key = (name, side)
            if side is Side.INPUT:
                handle = module.register_forward_pre_hook(self._entering(key, sites), with_kwargs=True)
                hooks.callback(handle.remove)
            elif side is Side.OUTPUT:
                hooks.callback(module.register_forward_hook(self._leaving(key, sites)).remove)
            elif side is Side.METHOD:
                self._wrap(hooks, module, key, sites)
        hooks.callback(self._model.register_forward_hook(self._finish).remove)

    def _needed_flags(self) -> dict[str, bool]:
        flags = {}
        if self.reads_attention:
            if implementation(self._model) != "eager":
                raise eager_needed(self._model.config.model_type, implementation(self._model))
            flags["output_attentions"] = True
        if any(site.kind is Kind.HIDDEN and site.side is Side.RESULT for site in self._sites):
            flags["output_hidden_states"] = True
        return flags

    def _by_door(self) -> dict[tuple[str, Side], list[Site]]:
        doors: defaultdict[tuple[str, Side], list[Site]] = defaultdict(list)
        for site in self._sites:
            doors[site.module, site.side].append(site)
        return doors

    def _module(self, site: Site) -> nn.Module:
        try:
            return self._model.get_submodule(site.module)
        except AttributeError as error:
            raise ProbingError(
                f"{site}: {self._model.config.model_type} has no such module; call find_sites on this model"
            ) from error

    def _begin(self, _: nn.Module, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:  # noqa: ANN401
        if self._paused:
            return args, kwargs
        self._sizes = sizes_of(self._model, args, kwargs)
        self._calls.clear()
        self._missing = set(self._sites)
        return args, {**kwargs, **self._flags}

    def _finish(self, _: nn.Module, __: Any, output: Any) -> None:  # noqa: ANN401
        if self._paused:
            return
        for site in self._sites:
            values = getattr(output, site.name, None) if site.side is Side.RESULT else None
            if values and isinstance(site.position, int) and site.position < len(values):
                self._touch(site, values[site.position])
        missing = [site for site in self._sites if site in self._missing]
        if missing:
            raise ProbingError(
                f"{missing[0]}: not reached in this forward pass; call find_sites with inputs of this kind"
            )

    def _entering(self, key: tuple[str, Side], sites: list[Site]) -> Callable[..., Any]:
        def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
            values: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
            changed = self._visit(key, sites, values)
            if not changed:
                return None
            values.update(changed)
            return tuple(values[i] for i in range(len(args))), {name: values[name] for name in kwargs}

        return hook

    def _leaving(self, key: tuple[str, Side], sites: list[Site]) -> Callable[..., Any]:
        def hook(_: nn.Module, __: Any, output: Any) -> Any:  # noqa: ANN401
            if isinstance(output, Tensor):
                alone: dict[Any, Tensor] = {None: output}
                return self._visit(key, sites, alone).get(None)
            if isinstance(output, dict):
                for name, value in self._visit(key, sites, output).items():
                    output[name] = value
                return None
            changed = self._visit(key, sites, dict(enumerate(output)))
            return type(output)(changed.get(i, v) for i, v in enumerate(output)) if changed else None

        return hook

    def _wrap(self, hooks: ExitStack, module: nn.Module, key: tuple[str, Side], sites: list[Site]) -> None:
        """Wrap a method of this one module; nested contexts share one wrapper."""
        name = sites[0].name
        if name not in module.__dict__:
            module.__dict__[name] = _StandIn(getattr(module, name))
            hooks.callback(module.__dict__.pop, name)
        visits: list[Visit] = module.__dict__[name].visits

        def visit(values: dict[Any, Any]) -> dict[Any, Tensor]:
            return self._visit(key, sites, values)

        visits.append(visit)
        hooks.callback(visits.remove, visit)

    def _visit(self, key: tuple[str, Side], sites: list[Site], values: dict[Any, Any]) -> dict[Any, Tensor]:
        """Visit the sites of this call of the module, and return what was written, by position."""
        if self._paused:
            return {}
        call = self._calls[key]
        self._calls[key] += 1
        changed: dict[Any, Tensor] = {}
        for site in sites:
            tensor = changed.get(site.position, values.get(site.position))
            if site.call == call and isinstance(tensor, Tensor):
                new = self._touch(site, tensor)
                if new is not None:
                    changed[site.position] = new
        return changed

    def _touch(self, site: Site, tensor: Tensor) -> Tensor | None:
        assert self._sizes is not None
        new = self._change(site, view(site, tensor, self._sizes))
        self._missing.discard(site)
        if self._stop_early and not self._missing:
            raise ForwardStoppedError
        return None if new is None else written(site, tensor, self._sizes, new)
