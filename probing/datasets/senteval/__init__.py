"""SentEval's tasks (Conneau and Kiela, 2018), from its own files and in its order of examples."""

from probing.datasets.senteval.pairs import Mrpc, SickEntailment, SickRelatedness, Snli
from probing.datasets.senteval.similarity import Sts, StsBenchmark
from probing.datasets.senteval.single import SentEvalProbing, Sst, Trec
from probing.datasets.senteval.two_sided import TwoSided

__all__ = [
    "Mrpc",
    "SentEvalProbing",
    "SickEntailment",
    "SickRelatedness",
    "Snli",
    "Sst",
    "Sts",
    "StsBenchmark",
    "Trec",
    "TwoSided",
]
