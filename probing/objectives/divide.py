"""Train, dev and test for every task: heads are selected on dev and reported on test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from probing.statistics.folds import tenth
from probing.tasks.splits import make_splits
from probing.tasks.task import Task

TENTHS = (0.8, 0.1, 0.1)


def divided(task: Task, seed: int) -> Task:
    """Return the task with three splits, regardless of how it selects settings.

    Without dev, a stratified tenth of train becomes dev. With nested folds, a tenth each becomes dev and
    test. A task without training is divided the same way, by its texts.
    """
    if task.selection == "dev":
        return task
    split = task.split.copy()
    if task.selection in {"kfold", "holdout"}:
        train = task.rows("train")
        _, held = tenth(task.target.take(train).strata, seed)
        split[train[held]] = "dev"
    else:
        texts = [unit.text for unit in task.units]
        split = make_splits(texts, [str(stratum) for stratum in task.target.strata], TENTHS, seed)
    return replace(task, split=np.asarray(split), selection="dev")
