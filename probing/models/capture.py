"""Read, or write, at sites during a forward pass of an unmodified model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.fused import check_eager
from probing.models.placement import Edit, ForwardStoppedError, Placement
from probing.models.sites import Kind, Side, Site
from probing.validation.arguments import checked

Read = Callable[[Site, Tensor], None]


class Capture:
    """Runs forward passes of a model whose sites are being read."""

    def __init__(self, model: PreTrainedModel, placement: Placement) -> None:
        """Made by `capture`."""
        self._model = model
        self._placement = placement

    def __call__(self, **inputs: Any) -> None:  # noqa: ANN401
        """Run one forward pass; gradient modes, and `use_cache` of decoders, are the caller's.

        Args:
            inputs: Keyword arguments of the model, as for `model(**inputs)`.

        Raises:
            ProbingError: If a wanted site is not reached, or a head mask is given; if attention weights are
                wanted that fused attention would not use.
        """
        if self._placement.reads_attention:
            with self._placement.paused():
                check_eager(self._model, inputs)
        try:
            self._model(**inputs)
        except ForwardStoppedError:
            return


@checked()
@contextmanager
def capture(
    model: PreTrainedModel, sites: Sequence[Site], read: Read, *, stop_early: bool = True
) -> Iterator[Capture]:
    """Read sites of a model in every forward pass within the context.

    Args:
        model: The model in which the sites were found; left as it was found when the context ends.
        sites: What to read; the order does not matter.
        read: Called once for each site and pass with a live view of the model's own tensor: heads (batch,
            seq, heads, head_dim), hidden states (batch, seq, features), attention weights (batch, heads,
            queries, keys). It must reduce or clone what it keeps: a view keeps whole activations alive,
            shows what the model writes later, and under inference mode cannot be used outside of it.
        stop_early: Leave the forward pass after the last wanted site. Otherwise it runs to its end and
            its output is the same, to the bit, as without the context.

    Where attention weights are read, the first forward pass compares eager with fused attention on its inputs
    (`check_eager`): hooks of others see two more passes then.

    Raises:
        ProbingError: If a site does not belong to the model, or attention weights are wanted from a fused
            implementation.
    """

    def only_read(site: Site, tensor: Tensor) -> None:
        read(site, tensor)

    with _placed(model, sites, only_read, stop_early=stop_early) as placement:
        yield Capture(model, placement)


@checked()
@contextmanager
def edit(model: PreTrainedModel, sites: Sequence[Site], change: Edit) -> Iterator[None]:
    """Write at sites of a model in every forward pass within the context.

    Args:
        model: The model in which the sites were found; left as it was found when the context ends.
        sites: Heads or hidden states.
        change: Called as `read` of `capture`, also with gradients; what it returns, in the shape of the
            view, takes the view's place in a copy of the tensor. None leaves the tensor as it is.

    Raises:
        ProbingError: If a site cannot be written, or in a forward pass that does not reach it.
    """
    for site in sites:
        if site.kind is Kind.ATTENTION or site.side is Side.RESULT:
            raise ProbingError(f"{site}: can be read only; write to heads or hidden states")
    with _placed(model, sites, change, stop_early=False):
        yield


@contextmanager
def _placed(
    model: PreTrainedModel, sites: Sequence[Site], change: Edit, *, stop_early: bool
) -> Iterator[Placement]:
    placement = Placement(model, sites, change, stop_early=stop_early)
    with ExitStack() as hooks:
        placement.install(hooks)
        yield placement
