"""What an analysis gets: the vectors of the examples that have some, those of pairs put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from probing.analyses.combine import combine
from probing.analyses.reading import Reading
from probing.errors import ProbingError
from probing.tasks.problem import pose
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Features, Task, Unit


@dataclass(frozen=True)
class Made:
    """Representations whose vectors say which unit they are of."""

    size: int
    missing: NDArray[np.int64]
    layout: Mapping[int, tuple[int, int]]
    silent: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def layer(self, layer: int, heads: Sequence[int] | None = None) -> NDArray[np.float32]:
        count, dim = self.layout[layer]
        chosen = range(count) if heads is None else heads
        numbers = np.arange(self.size, dtype=np.float32)[None, :, None]
        return np.broadcast_to(numbers, (len(chosen), self.size, dim)).copy()


def pair_task(n: int = 20) -> Task:
    return Task(
        name="test/pairs",
        units=tuple(Unit(f"first {row}") for row in range(n)),
        partners=tuple(Unit(f"second {row}") for row in range(n)),
        features="concat",
        target=Classes(np.arange(n) % 2, ("a", "b")),
        split=np.array(["train"] * (n - 8) + ["dev"] * 4 + ["test"] * 4),
    )


def experiment(task: Task, missing: list[int]) -> Reading:
    made = Made(len(task.all_units), np.array(missing, dtype=np.int64), {0: (3, 2)})
    return Reading(task, torch.device("cpu"), lambda: made)  # type: ignore[arg-type,return-value]


def test_every_pair_gets_the_vectors_of_its_two_units() -> None:
    asked = experiment(pair_task(), [])
    vectors = asked.vectors(0)
    assert vectors.shape == (3, 20, 4)
    assert vectors[1, 7].tolist() == [7, 7, 27, 27]
    assert asked.task is asked.asked


def test_words_that_the_tokenizer_leaves_out_are_dropped_and_said(caplog: pytest.LogCaptureFixture) -> None:
    def of(missing: list[int], silent: list[int]) -> Reading:
        made = Made(40, np.array(missing), {0: (3, 2)}, np.array(silent, dtype=np.int64))
        return Reading(pair_task(), torch.device("cpu"), lambda: made)  # type: ignore[arg-type,return-value]

    assert len(of([3, 25], [3, 25]).task) == 18
    assert "2 of 20 examples are dropped (the tokenizer has no token for their words)" in caplog.text
    caplog.clear()
    assert len(of([3, 4, 24, 26], [24, 26]).task) == 17
    assert (
        "3 of 20 examples are dropped (2 because their words are past the model's limit of tokens, "
        "1 because the tokenizer has no token for their words)" in caplog.text
    )
    with pytest.raises(ProbingError, match=r"20 of 20 .* no token .* leaves too little: .*no train examples"):
        assert of(list(range(20)), list(range(20))).task


def test_a_pair_is_dropped_if_either_of_its_words_was_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    asked = experiment(pair_task(), [3, 25, 23])
    assert asked.dropped == 2
    assert [unit.text for unit in asked.task.units[:5]] == [f"first {row}" for row in (0, 1, 2, 4, 6)]
    assert "2 of 20 examples are dropped" in caplog.text
    vectors = asked.vectors(0)
    assert vectors[0, :, 0].tolist() == [row for row in range(20) if row not in (3, 5)]
    assert (vectors[0, :, 2] - vectors[0, :, 0] == 20).all()
    assert len(asked.task.target) == len(asked.task.split) == 18


@pytest.mark.parametrize("how", ["concat", "compare", "all"])
def test_features_of_pairs_are_those_of_the_literature(how: Features) -> None:
    u, v = torch.tensor([[1.0, -2.0]]), torch.tensor([[3.0, 4.0]])
    expected = {
        "concat": [1, -2, 3, 4],
        "compare": [2, 6, 3, -8],
        "all": [1, -2, 3, 4, 3, -8, 2, 6],
    }
    assert combine(u, v, how)[0].tolist() == expected[how]
    assert u.tolist() == [[1, -2]]
    if how == "compare":  # the order of a pair does not matter
        assert torch.equal(combine(u, v, how), combine(v, u, how))


def test_nested_tasks_train_and_test_on_every_row() -> None:
    rows = np.arange(40)
    task = Task(
        name="test/nested",
        units=tuple(Unit(f"text {row}") for row in rows),
        target=Classes(rows % 2, ("a", "b")),
        split=np.array(["train"] * 40),
        selection="nested",
    )
    problem = pose(task, 0)
    assert problem.train.tolist() == problem.test.tolist() == rows.tolist()


def test_data_sets_within_a_task_are_numbered() -> None:
    task = Task(
        name="test/sets",
        units=tuple(Unit(f"text {row}") for row in range(6)),
        target=Scores(np.arange(6.0), (0, 1, 2, 3, 4, 5)),
        split=np.array(["test"] * 6),
        selection="none",
        metric="pearson",
        groups=np.array(["news", "forum", "news", "forum", "news", "news"]),
        average="weighted",
    )
    problem = pose(task, 0)
    assert problem.groups is not None
    assert problem.groups.tolist() == [1, 0, 1, 0, 1, 1]
    assert (problem.average, len(problem.train)) == ("weighted", 0)
