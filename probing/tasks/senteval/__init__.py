"""SentEval's tasks (Conneau and Kiela, 2018), read from its own files with its order of examples."""

from probing.tasks.senteval.pairs import PairTask
from probing.tasks.senteval.sentences import ProbingTask, SentenceTask
from probing.tasks.senteval.similarity import SimilarityTask

__all__ = ["PairTask", "ProbingTask", "SentenceTask", "SimilarityTask"]
