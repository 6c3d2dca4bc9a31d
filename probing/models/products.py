"""Follow a forward pass to the products in which attention weights multiply values."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from probing.models.follow import PRODUCTS, Follower, Mark, operands


@dataclass(frozen=True)
class Product:
    """Operands of the product of attention weights with values, as the model multiplies them.

    Attributes:
        weights: (..., queries, keys).
        values: (..., keys, head_dim); leading axes may be broadcast.
    """

    weights: Tensor
    values: Tensor

    def by_head(self, batch: int, heads: int) -> tuple[Tensor, Tensor] | None:
        """Return weights (batch, heads, queries, keys) and values (batch, heads, keys, head_dim).

        Return None if the leading axes are not texts and heads in this order.
        """
        leading = torch.broadcast_shapes(self.weights.shape[:-2], self.values.shape[:-2])  # type: ignore[no-untyped-call]
        if prod(leading) != batch * heads:
            return None
        weights = self.weights.expand(*leading, -1, -1)
        values = self.values.expand(*leading, -1, -1)
        shape = (batch, heads)
        return weights.reshape(*shape, *weights.shape[-2:]), values.reshape(*shape, *values.shape[-2:])


class ProductFollower(Follower):
    """Torch function mode that remembers the product behind a context, until the context is projected."""

    def __init__(self) -> None:
        """Start without products."""
        super().__init__(self._release)
        self._products: dict[int, Product] = {}
        self._resting = False

    def __exit__(self, *failure: object) -> None:
        """End a forward pass, and release its tensors."""
        self._forget_up_to()
        super().__exit__(*failure)  # type: ignore[no-untyped-call]

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Follow nothing for a while."""
        self._resting = True
        try:
            yield
        finally:
            self._resting = False

    def product_of(self, context: Tensor) -> Product | None:
        """Return the product that a context comes from; None if it is not known."""
        mark = self.mark(context)
        return self._products.get(mark.origin) if mark else None

    def _follow(self, name: str, args: tuple[Any, ...], named: dict[str, Any], result: Any) -> None:  # noqa: ANN401
        if self._resting:
            return
        super()._follow(name, args, named, result)
        if name not in PRODUCTS or not isinstance(result, Tensor):
            return
        after = self.mark(result)
        left, right = operands(name, args, named)
        before = self.mark(left)
        if after is None or before is None or before.dim:
            return
        product = Product(left, right) if name != "einsum" else _of_einsum(args, left, right)
        if product is not None:
            self._products[after.origin] = product

    def _release(self, projected: Mark | None) -> None:
        if projected is not None:
            self._forget_up_to(projected.origin)

    def _forget_up_to(self, origin: float = math.inf) -> None:
        """Release what comes from a softmax and from those before it, by default from all."""
        self.clear(origin)
        self._products = {each: product for each, product in self._products.items() if each > origin}


def _of_einsum(args: tuple[Any, ...], left: Tensor, right: Tensor) -> Product | None:
    """Return the operands with shared axes first, in the order of the weights; None for another equation."""
    equation = args[0].replace(" ", "") if args and isinstance(args[0], str) else ""
    inputs, _, output = equation.partition("->")
    weights, _, values = inputs.partition(",")
    shared = "".join(letter for letter in weights if letter in values and letter in output)
    summed = "".join(letter for letter in weights if letter in values and letter not in output)
    queries = "".join(letter for letter in weights if letter not in values)
    features = "".join(letter for letter in values if letter not in weights)
    if "." in equation or [len(summed), len(queries), len(features)] != [1, 1, 1]:
        return None
    return Product(
        torch.einsum(f"{weights}->{shared}{queries}{summed}", left),
        torch.einsum(f"{values}->{shared}{summed}{features}", right),
    )
