"""Models and amounts of data of the study."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """One size of the study.

    Attributes:
        model: Overrides that choose the model.
        sentences: Maximum number of sentences of train, dev and test; None takes all.
    """

    model: tuple[str, ...]
    sentences: tuple[int, int, int] | None

    @property
    def size(self) -> list[str]:
        """Overrides of a task of whole sentences."""
        if self.sentences is None:
            return []
        return [
            f"task.n_{split}={n}" for split, n in zip(("train", "dev", "test"), self.sentences, strict=True)
        ]


PRESETS = {
    # minutes on two cores, a quarter of an hour for the probes: MiniLM
    "small": Preset(("model=minilm",), (1000, 400, 600)),
    # the model of the paper, for a GPU
    "full": Preset(("model=bert_base",), None),
}
