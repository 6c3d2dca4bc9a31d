"""Models and tasks of the study."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """One size of the study.

    Attributes:
        tasks: Choices of conf/task.
        overrides: Overrides of every run.
    """

    tasks: tuple[str, ...]
    overrides: tuple[str, ...]


PRESETS = {
    # about an hour on two cores: MiniLM with a readout of its last layer
    "small": Preset(("senteval/trec", "senteval/sst2"), ("model=minilm", "pooling=first", "task.limit=1000")),
    # for a GPU: BERT-base. For a checkpoint that was fine-tuned on MNLI, as in the paper, use
    # model=hf model.name=... objective=classifier
    "full": Preset(("glue/mnli", "glue/mnli_mm", "glue/sst2", "glue/cola"), ("model=bert_base",)),
}
