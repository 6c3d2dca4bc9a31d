"""Tasks of single words and of pairs of words in a treebank."""

from probing.datasets.treebank.words.task import WordTask

__all__ = ["WordTask"]
