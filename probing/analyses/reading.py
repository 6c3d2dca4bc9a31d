"""The vectors of a task's examples, as an analysis reads them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from probing.analyses.combine import combine
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.representations.reader import Representations
from probing.tasks.task import Features, Task

log = logging.getLogger(__name__)
# limit on the bytes of a layer's vectors held in memory at once; those of large pair tasks would not fit
GROUP_BYTES = 4 << 30


@dataclass(frozen=True)
class Reading:
    """The vectors of the examples of a task, or a statistic of attention, read on first use.

    Attributes:
        asked: The task as it was built.
        device: Device of the vectors.
        represent: Function that extracts a vector for every unit of the task, or finds it in the cache. For
            an analysis of attention, its result is the statistic for every text.
    """

    asked: Task
    device: torch.device
    represent: Callable[[], Representations]

    @cached_property
    def representations(self) -> Representations:
        """Vectors of the task's units; the model runs only if some are missing in the cache."""
        return self.represent()

    @property
    def dropped(self) -> int:
        """Number of examples without a vector, since their word is past the model's limit or has no token."""
        return len(self.asked) - len(self.kept)

    @cached_property
    def task(self) -> Task:
        """The task's examples that have vectors."""
        if not self.dropped:
            return self.asked
        said = f"{self.dropped} of {len(self.asked)} examples are dropped ({self._why})"
        log.warning("%s", said)
        try:
            return self.asked.take(self.kept)
        except ProbingError as error:
            raise ProbingError(f"{said}, which leaves too little: {error}") from error

    @property
    def _why(self) -> str:
        """Reasons for dropping examples; a pair with words of both kinds counts once, as cut off."""
        n = len(self.asked)
        missing, silent = self.representations.missing, self.representations.silent
        cut = np.unique(np.setdiff1d(missing, silent) % n)
        alone = np.setdiff1d(silent % n, cut)
        reasons = (
            (len(cut), "their words are past the model's limit of tokens"),
            (len(alone), "the tokenizer has no token for their words"),
        )
        there = [(number, reason) for number, reason in reasons if number]
        if len(there) == 1:
            return there[0][1]
        return ", ".join(f"{number} because {reason}" for number, reason in there)

    def head_groups(self, layer: int) -> list[list[int]]:
        """Return the heads of a layer in groups whose vectors fit into memory together."""
        heads, dim = self.representations.layout[layer]
        # the vectors that are read, and at most twice their size after combination
        bytes_of_head = 4 * dim * len(self.asked.all_units) * (1 if self.asked.partners is None else 3)
        size = max(1, GROUP_BYTES // bytes_of_head)
        return [list(range(heads))[start : start + size] for start in range(0, heads, size)]

    def vectors(
        self, layer: int, features: Features | None = None, heads: Sequence[int] | None = None
    ) -> torch.Tensor:
        """Return the vectors of one layer for the examples of `task`, with those of pairs combined.

        Args:
            layer: Number of the layer, from 0; -1 is the embeddings.
            features: Combination of pairs; None takes the task's.
            heads: Numbers of the heads; None takes all.

        Returns:
            float32 (heads, n, dim) on `device`; dim grows with the features of pairs.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        n = len(self.asked)
        read = torch.from_numpy(self.representations.layer(layer, heads))
        parts = [part if not self.dropped else part[:, self.kept] for part in torch.split(read, n, 1)]
        parts = [part.to(self.device) for part in parts]
        return parts[0] if len(parts) == 1 else combine(parts[0], parts[1], features or self.asked.features)

    @cached_property
    def kept(self) -> NDArray[np.int64]:
        """Rows of `asked` that have vectors, in ascending order; int64."""
        n = len(self.asked)
        return np.setdiff1d(np.arange(n), self.representations.missing % n)
