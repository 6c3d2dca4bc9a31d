"""Tasks on single words and on pairs of words in a treebank."""

from probing.datasets.treebank.words.task import WordTask

__all__ = ["WordTask"]
