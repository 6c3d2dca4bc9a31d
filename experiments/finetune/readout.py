"""A classifier on vectors that are read inside the forward pass, where gradients flow."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from experiments.finetune.places import Places
from probing.analyses.combine import combine
from probing.models.capture import capture
from probing.models.loading import LoadedModel
from probing.models.sites import Site
from probing.models.trace import find_sites
from probing.representations.reductions.pooling import Pooling, pool
from probing.tasks.task import Features


@dataclass(frozen=True)
class Recipe:
    """Settings for building a classifier on a model, without the weights.

    Attributes:
        places: Places that it reads.
        pooling: Pooling of the tokens of a unit into one vector.
        features: Combination of the two vectors of a pair; None if an example is a single unit.
        classes: Names of the classes; None predicts one score.
        dropout: Share of the vector that is dropped in training.
        max_length: Number of tokens after which a text is cut; None takes the model's own limit.
    """

    places: Places
    pooling: Pooling
    features: Features | None
    classes: tuple[str, ...] | None
    dropout: float
    max_length: int | None


class ReadOut(nn.Module):
    """A model, the vectors that are read from it, dropout, and one linear layer.

    The forward pass ends at the last place that is read. Higher layers are neither run nor trained.

    Attributes:
        backbone: The unmodified model.
        head: The linear layer.
    """

    def __init__(self, loaded: LoadedModel, recipe: Recipe, seed: int) -> None:
        """Build the classifier with seeded weights; the global random state is not changed.

        Raises:
            ProbingError: If the model cannot be read.
        """
        super().__init__()
        self.backbone = loaded.model
        self.recipe = recipe
        self._sites = sites_of_layers(loaded, recipe)
        arguments = inspect.signature(self.backbone.forward).parameters
        self._options = {"use_cache": False} if "use_cache" in arguments else {}
        width = sum(self._sites[layer].head_dim for layer, _ in recipe.places.heads)
        width *= {None: 1, "all": 4}.get(recipe.features, 2)
        self.dropout = nn.Dropout(recipe.dropout)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.head = nn.Linear(width, len(recipe.classes or ("score",)))

    def vectors(self, inputs: dict[str, Tensor], tokens: Tensor, texts: Tensor | None = None) -> Tensor:
        """Return the vector that the classifier reads for every example, with gradients.

        Args:
            inputs: int64 (texts, seq) by the name of the model's argument.
            tokens: Tokens of each unit, bool (units, seq); for pairs, all first units come first.
            texts: Text that each unit is in, int64 (units,); None if unit i is text i.

        Returns:
            float32 (examples, width).
        """
        pooled: dict[int, Tensor] = {}
        wanted = self.recipe.places.by_layer

        def read(site: Site, states: Tensor) -> None:
            states = states if states.dim() == 4 else states.unsqueeze(2)
            found = pool(states, tokens, self.recipe.pooling, texts)
            pooled[site.layer] = found[:, list(wanted[site.layer])].flatten(1)

        with capture(self.backbone, [self._sites[layer] for layer in wanted], read) as run:
            run(**inputs, **self._options)
        together = torch.cat([pooled[layer] for layer in wanted], 1)
        if self.recipe.features is None:
            return together
        first, second = together.chunk(2)
        return combine(first, second, self.recipe.features)

    def forward(
        self,
        inputs: dict[str, Tensor],
        tokens: Tensor,
        texts: Tensor | None = None,
        labels: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Return logits of every example, (examples, classes), or its score, (examples,); and the loss.

        The loss is the cross-entropy for classes, and the mean squared error for scores.
        """
        logits = self.head(self.dropout(self.vectors(inputs, tokens, texts)))
        logits = logits if self.recipe.classes else logits.squeeze(1)
        if labels is None:
            return {"logits": logits}
        loss = cross_entropy(logits, labels) if self.recipe.classes else mse_loss(logits, labels)
        return {"loss": loss, "logits": logits}

    def train_backbone(self, wanted: bool) -> None:
        """Train the model, or freeze it."""
        self.backbone.requires_grad_(wanted)


def sites_of_layers(loaded: LoadedModel, recipe: Recipe) -> dict[int, Site]:
    """Return the site at which each layer is read."""
    return {site.layer: site for site in find_sites(loaded.model).read(recipe.places.site)}
