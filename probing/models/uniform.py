"""Uniform attention: a head attends equally to all visible positions (Kovaleva et al. 2019, section 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.default_inputs import Sizes, sizes_of
from probing.models.fused import not_compared
from probing.models.heads import Heads
from probing.models.recording import implementation
from probing.models.sites import Layout, Site

# scores this far below the best of their row are masks, which models write as -1e4 or lower
_MASKED = -5e3


@contextmanager
def uniform_attention(model: PreTrainedModel, heads: Heads, kept: Tensor) -> Iterator[None]:
    """Make heads attend equally to every visible position, in every forward pass within the context.

    Padding and, in causal models, later positions stay masked; each of the n other positions has weight 1/n.

    The caller must first check with `check_eager` that the eager attention is correct.

    Args:
        model: Model in which the heads were found; it is restored when the context ends.
        heads: Heads of the model, N in total.
        kept: bool (rows or 1, N): False where a head of a row of the batch attends uniformly.

    Raises:
        ProbingError: If attention probabilities cannot be replaced, on entry or in a forward pass.
    """
    sites = [site for site in heads.sites if not bool(kept[:, heads.slices[site]].all())]
    chosen = {_softmax(model, site): (site, kept[:, heads.slices[site]]) for site in sites}
    leveller = _Leveller(model, chosen)
    with ExitStack() as stack:
        stack.callback(model.register_forward_pre_hook(leveller.begin, with_kwargs=True).remove)
        stack.callback(model.register_forward_hook(leveller.finish).remove)
        stack.enter_context(not_compared(model))
        stack.enter_context(leveller)
        yield


def _softmax(model: PreTrainedModel, site: Site) -> int:
    # shifted windows hide positions that are not neighbours by a mask that could be a score
    if site.softmax is not None and site.layout is not Layout.WINDOWS:
        return site.softmax
    if implementation(model) != "eager":
        raise ProbingError(
            f"{site}: {implementation(model)!r} does not expose attention probabilities; load "
            'the model with attn_implementation="eager", or mask with zero or mean'
        )
    raise _unreachable(site)


def _unreachable(site: Site) -> ProbingError:
    return ProbingError(
        f"{site}: the attention probabilities of this family cannot be replaced; mask with zero or mean"
    )


class _Leveller(TorchFunctionMode):
    """Torch function mode that makes the softmaxes of the chosen sites in a forward pass uniform."""

    def __init__(self, model: PreTrainedModel, chosen: Mapping[int, tuple[Site, Tensor]]) -> None:
        super().__init__()
        self._model = model
        self._chosen = chosen
        self._count: int | None = None  # None outside the model's forward pass
        self._sizes: Sizes | None = None
        self._cached = False

    def begin(self, _: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self._sizes = sizes_of(self._model, args, kwargs)
        self._cached = kwargs.get("past_key_values") is not None
        self._count = 0

    def finish(self, _: nn.Module, __: object, ___: object) -> None:
        reached, self._count = self._count or 0, None
        missing = [site for number, (site, _) in self._chosen.items() if number >= reached]
        if missing:
            raise _unreachable(missing[0])

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        named = dict(kwargs or {})
        result = func(*args, **named)
        if self._count is None or getattr(func, "__name__", "") != "softmax":
            return result
        number, self._count = self._count, self._count + 1
        if number not in self._chosen:
            return result
        site, kept = self._chosen[number]
        if not self._is_whole(site, result):
            raise _unreachable(site)
        scores = args[0] if args else named["input"]
        return _levelled(site, kept, scores, result)

    def _is_whole(self, site: Site, weights: Tensor) -> bool:
        """Return whether the weights are of all queries on all keys, not of a block, landmarks or a sink."""
        if weights.ndim != 4 or weights.shape[1] != site.heads:
            return False
        assert self._sizes is not None
        length = self._sizes.of(site.stack)
        if length is None or not site.aligned:
            return True
        keys = self._sizes.memory if site.cross else length
        return weights.shape[2] == length and (self._cached or keys in (None, weights.shape[3]))


def _levelled(site: Site, kept: Tensor, scores: Tensor, weights: Tensor) -> Tensor:
    """Return the weights (batch, heads, queries, keys), made uniform for heads that are not kept."""
    if kept.shape[0] not in (1, weights.shape[0]):
        raise ProbingError(
            f"{site}: the mask has {kept.shape[0]} rows for a batch of {weights.shape[0]}; give one per row"
        )
    seen = (scores - scores.amax(-1, keepdim=True) > _MASKED).to(weights.dtype)
    level = seen / seen.sum(-1, keepdim=True)
    return torch.where(kept[:, :, None, None], weights, level)
