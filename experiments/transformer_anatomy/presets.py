"""Models and tasks of the study."""

from __future__ import annotations

from dataclasses import dataclass

PROBING = (
    "length", "word_content", "depth", "top_constituents", "bigram_shift", "tense", "subj_number",
    "obj_number", "odd_man_out", "coordination_inversion",
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """One size of the study.

    Attributes:
        models: Choices of conf/model.
        probing: Choices of conf/task: the ten probing tasks.
        downstream: Choices of conf/task: the downstream tasks.
        overrides: Overrides of every run.
    """

    models: tuple[str, ...]
    probing: tuple[str, ...]
    downstream: tuple[str, ...]
    overrides: tuple[str, ...]

    def tasks(self, kind: str) -> tuple[str, ...]:
        """Return the tasks of a kind: `probing`, `downstream` or `both`."""
        kinds = {"probing": self.probing, "downstream": self.downstream}
        return kinds.get(kind, self.probing + self.downstream)


PRESETS = {
    # minutes on a laptop: MiniLM, generated sentences, and those of SentEval's tasks that are small
    "small": Preset(
        models=("minilm",),
        probing=tuple(f"grammar/{name}" for name in PROBING),
        downstream=("senteval/trec", "senteval/mrpc", "senteval/sick_e", "senteval/sst2"),
        overrides=("pooling=first", "task.limit=2000"),
    ),
    # days on a GPU: the paper's checkpoints but Transformer-XL, its tasks and SentEval's classifier
    "full": Preset(
        models=("bert_base", "bert_large", "gpt", "gpt2", "electra_small", "electra_base", "electra_large"),
        probing=tuple(f"senteval/{name}" for name in PROBING),
        downstream=tuple(f"senteval/{name}" for name in ("sst2", "sst5", "trec", "sick_e", "mrpc", "stsb")),
        overrides=("probe=senteval",),
    ),
}
