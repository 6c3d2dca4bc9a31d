"""The contract of a statistic that compares the attention of two models on the same texts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol, runtime_checkable

from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from probing.representations.reductions.statistic import Statistic


@dataclass(frozen=True)
class Reference:
    """A second model.

    Attributes:
        name: Hugging Face id, folder or `package:...`, as for `model.name`.
        identity: Digests of its weights, configuration and tokenizer, by which cached numbers are found.
    """

    name: str
    identity: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, name: str) -> Reference:
        """Return the model of a name.

        Raises:
            ProbingError: If there is none.
        """
        return _found(name)


@cache
def _found(name: str) -> Reference:
    """Return a reference; its weights are digested once in a process."""
    return Reference(name, tuple(sorted(find_files(ModelConfig(name)).identity.items())))


@runtime_checkable
class AgainstReference(Statistic, Protocol):
    """A statistic whose batches have the weights of a second model too, see `AttentionBatch.reference`.

    The second model reads the same token ids. Its weights of all layers are kept until the batch ends, so
    batches have fewer texts.
    """

    @property
    def reference(self) -> Reference:
        """The second model."""
