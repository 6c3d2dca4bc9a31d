"""A second model that reads the same batches, so that the attention of both can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from probing.errors import ProbingError
from probing.models.capture import capture
from probing.models.heads import stack_name
from probing.models.loading import LoadedModel, Purpose, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.models.sites import Kind, Site
from probing.models.trace import find_sites
from probing.representations.decoder import arguments_of
from probing.representations.encode import EncodedBatch
from probing.representations.reductions.against import Reference
from probing.representations.request import Stack


@dataclass(frozen=True)
class SecondModel:
    """A loaded reference model.

    Attributes:
        loaded: Model and tokenizer.
        sites: The attention of each layer that is compared.
        stack: The stack that these are layers of, as of a request.
    """

    loaded: LoadedModel
    sites: tuple[Site, ...]
    stack: Stack = ""

    @classmethod
    def of(
        cls, reference: Reference, first: LoadedModel, compared: Sequence[Site], stack: Stack = ""
    ) -> SecondModel:
        """Load a reference on the device and in the precision of another model.

        Args:
            reference: The second model.
            first: The first model.
            compared: Attention of the layers of the first model that are compared.
            stack: The stack that these are layers of.

        Raises:
            ProbingError: If the two have other tokens, or other layers and heads.
        """
        device, dtype = first.model.device, first.model.dtype
        files = find_files(ModelConfig(reference.name))
        purpose: Purpose = "lm" if stack else "read"
        loaded = load_model(files, device=device, dtype=dtype, attention="eager", purpose=purpose)
        where = f"analysis.reference={reference.name}"
        if loaded.tokenizer.get_vocab() != first.tokenizer.get_vocab():
            raise ProbingError(
                f"{where}: has another vocabulary than the model; attention is compared token by token, so "
                "name a model with the same tokenizer"
            )
        heads = {site.layer: site.heads for site in compared}
        found = find_sites(loaded.model).of(Kind.ATTENTION)
        sites = {site.layer: site for site in found if stack_name(site) == stack}
        for layer, count in heads.items():
            there = sites[layer].heads if layer in sites else 0
            if there != count:
                raise ProbingError(
                    f"{where}: has {there} heads in layer {layer}, where the model has {count}; name a model "
                    "of the same architecture"
                )
        return cls(loaded, tuple(sites[layer] for layer in heads), stack)

    def weights(self, batch: EncodedBatch, options: Mapping[str, bool]) -> dict[int, Tensor]:
        """Return the attention weights (texts, heads, queries, keys) of each layer for a batch."""
        found: dict[int, Tensor] = {}

        def keep(site: Site, states: Tensor) -> None:
            found[site.layer] = states.clone()

        with capture(self.loaded.model, self.sites, keep) as run:
            run(**arguments_of(self.loaded.model, batch, self.stack), **options)
        return found
