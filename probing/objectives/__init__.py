"""Objectives: the loss and score of a model on a task, by which heads are evaluated."""
