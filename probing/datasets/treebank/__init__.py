"""Tasks from treebanks: ten sentence tasks in SentEval's manner, and word tasks."""
