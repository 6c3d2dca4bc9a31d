"""The proportions of a model as its config.json declares them, for estimates before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LAYERS = ("encoder_layers", "num_hidden_layers", "n_layer", "n_layers", "num_layers")
_WIDTH = ("hidden_size", "d_model", "n_embd", "dim")
_HEADS = ("encoder_attention_heads", "num_attention_heads", "n_head", "n_heads", "num_heads")
_HEAD_DIM = ("head_dim", "d_kv", "d_head")


@dataclass(frozen=True)
class Proportions:
    """The proportions of the stack that is read, for an encoder-decoder model its encoder.

    Attributes:
        layers: Number of layers.
        width: Number of features of a hidden state.
        heads: Number of heads of one layer.
        head_dim: Number of features of one head.
    """

    layers: int
    width: int
    heads: int
    head_dim: int

    @property
    def weights(self) -> int:
        """Approximate number of weights of all layers; the time of a forward pass is proportional to it."""
        return 12 * self.layers * self.width**2


def proportions(settings: Mapping[str, Any]) -> Proportions | None:
    """Return the proportions of a model; None if its configuration does not declare them in a usual way.

    Args:
        settings: Contents of its config.json.
    """
    inner = settings.get("text_config")
    if isinstance(inner, Mapping):
        settings = {**settings, **inner}
    layers, width, heads = (_number(settings, names) for names in (_LAYERS, _WIDTH, _HEADS))
    if not layers or not width or not heads:
        return None
    return Proportions(layers, width, heads, _number(settings, _HEAD_DIM) or width // heads)


def _number(settings: Mapping[str, Any], names: Sequence[str]) -> int | None:
    values = (settings.get(name) for name in names)
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool)), None)
