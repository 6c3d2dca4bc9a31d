"""Tasks on single words and on pairs of words in a treebank."""

from probing.tasks.treebank.words.source import WordTask

__all__ = ["WordTask"]
