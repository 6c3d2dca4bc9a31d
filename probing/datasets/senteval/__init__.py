"""SentEval's tasks (Conneau and Kiela, 2018), read from its own files with its order of examples."""

from probing.datasets.senteval.pairs import PairTask
from probing.datasets.senteval.sentences import ProbingTask, SentenceTask
from probing.datasets.senteval.similarity import SimilarityTask

__all__ = ["PairTask", "ProbingTask", "SentenceTask", "SimilarityTask"]
