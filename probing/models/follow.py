"""Follow attention through a forward pass, from the softmax over the values to the output projection."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

PRODUCTS = frozenset({"matmul", "__matmul__", "__rmatmul__", "bmm", "mm", "baddbmm", "einsum"})
PROJECTIONS = frozenset({"linear", "addmm", "conv1d", "conv2d"})
JOINS = frozenset({"cat", "concat", "concatenate"})
FUSED = "scaled_dot_product_attention"
WHOLE = "multi_head_attention_forward"
INDEXING = frozenset({"__getitem__", "index_select", "gather", "cat", "concat", "stack", "pad"})
UNFOLLOWED = frozenset({"topk", "sort", "zeros_like", "ones_like", "empty_like", "new_zeros", "where"})
NORMS = frozenset({"layer_norm", "rms_norm", "mean", "var"})


@dataclass(frozen=True)
class Mark:
    """Known facts about a tensor that comes from attention.

    Attributes:
        origin: Number of the softmax, or of the fused attention, that it comes from.
        queries: Size of its query axis.
        keys: Size of its key axis.
        dim: Size of one head's vector; 0 while it is a probability and not yet a context.
        start: Start of the heads within the features, as a fraction of the width.
        share: Fraction of the features that belongs to heads.
        mixed: Whether it has passed a norm over all heads.
        softmax: Index of the softmax within the pass, from 0; None for fused attention.
    """

    origin: int
    queries: int
    keys: int
    dim: int = 0
    start: Fraction = Fraction(0)
    share: Fraction = Fraction(1)
    mixed: bool = False
    softmax: int | None = None


class Follower(TorchFunctionMode):
    """Torch function mode that marks tensors during a forward pass.

    The result of a softmax is a probability. A probability times values is a context, and so is the result
    of fused attention. Marks follow views, gates, norms and joins, and end at weights. Marked tensors are
    kept alive, since a mark belongs to an object.

    Args:
        bare: Callback for a context that meets a weight in a function; it receives the mark.
    """

    def __init__(self, bare: Callable[[Mark | None], None]) -> None:
        """Start without marks."""
        super().__init__()
        self._marks: dict[int, tuple[Tensor, Mark]] = {}
        self._weights: dict[int, Tensor] = {}
        self._bare = bare
        self._origins = 0
        self._softmaxes = 0

    def __torch_function__(  # noqa: D105
        self,
        func: Callable[..., Any],
        types: Any,  # noqa: ANN401
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        named = dict(kwargs or {})
        result = func(*args, **named)
        self._follow(getattr(func, "__name__", ""), args, named, result)
        return result

    def mark(self, tensor: Tensor) -> Mark | None:
        """Return the tensor's mark, or None if it has none."""
        found = self._marks.get(id(tensor))
        return found[1] if found else None

    def forget(self, tensor: Tensor) -> None:
        """Remove the tensor's mark."""
        self._marks.pop(id(tensor), None)

    def clear(self, origin: float = math.inf) -> None:
        """Remove the marks of an origin and of those before it, by default all, and release their tensors."""
        self._weights.clear()
        self._marks = {key: kept for key, kept in self._marks.items() if kept[1].origin > origin}

    def _follow(self, name: str, args: tuple[Any, ...], named: dict[str, Any], result: Any) -> None:  # noqa: ANN401
        tensors = list(_tensors((args, tuple(named.values()))))
        if name == "softmax":
            self._set(result, replace(self._new(*_last_two(result)), softmax=self._softmaxes))
            self._softmaxes += 1
        elif name == FUSED:
            query, key = tensors[:2]
            self._set(result, replace(self._new(query.shape[-2], key.shape[-2]), dim=result.shape[-1]))
        elif name == WHOLE:
            self._bare(None)
        elif name in PRODUCTS:
            self._multiply(name, tensors, result)
        elif name in PROJECTIONS:
            self._project(tensors)
        elif name == "__setitem__":
            self._carry(name, tensors, [tensors[0]])
        elif name not in UNFOLLOWED:
            self._carry(name, tensors, list(_tensors(result)))

    def _multiply(self, name: str, tensors: list[Tensor], result: Tensor) -> None:
        left, right = _operands(name, tensors)
        if self._is_weight(left) or self._is_weight(right):
            self._project(tensors)
            return
        mark = self.mark(left) or self.mark(right)
        if mark is None or (not mark.dim and (self.mark(left) is None or left.shape[-2] == 1)):
            return
        self._set(result, replace(mark, dim=result.shape[-1]))

    def _project(self, tensors: list[Tensor]) -> None:
        for tensor in tensors:
            mark = self.mark(tensor)
            if mark is not None and mark.dim:
                self._bare(mark)

    def _carry(self, name: str, tensors: list[Tensor], results: list[Tensor]) -> None:
        marks = [mark for mark in map(self.mark, tensors) if mark is not None]
        if not marks:
            if tensors and all(map(self._is_weight, tensors)):
                self._weights.update({id(result): result for result in results})
            return
        mark = max(marks, key=lambda each: each.dim > 0)
        source = next(tensor for tensor in tensors if self.mark(tensor) is mark)
        alike = {each.softmax for each in marks if bool(each.dim) == bool(mark.dim)}
        softmax = mark.softmax if len(alike) == 1 else None
        mark = replace(mark, mixed=any(each.mixed for each in marks), softmax=softmax)
        for result in results:
            if result.is_floating_point() and self._survives(name, mark, tensors, result):
                self._set(result, self._changed(name, mark, source, tensors, result))

    def _survives(self, name: str, mark: Mark, tensors: list[Tensor], result: Tensor) -> bool:
        """Return whether a mark survives; a probability that only scales, as in a router, loses it."""
        if mark.dim or name in INDEXING or sum(tensor.ndim > 0 for tensor in tensors) < 2:
            return True
        return any(self.mark(tensor) and tensor.shape == result.shape for tensor in tensors)

    def _changed(self, name: str, mark: Mark, source: Tensor, tensors: list[Tensor], result: Tensor) -> Mark:
        if not mark.dim:
            # a part that is cut off after the softmax, such as a sink, has its share of the probability
            cut = name == "__getitem__" and source.shape[-1] != result.shape[-1]
            return replace(mark, softmax=None) if cut else mark
        if name in JOINS:
            return self._joined(mark, tensors, result)
        if name in NORMS and source.shape[-1] > mark.dim:
            return replace(mark, mixed=True)
        narrowed = name == "__getitem__" and source.shape[:-1] == result.shape[:-1]
        if narrowed and source.shape[-1] == mark.dim:
            return replace(mark, dim=result.shape[-1])
        return mark

    def _joined(self, mark: Mark, tensors: list[Tensor], result: Tensor) -> Mark:
        grown = [i for i, size in enumerate(result.shape) if size != tensors[0].shape[i]]
        if not grown:
            return mark
        axis = grown[0]
        sizes = [tensor.shape[axis] for tensor in tensors]
        inside = [bool(self.mark(tensor)) for tensor in tensors]
        if all(inside) and axis == result.ndim - 1 and sizes[0] == mark.dim:
            return replace(mark, dim=sum(sizes))
        if all(inside) or mark.queries in sizes:
            return mark
        share = Fraction(sum(s for s, marked in zip(sizes, inside, strict=True) if marked), sum(sizes))
        return replace(mark, share=share, start=Fraction(sum(sizes[: inside.index(True)]), sum(sizes)))

    def _new(self, queries: int, keys: int) -> Mark:
        self._origins += 1
        return Mark(self._origins, queries, keys)

    def _set(self, tensor: Tensor, mark: Mark) -> None:
        self._marks[id(tensor)] = (tensor, mark)

    def _is_weight(self, tensor: Tensor) -> bool:
        return isinstance(tensor, nn.Parameter) or id(tensor) in self._weights


def operands(name: str, args: tuple[Any, ...], named: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Return the two factors of a call of one of `PRODUCTS`."""
    return _operands(name, list(_tensors((args, tuple(named.values())))))


def _operands(name: str, tensors: list[Tensor]) -> tuple[Tensor, Tensor]:
    return (tensors[-2], tensors[-1]) if name == "baddbmm" else (tensors[0], tensors[-1])


def _tensors(value: Any) -> Iterator[Tensor]:  # noqa: ANN401
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)


def _last_two(tensor: Tensor) -> tuple[int, int]:
    return (tensor.shape[-2] if tensor.ndim > 1 else 1, tensor.shape[-1])
