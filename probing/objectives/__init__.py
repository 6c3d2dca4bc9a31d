"""What a model is used for: its loss and score on a task, through which heads can be judged."""
