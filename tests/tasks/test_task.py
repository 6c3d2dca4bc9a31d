"""A task that could not be probed is refused when it is made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from probing.errors import ProbingError
from probing.tasks.task import Task, Unit


def make(**changes: Any) -> Task:  # noqa: ANN401
    fields: dict[str, Any] = {
        "name": "test/task",
        "units": tuple(Unit(f"text {number}") for number in range(12)),
        "labels": np.array([0, 1] * 6),
        "classes": ("a", "b"),
        "split": np.array(["train"] * 8 + ["dev"] * 2 + ["test"] * 2),
    }
    return Task(**(fields | changes))


def test_a_good_task_is_left_alone() -> None:
    task = make()
    assert task.rows("test").tolist() == [10, 11]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": np.array([0, 1])}, "12 units, 2 labels, 12 splits"),
        ({"labels": np.array([0] * 12)}, "one class only"),
        ({"labels": np.array([0, 1] * 5 + [0, 2]), "classes": ("a", "b", "c")}, "'c' of test is never seen"),
        ({"split": np.array(["train"] * 10 + ["test"] * 2)}, "no dev examples"),
        ({"split": np.array(["train"] * 10 + ["valid"] * 2)}, "unknown split 'valid'"),
        ({"units": (Unit(" "), *(Unit("x") for _ in range(11)))}, "example 0 has an empty text"),
        ({"units": (Unit("abc", (2, 9)), *(Unit("x") for _ in range(11)))}, "span"),
        ({"selection": "kfold", "folds": 5}, "4 train examples, fewer than the 5 folds"),
        (
            {"labels": np.array([0, 1, 2, 3, 4] + [0] * 7), "classes": tuple("abcde")},
            "8 train examples for 5",
        ),
    ],
)
def test_a_task_that_cannot_be_probed_says_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        make(**changes)
