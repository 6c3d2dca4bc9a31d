"""Tasks from treebanks: ten of sentences in SentEval's manner, and those of words."""
