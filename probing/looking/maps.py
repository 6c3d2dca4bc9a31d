"""All attention of one input: a map of queries and keys for every head, read in one forward pass."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.looking.map_readers import MapReader, value_weighted_maps
from probing.looking.passages import Passage
from probing.looking.pieces import Array, Pieces, tokens_of, words_of
from probing.representations.reductions.visible import visible_keys
from probing.representations.request import Stack
from probing.representations.tokens import tokenize

if TYPE_CHECKING:
    from torch import Tensor

    from probing.models.loading import LoadedModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Maps:
    """Weights of one kind between the tokens of one input.

    Attributes:
        layers: For each layer, float32 (heads, tokens, tokens), queries and keys.
        attention: Whether these are the attention weights themselves, whose rows sum to 1 unless a sink takes
            a part.
    """

    layers: Mapping[int, Array]
    attention: bool

    def top(self, pieces: Pieces) -> float:
        """Return the upper end of the scale between some places: 1 for attention, else the largest weight."""
        return self.top_of(self.merged(pieces))

    def top_of(self, merged: Mapping[int, Array]) -> float:
        """Return `top` of places whose maps are `merged`."""
        return 1.0 if self.attention else max(float(each.max()) for each in merged.values())

    @property
    def lacking(self) -> float:
        """The largest part of a row that is missing to 1, as a sink takes it; 0 for other weights."""
        if not self.attention:
            return 0.0
        return max(0.0, *(float(1 - each.sum(-1).min()) for each in self.layers.values()))

    @property
    def seen(self) -> dict[int, list[int]]:
        """For each layer, the number of keys that each query can see; see `visible_keys`."""
        found = {}
        for layer, each in self.layers.items():
            everywhere = torch.ones(1, each.shape[-1], dtype=torch.bool)
            found[layer] = visible_keys(torch.from_numpy(each)[None], everywhere).sum(2)[0].tolist()
        return found

    def merged(self, pieces: Pieces) -> dict[int, Array]:
        """Return the maps between words, or between tokens as they are."""
        return {layer: pieces.merge(weights) for layer, weights in self.layers.items()}

    def shares(self) -> Maps:
        """Return other weights as shares of the sum of their row, and attention as it is.

        Rows then count equally in the mean over a word's tokens, and when a column is read.
        """
        if self.attention:
            return self
        layers = {}
        for layer, each in self.layers.items():
            sums = each.sum(-1, keepdims=True)
            layers[layer] = np.divide(each, sums, out=np.zeros_like(each), where=sums > 0)
        return Maps(layers, attention=False)


@dataclass(frozen=True)
class Read:
    """One input as a model reads it.

    Attributes:
        passage: The texts with their words.
        tokens: The tokens as places.
        words: The words as places; None if the tokenizer does not report characters.
        maps: The weights by their name, `attention` first.
        cut: Whether the input was truncated.
    """

    passage: Passage
    tokens: Pieces
    words: Pieces | None
    maps: Mapping[str, Maps]
    cut: bool


def read_passage(
    passage: Passage,
    loaded: LoadedModel,
    readers: Mapping[str, MapReader],
    limit: int | None,
    stack: Stack = "",
) -> Read:
    """Run a model on one input and keep all of its attention.

    Args:
        passage: The input.
        loaded: A model that was loaded with eager attention, and its tokenizer.
        readers: Functions that return the weights, by the name of the weights.
        limit: Maximum number of tokens; the rest is truncated.
        stack: The stack of an encoder-decoder model that is read whole. In cross-attention, the places that
            attend are the decoder's, named by the token that each predicts.

    Raises:
        ProbingError: If there is too much of it, if the model does not give its attention between all tokens,
            if a weight is negative or not finite, or if other weights are not of the same heads.
    """
    (tokens,) = tokenize(loaded.tokenizer, [(passage.text, passage.second)], limit)
    if not len(tokens):
        raise ProbingError(f"the text {passage.text[:60]!r} has no tokens; give another text")
    accepted = inspect.signature(loaded.model.forward).parameters
    inputs: dict[str, Any] = {
        name: torch.tensor([ids], device=loaded.model.device)
        for name, ids in tokens.ids.items()
        if name in accepted or name == "input_ids"
    }
    inputs |= {"attention_mask": torch.ones_like(inputs["input_ids"])} if "attention_mask" in accepted else {}
    inputs |= {"use_cache": False} if "use_cache" in accepted else {}
    if stack:
        from probing.representations.decoder import decoder_inputs

        inputs |= decoder_inputs(loaded.model, inputs["input_ids"], torch.ones_like(inputs["input_ids"]))
    with torch.inference_mode():
        found = {name: read(loaded.model, inputs) for name, read in readers.items()}
    found = {name: weights for name, weights in found.items() if weights or name == "attention"}
    single = tokens_of(passage, tokens, loaded.tokenizer)
    maps = {name: _checked(name, weights, len(single)) for name, weights in found.items()}
    maps = {name: each for name, each in maps.items() if _belongs(name, each, maps["attention"], readers)}
    words = None if tokens.kept is None else words_of(passage, tokens, single)
    if stack == "decoder":
        single, words = single.after_start(), None if words is None else words.after_start()
    return Read(passage, single, words, maps, tokens.cut)


def _checked(name: str, weights: Mapping[int, Tensor], length: int) -> Maps:
    layers: dict[int, Array] = {}
    for layer, each in sorted(weights.items()):
        array: NDArray[np.float32] = each.detach().float().cpu().numpy()
        if array.shape[1:] != (length, length):
            raise ProbingError(
                f"layer {layer}: its {name} is of shape {array.shape[1:]}, but the text has {length} tokens; "
                "choose another model"
            )
        if not np.isfinite(array).all():
            raise ProbingError(f"layer {layer}: its {name} is not finite; give extract.dtype=float32")
        if (array < 0).any():
            raise ProbingError(f"layer {layer}: its {name} has negative weights; return weights from 0")
        layers[layer] = array
    if not layers:
        raise ProbingError(f"look: the model has no {name} of its tokens; choose another model")
    return Maps(layers, attention=name == "attention")


def _belongs(name: str, maps: Maps, attention: Maps, readers: Mapping[str, MapReader]) -> bool:
    """Return whether weights are of the heads that attention is of."""
    if _heads(maps) == _heads(attention):
        return True
    if getattr(readers[name], "func", None) is not value_weighted_maps:
        raise ProbingError(f"look: {name} has other layers or heads than attention; return all of them")
    log.info("no value-weighted attention: it has other layers or heads than attention")
    return False


def _heads(maps: Maps) -> dict[int, int]:
    return {layer: len(weights) for layer, weights in maps.layers.items()}
