"""Record one forward pass of a model, with the tensors of every module."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from probing.errors import ProbingError
from probing.models.follow import Follower, Mark
from probing.models.sites import Side


@dataclass(frozen=True)
class Event:
    """A floating-point tensor that entered or left a module.

    Attributes:
        module: Dotted name.
        call: Index of the call of the module, from 0.
        side: Side of the module on which the tensor entered or left.
        position: Index or name among the arguments or outputs; None for a single output.
        tensor: The tensor itself, kept alive.
        version: Number of in-place changes up to that time.
        mark: Mark of the tensor at that time.
        owner: Name of the calling module, and the index of its own call.
    """

    module: str
    call: int
    side: Side
    position: int | str | None
    tensor: Tensor
    version: int
    mark: Mark | None
    owner: tuple[str, int]

    @property
    def unchanged(self) -> bool:
        """True if nothing was written into the tensor afterwards."""
        return self.tensor._version == self.version


@dataclass(frozen=True)
class Bare:
    """A context that was projected by a function outside any linear module."""

    module: str
    call: int
    mark: Mark | None


class Recording:
    """Record of one forward pass.

    Attributes:
        events: Inputs and outputs of modules, in order of execution.
        bare: Projections without a module.
        modules: Modules of the model, by dotted name.
        linear: Names of the modules that project.
        output: Output of the model.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        """Create an empty record of a model."""
        self.events: list[Event] = []
        self.bare: list[Bare] = []
        self.modules = dict(model.named_modules())
        self.linear = {name for name, module in self.modules.items() if is_linear(module)}
        self.output: Any = None
        self._follower = Follower(self._on_bare)
        self._stack: list[tuple[str, int]] = []
        self._calls: Counter[str] = Counter()

    def run(self, model: PreTrainedModel, inputs: Mapping[str, Tensor], flags: Mapping[str, bool]) -> None:
        """Run the model once and record it."""
        with ExitStack() as hooks:
            for name, module in self.modules.items():
                for handle in self._hook(name, module):
                    hooks.callback(handle.remove)
            with self._follower:
                self.output = model(**inputs, **flags)

    def _hook(self, name: str, module: nn.Module) -> Iterator[Any]:
        def enter(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self._stack.append((name, self._calls[name]))
            self._calls[name] += 1
            self._note(Side.INPUT, [*enumerate(args), *kwargs.items()])

        def leave(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:  # noqa: ANN401
            if name in self.linear and isinstance(output, Tensor):
                self._follower.forget(output)
            self._note(Side.OUTPUT, _parts(output))
            self._stack.pop()

        yield module.register_forward_pre_hook(enter, with_kwargs=True)
        yield module.register_forward_hook(leave, with_kwargs=True)

    def _note(self, side: Side, parts: list[tuple[Any, Any]]) -> None:
        name, call = self._stack[-1]
        owner = self._stack[-2] if len(self._stack) > 1 else ("", 0)
        for position, value in parts:
            if isinstance(value, Tensor) and value.is_floating_point():
                mark = self._follower.mark(value)
                version = value._version
                self.events.append(Event(name, call, side, position, value, version, mark, owner))

    def _on_bare(self, mark: Mark | None) -> None:
        if not any(name in self.linear for name, _ in self._stack):
            self.bare.append(Bare(*self._stack[-1], mark))


def record(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Recording:
    """Run the model once in evaluation mode, and restore it and the random state.

    Raises:
        ProbingError: If the model cannot run on the inputs.
    """
    recording = Recording(model)
    with as_it_was(model), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            recording.run(model, inputs, _flags(model))
        except (TypeError, ValueError, RuntimeError, AttributeError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            given = ", ".join(inputs)
            raise ProbingError(
                f"{model.config.model_type}: cannot run on {given} ({reason}); pass the inputs it needs"
            ) from error
    return recording


def implementation(model: PreTrainedModel) -> str:
    """Return the attention implementation that the model runs."""
    return str(getattr(model.config, "_attn_implementation", None) or "eager")


def is_linear(module: nn.Module) -> bool:
    """Return whether a module multiplies by one weight: linear, Conv1D, 1x1 convolution or quantised."""
    if isinstance(module, nn.Conv1d):
        return module.kernel_size == (1,)
    return isinstance(module, nn.Linear | Conv1D) or type(module).__name__.endswith("Linear")


def _flags(model: PreTrainedModel) -> dict[str, bool]:
    wanted = {"output_hidden_states": True, "output_attentions": implementation(model) == "eager"}
    parameters = signature(model.forward).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return {name: True for name, on in wanted.items() if on and (anything or name in parameters)}


@contextmanager
def as_it_was(model: PreTrainedModel) -> Iterator[None]:
    """Run a model in evaluation mode without gradients, and restore its mode and the random state."""
    training = [module for module in model.modules() if module.training]
    # A short input makes block-sparse models replace their attention modules permanently.
    parts = [(m, dict(m._modules), vars(m).get("attention_type")) for m in model.modules()]
    devices = [model.device] if model.device.type == "cuda" else []
    for module in training:
        module.training = False
    try:
        with torch.random.fork_rng(devices), torch.inference_mode(False), torch.no_grad():
            yield
    finally:
        for module in training:
            module.training = True
        for module, children, kind in parts:
            module._modules.update(children)
            if kind is not None:
                module.attention_type = kind


def _parts(output: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401
    if isinstance(output, Mapping):
        return list(output.items())
    return list(enumerate(output)) if isinstance(output, list | tuple) else [(None, output)]
