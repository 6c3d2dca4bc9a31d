"""A task that could not be probed is refused when it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from probing.errors import ProbingError
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task, Unit


def target(labels: list[int], names: str = "ab") -> Classes:
    return Classes(np.array(labels), tuple(names))


def make(**changes: Any) -> Task:  # noqa: ANN401
    fields: dict[str, Any] = {
        "name": "test/task",
        "units": tuple(Unit(f"text {number}") for number in range(12)),
        "target": target([0, 1] * 6),
        "split": np.array(["train"] * 8 + ["dev"] * 2 + ["test"] * 2),
    }
    return Task(**(fields | changes))


def test_a_good_task_is_left_alone() -> None:
    task = make()
    assert task.rows("test").tolist() == [10, 11]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": target([0, 1])}, "12 units, 2 labels, 12 splits"),
        ({"target": target([0] * 12)}, "only one class"),
        ({"target": target([0, 1] * 5 + [0, 2], "abc")}, "'c' of test is never seen"),
        ({"split": np.array(["train"] * 10 + ["test"] * 2)}, "no dev examples"),
        ({"split": np.array(["train"] * 10 + ["valid"] * 2)}, "unknown split 'valid'"),
        ({"units": (Unit(" "), *(Unit("x") for _ in range(11)))}, "example 0 has an empty text"),
        ({"units": (Unit("abc", (2, 9)), *(Unit("x") for _ in range(11)))}, "span"),
        ({"selection": "kfold", "folds": 5}, "4 train examples, fewer than the 5 that the folds need"),
        (
            {"target": target([0, 1, 2, 3, 4] + [0] * 7, "abcde")},
            "8 train examples for 5",
        ),
    ],
)
def test_a_task_that_cannot_be_probed_says_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        make(**changes)


def scores(values: Sequence[float]) -> Scores:
    return Scores(np.array(values), (0.0, 1.0, 2.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": scores([0, 1] * 5 + [1, 1]), "metric": "pearson"}, "all scores of test are the same"),
        ({"target": scores([0, np.nan] * 6), "metric": "pearson"}, "a score is not a finite number"),
        ({"target": scores([0, 1] * 6)}, "task.metric=accuracy does not apply; use pearson, spearman"),
        ({"metric": "pearson"}, "task.metric=pearson does not apply; use accuracy, macro_f1, f1, matthews"),
        ({"target": target([0, 1, 2] * 4, "abc"), "metric": "f1"}, "does not apply; use accuracy, macro_f1"),
        ({"partners": (Unit("x"),)}, "1 second texts for 12 units"),
        ({"partners": tuple(Unit(" ") for _ in range(12))}, "example 0 has an empty text"),
        ({"groups": np.array(["a"])}, "1 groups for 12 units"),
        ({"selection": "none", "split": np.array(["train"] * 12)}, "no test examples"),
        ({"selection": "nested", "split": np.array(["test"] * 12)}, "no train examples"),
        ({"selection": "kfold", "folds": 1}, "task.folds is 1"),
    ],
)
def test_a_task_that_cannot_be_scored_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        make(**changes)


def test_some_examples_of_a_task_are_a_task() -> None:
    task = make(partners=tuple(Unit(f"other {row}") for row in range(12)), groups=np.array(list("ab" * 6)))
    part = task.take([0, 1, 2, 3, 9, 8, 11, 10])
    assert [unit.text for unit in part.units] == [f"text {row}" for row in (0, 1, 2, 3, 9, 8, 11, 10)]
    assert part.partners is not None
    assert part.partners[4].text == "other 9"
    assert part.target.strata.tolist() == [0, 1, 0, 1, 1, 0, 1, 0]
    assert part.groups is not None
    assert "".join(part.groups) == "ababbaba"
    assert len(part.all_units) == 16
    with pytest.raises(ProbingError, match="no test examples"):
        task.take([0, 1, 2, 3, 8, 9])


def test_strata_of_scores_are_fifths() -> None:
    values = np.random.default_rng(0).permutation(100).astype(float)
    strata = Scores(values, (0, 100)).strata
    assert np.bincount(strata).tolist() == [20] * 5
    assert (np.diff(strata[np.argsort(values)]) >= 0).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"units": tuple(Unit("two words", (0, 3), second_span=(4, 12)) for _ in range(12))},
            "not inside its text",
        ),
        (
            {"units": tuple(Unit("two words", (0, 3), second_span=(4, 9) if n else None) for n in range(12))},
            "example 0 lacks one of its two spans",
        ),
        (
            {
                "units": tuple(
                    Unit("two words", (0, 3) if n != 5 else None, second_span=(4, 9)) for n in range(12)
                )
            },
            "example 5 lacks one of its two spans",
        ),
        (
            {
                "units": tuple(Unit("two words", (0, 3), second_span=(4, 9)) for _ in range(12)),
                "partners": tuple(Unit("two words", (0, 3)) for _ in range(12)),
            },
            "second spans, and partners as well",
        ),
        (
            {"partners": tuple(Unit("two words", (0, 3), second_span=(4, 9)) for _ in range(12))},
            "partner 0 has a second span",
        ),
    ],
)
def test_second_spans_that_make_no_pairs_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        make(**changes)
