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
    """All that it takes to build a classifier on a model, weights aside.

    Attributes:
        places: What it reads.
        pooling: How the tokens of a unit become one vector.
        features: How the two vectors of a pair become one; None where an example is one unit.
        classes: Names of the classes; None predicts one score.
        dropout: Share of the vector that is dropped in training.
        max_length: Tokens after which a text is cut; None is the model's own limit.
    """

    places: Places
    pooling: Pooling
    features: Features | None
    classes: tuple[str, ...] | None
    dropout: float
    max_length: int | None


class ReadOut(nn.Module):
    """A model, the vectors that are read of it, dropout, and one linear layer.

    The forward pass ends at the last place that is read: what lies above is neither run nor trained.

    Attributes:
        backbone: The unmodified model.
        head: The linear layer.
    """

    def __init__(self, loaded: LoadedModel, recipe: Recipe, seed: int) -> None:
        """Build the classifier with seeded weights; the global random state is left as it was.

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
        """What the classifier reads of every example, with gradients.

        Args:
            inputs: int64 (texts, seq) by the name of the model's argument.
            tokens: bool (units, seq), the tokens of each unit; of pairs the first of all pairs first.
            texts: int64 (units,), the text that each unit is in; None where unit i is text i.

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
        """Logits of every example, (examples, classes), or its score, (examples,); and the loss.

        The loss is the cross-entropy of classes, or the mean squared error of scores.
        """
        logits = self.head(self.dropout(self.vectors(inputs, tokens, texts)))
        logits = logits if self.recipe.classes else logits.squeeze(1)
        if labels is None:
            return {"logits": logits}
        loss = cross_entropy(logits, labels) if self.recipe.classes else mse_loss(logits, labels)
        return {"loss": loss, "logits": logits}

    def train_backbone(self, wanted: bool) -> None:
        """Let gradients reach the model, or keep it as it is."""
        self.backbone.requires_grad_(wanted)


def sites_of_layers(loaded: LoadedModel, recipe: Recipe) -> dict[int, Site]:
    """Where each layer is read."""
    found = find_sites(loaded.model)
    sites = found.heads if recipe.places.site == "head" else found.hidden
    return {site.layer: site for site in sites if not site.cross}
