"""Read the values that attention weights multiply, and how much of each reaches the residual stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from probing.errors import ProbingError
from probing.models.capture import Capture
from probing.models.placement import Placement
from probing.models.products import ProductFollower
from probing.models.recording import implementation
from probing.models.sites import Kind, Side, Site, eager_needed
from probing.models.slices import sliceable
from probing.models.unchanged import TOLERANCE
from probing.validation.arguments import checked


@dataclass(frozen=True)
class Attended:
    """Attention of one layer for a batch of texts: the operands of the model's own product.

    Each head's output is its weights times its values, for every query, up to rounding.

    Attributes:
        weights: (texts, heads, queries, keys), a live view in the dtype of the model.
        values: (texts, heads, keys, head_dim), a live view; heads that share keys have the same values.
        factor: float32 or float64 (heads, d, head_dim), d <= head_dim. Its product with a vector of a head is
            as long as what the output projection makes of the vector.
    """

    weights: Tensor
    values: Tensor
    factor: Tensor

    @cached_property
    def norms(self) -> Tensor:
        """Euclidean lengths ‖v_j W_O‖ in the residual stream, (texts, heads, keys), in the dtype of `factor`.

        The bias of the values counts; the bias of the output projection belongs to no head and does not.
        """
        written = self.values.to(self.factor.dtype) @ self.factor.mT
        norms: Tensor = torch.linalg.vector_norm(written, dim=-1)
        return norms

    @property
    def weighted(self) -> Tensor:
        """Attention weighted by values, A_ij ‖v_j W_O‖ (Kobayashi et al. 2020).

        (texts, heads, queries, keys), in the dtype of `factor`; rows do not sum to 1.
        """
        return self.weights * self.norms.unsqueeze(2)


ReadAttended = Callable[[Site, Attended], None]
Factors = Mapping[Site, Tensor]
"""A factor for each site; see `output_factors`."""


def output_factors(model: PreTrainedModel, sites: Sequence[Site]) -> dict[Site, Tensor]:
    """Return `Attended.factor` of each site, for many passes of a model whose weights stay as they are.

    Args:
        model: Model in which the sites were found.
        sites: Sites of head outputs.

    Raises:
        ProbingError: If a site is of another kind, or its output projection cannot be reached.
    """
    return {site: _factor(model, site) for site in sites}


@checked()
@contextmanager
def capture_values(
    model: PreTrainedModel,
    sites: Sequence[Site],
    read: ReadAttended,
    *,
    stop_early: bool = True,
    factors: Factors | None = None,
) -> Iterator[Capture]:
    """Read attention weights and values in every forward pass within the context.

    The values are found by following the data from each softmax to the output projection, in the pass itself.
    In each layer and pass, the product of weights and values is compared with the captured heads at three
    queries. The first pass also compares eager with fused attention, as `capture` does.

    Args:
        model: Model with eager attention in which the sites were found; it is restored afterwards.
        sites: Sites of head outputs.
        read: Callback for each site as it is reached. Nothing is kept alive after it: it must reduce or clone
            what it keeps.
        stop_early: Whether to leave the forward pass after the last site.
        factors: Output of `output_factors` for these sites, for many contexts; None computes it.

    Yields:
        A callable that runs one forward pass with the keyword arguments of the model.

    Raises:
        ProbingError: If attention is not eager, or the values or the output projection of a site cannot be
            reached, on entry or in a forward pass.

    Example:
        >>> import torch
        >>> from transformers import AutoModel, BertConfig
        >>> from probing import capture_values, find_sites
        >>> config = BertConfig(vocab_size=100, num_hidden_layers=2)
        >>> model = AutoModel.from_config(config, attn_implementation="eager").eval()
        >>> found = {}
        >>> def read(site, attended):
        ...     found[site.layer] = attended.weighted.mean(dim=2)
        >>> with torch.no_grad(), capture_values(model, find_sites(model).heads, read) as run:
        ...     run(input_ids=torch.tensor([[5, 6, 7]]))
        >>> {layer: tuple(weights.shape) for layer, weights in found.items()}
        {0: (1, 12, 3), 1: (1, 12, 3)}
    """
    if implementation(model) != "eager":
        raise eager_needed(model.config.model_type, implementation(model))
    own = output_factors(model, sites) if factors is None else factors
    follower = ProductFollower()

    def visit(site: Site, heads: Tensor) -> None:
        with follower.paused():
            weights, values = _operands(follower, site, heads)
            _check(site, heads, weights, values)
            read(site, Attended(weights, values, own[site]))

    placement = Placement(model, sites, visit, stop_early=stop_early)
    with ExitStack() as hooks:
        placement.install(hooks)
        yield Capture(model, placement, follower)


def _operands(follower: ProductFollower, site: Site, heads: Tensor) -> tuple[Tensor, Tensor]:
    product = follower.product_of(heads)
    found = None if product is None else product.by_head(len(heads), site.heads)
    if found is None:
        raise _refused(site, "the values that its attention weights multiply cannot be reached")
    return found


def _check(site: Site, heads: Tensor, weights: Tensor, values: Tensor) -> None:
    """Compare weights times values with the heads at three queries; a gate or a norm may follow them."""
    _, queries, _, dim = heads.shape
    if (weights.shape[2], values.shape[3]) != (queries, dim):
        raise _refused(site, "its attention weights do not belong to all of its positions")
    some = sorted({0, queries // 2, queries - 1})
    expected = heads[:, some].transpose(1, 2)
    mixed = weights[:, :, some] @ values
    allowed = TOLERANCE.get(heads.dtype, 2e-5) * float(expected.abs().nan_to_num(posinf=0).max())
    if not torch.allclose(mixed, expected, rtol=0, atol=allowed, equal_nan=True):
        raise _refused(site, "its heads are not attention weights times values")


def _factor(model: PreTrainedModel, site: Site) -> Tensor:
    """Return the triangular factor of each head's slice of the output projection.

    ‖vW‖ = ‖Rv‖ for Wᵀ = QR. Unlike the Gram matrix WWᵀ, R loses no digits where vW is short.
    """
    if site.kind is not Kind.HEAD:
        raise ProbingError(f"{site}: values are read at sites of head outputs; pass find_sites(model).heads")
    module = model.get_submodule(site.module)
    if site.side is Side.METHOD or not sliceable(module):
        raise _refused(site, "the output projection is not a module with a plain matrix")
    weight = module.get_parameter("weight").detach()
    matrix = weight.T if isinstance(module, Conv1D) else weight.flatten(1)
    matrix = matrix[:, site.offset : site.offset + site.heads * site.head_dim]
    exact = matrix.to(torch.promote_types(matrix.dtype, torch.float32))
    of_heads = exact.reshape(len(exact), site.heads, site.head_dim).transpose(0, 1)
    factor: Tensor = torch.linalg.qr(of_heads, mode="r").R
    return factor


def _refused(site: Site, reason: str) -> ProbingError:
    return ProbingError(f"{site}: {reason}; read its attention weights without values")
