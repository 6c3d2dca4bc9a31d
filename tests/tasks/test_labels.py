"""Tasks whose examples have several labels: splits, limits, control labels, cards."""

from __future__ import annotations

import numpy as np
import pytest

from probing.errors import ProbingError
from probing.statistics.folds import inner_splits
from probing.tasks.card import card
from probing.tasks.card_text import card_text
from probing.tasks.control import control_task, permuted_task
from probing.tasks.problem import make_problem
from probing.tasks.sampling import sample
from probing.tasks.target import Labels
from probing.tasks.task import Selection, Task, Unit

NAMES = ("common", "some", "rare")


def task(n: int = 300, selection: Selection = "dev", seed: int = 0) -> Task:
    rng = np.random.default_rng(seed)
    values = rng.random((n, 3)) < (0.7, 0.3, 0.03)
    texts = [f"word{rng.integers(40)} in text {row}" for row in range(n)]
    split = np.array(["train", "train", "train", "dev", "test"])[np.arange(n) % 5]
    values[:5, 2] = (True, True, False, True, True)
    units = tuple(Unit(text, (0, text.index(" "))) for text in texts)
    return Task("sets", units, Labels(values, NAMES), split, selection=selection, metric="micro_f1")


def values(made: Task) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    assert isinstance(made.target, Labels)
    return made.target.values


def test_strata_are_the_rarest_label_of_each_example() -> None:
    sets = [[1, 1, 0], [1, 0, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 0]]
    assert Labels(np.array(sets, dtype=bool), NAMES).strata.tolist() == [2, 1, 0, 3, 2, 1]


@pytest.mark.parametrize("selection", ["kfold", "holdout"])
def test_settings_are_chosen_on_parts_of_train_with_labels_in_equal_shares(selection: Selection) -> None:
    made = task(selection=selection)
    splits = inner_splits(make_problem(made, 0))
    share = values(made)[made.rows("train")].mean(0)
    for fit, held in splits:
        assert not set(fit) & set(held)
        np.testing.assert_allclose(values(made)[held].mean(0)[:2], share[:2], atol=0.2)
    if selection == "kfold":
        assert sorted(row for _, held in splits for row in held) == made.rows("train").tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda train, sets: sets & ~train[:, None], "every label is on all examples of train or on none"),
        (
            lambda train, sets: sets & ~(train[:, None] & [False, False, True]),
            "label 'rare' of dev is never seen",
        ),
    ],
)
def test_labels_that_cannot_be_learned_are_refused(change, message) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    made = task()
    wrong = Labels(change(made.split == "train", values(made)), NAMES)
    with pytest.raises(ProbingError, match=message):
        Task("sets", made.units, wrong, made.split, metric="micro_f1")


def test_control_labels_are_of_words_and_whole_sets_of_train() -> None:
    made = task()
    control = control_task(made)
    sets = {tuple(row) for row in values(made)[made.rows("train")].tolist()}
    by_word: dict[str, tuple[bool, ...]] = {}
    for unit, row in zip(control.units, values(control).tolist(), strict=True):
        assert by_word.setdefault(unit.text.split()[0], tuple(row)) == tuple(row)
    assert set(by_word.values()) <= sets
    assert len(set(by_word.values())) > 2
    assert not np.array_equal(values(control), values(made))


def test_permuted_labels_keep_the_sets_of_each_split() -> None:
    made = task()
    other = permuted_task(made)
    for split in ("train", "dev", "test"):
        rows = made.rows(split)
        assert sorted(values(other)[rows].tolist()) == sorted(values(made)[rows].tolist())
    assert not np.array_equal(values(other), values(made))


@pytest.mark.parametrize("limit", [10, 25, 60])
def test_a_limit_keeps_examples_of_every_label_in_train(limit: int) -> None:
    made = sample(task(), limit, balance=False, seed=3)
    assert len(made.rows("train")) == limit
    assert (values(made)[made.rows("train")].sum(0) >= 2).all()


def test_balance_needs_classes() -> None:
    with pytest.raises(
        ProbingError, match="needs classes, but task sets has several labels for each example"
    ):
        sample(task(), None, balance=True, seed=0)


def test_the_card_counts_every_label() -> None:
    made = task()
    facts = card(made)
    train = facts.splits[0]
    assert train.classes == dict(zip(NAMES, values(made)[made.rows("train")].sum(0).tolist(), strict=True))
    assert train.majority is None
    assert train.scores is None
    line = next(line for line in card_text(facts).splitlines() if "labels" in line)
    assert line.startswith(f"  labels    3, in train common ({train.classes['common']})")
