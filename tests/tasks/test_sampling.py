"""A part of a task: proportional, seeded, nested, and never too little to probe."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from probing.errors import ProbingError
from probing.tasks.sampling import sample
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task, Unit

SIZES = {"train": (400, 300, 90, 10), "dev": (40, 30, 9, 1), "test": (200, 150, 45, 5)}
NAMES = ("a", "b", "c", "d")


def task(sizes: Mapping[str, tuple[int, ...]] = SIZES, **changes: Any) -> Task:  # noqa: ANN401
    """Classes of different size, in mixed order."""
    cells = [
        (split, label)
        for split, counts in sizes.items()
        for label, count in enumerate(counts)
        for _ in range(count)
    ]
    order = np.random.default_rng(0).permutation(len(cells))
    fields: dict[str, Any] = {
        "name": "test/sizes",
        "units": tuple(Unit(f"text {number}") for number in range(len(cells))),
        "target": Classes(np.array([cells[at][1] for at in order]), NAMES),
        "split": np.array([cells[at][0] for at in order]),
    }
    return Task(**(fields | changes))


def counts(of: Task) -> Counter[tuple[str, str]]:
    return Counter(zip(of.split.tolist(), of.target.shown(), strict=True))


def similarity(n: int = 600, **changes: Any) -> Task:  # noqa: ANN401
    """Scores in three data sets of which one is small."""
    rng = np.random.default_rng(0)
    fields: dict[str, Any] = {
        "name": "test/scores",
        "units": tuple(Unit(f"text {number}") for number in range(n)),
        "partners": tuple(Unit(f"other {number}") for number in range(n)),
        "target": Scores(rng.uniform(0, 5, n), (0, 1, 2, 3, 4, 5)),
        "split": np.full(n, "test"),
        "selection": "none",
        "metric": "pearson",
        "groups": np.array(["large"] * (n - 210) + ["middle"] * 200 + ["tiny"] * 10),
    }
    return Task(**(fields | changes))


def test_nothing_asked_is_nothing_done() -> None:
    whole = task()
    assert sample(whole, None, False, 0) is whole
    assert sample(whole, 800, False, 0) is whole


def test_a_limit_holds_for_every_split_and_keeps_the_shares() -> None:
    part = sample(task(), 100, False, 0)
    found = counts(part)
    assert {split: len(part.rows(split)) for split in SIZES} == {"train": 100, "dev": 80, "test": 100}
    for split in ("train", "test"):
        for label, size in zip(NAMES, SIZES[split], strict=True):
            assert abs(found[split, label] - 100 * size / sum(SIZES[split])) <= 1


def test_examples_keep_their_order_and_their_labels() -> None:
    whole = task()
    label_of = dict(zip(whole.units, whole.target.shown(), strict=True))
    part = sample(whole, 20, True, 0)
    numbers = [int(unit.text.split()[1]) for unit in part.units]
    assert numbers == sorted(numbers)
    assert part.target.shown() == [label_of[unit] for unit in part.units]


@pytest.mark.parametrize("whole", [task(), task(selection="kfold", folds=7), similarity()])
def test_a_greater_limit_adds_and_drops_none(whole: Task) -> None:
    parts = [set(sample(whole, limit, False, 3).units) for limit in (28, 29, 30, 47, 100, 250, 599)]
    assert all(small < large for small, large in itertools.pairwise(parts))


@pytest.mark.parametrize(
    ("selection", "folds", "needed"), [("dev", 5, 2), ("kfold", 7, 7), ("nested", 8, 10)]
)
def test_no_class_of_train_gets_fewer_than_choosing_settings_needs(
    selection: str, folds: int, needed: int
) -> None:
    sizes = {"train": SIZES["train"]} if selection == "nested" else SIZES
    whole = task(sizes, selection=selection, folds=folds)
    part = sample(whole, 4 * needed + 2, False, 0)
    assert min(counts(part)["train", label] for label in NAMES) == needed
    with pytest.raises(
        ProbingError, match=rf"task\.limit={4 * needed - 1} is too small for train .* {4 * needed}$"
    ):
        sample(whole, 4 * needed - 1, False, 0)


def test_a_class_smaller_than_that_stays_whole() -> None:
    whole = task({"train": (40, 40, 40, 1), "dev": (5, 5, 5, 0), "test": (5, 5, 5, 0)})
    for limit in (8, 9, 20):
        assert counts(sample(whole, limit, False, 0))["train", "d"] == 1
    with pytest.raises(ProbingError, match="give at least 8"):
        sample(whole, 7, False, 0)


def test_small_limits_leave_no_label_of_dev_or_test_unseen() -> None:
    for seed in range(20):
        part = sample(task(), 8, False, seed)
        assert {label for split, label in counts(part) if split == "train"} == set(NAMES)


def test_balance_gives_every_class_of_a_split_the_size_of_its_smallest() -> None:
    assert counts(sample(task(), None, True, 0)) == {
        (split, label): min(sizes) for split, sizes in SIZES.items() for label in NAMES
    }
    both = sample(task(), 20, True, 0)
    assert [counts(both)["train", label] for label in NAMES] == [5, 5, 5, 5]


def test_balance_passes_over_classes_that_a_split_does_not_have() -> None:
    whole = task({"train": (40, 30, 20, 10), "dev": (5, 3, 0, 0), "test": (5, 5, 5, 4)})
    found = counts(sample(whole, None, True, 0))
    assert [found["dev", label] for label in NAMES] == [3, 3, 0, 0]
    assert [found["test", label] for label in NAMES] == [4, 4, 4, 4]


def test_a_balanced_task_is_left_alone() -> None:
    whole = task({"train": (9, 9, 9, 9), "dev": (1, 1, 1, 1), "test": (2, 2, 2, 2)})
    assert sample(whole, None, True, 0) is whole


def test_seeds_differ_and_repeat() -> None:
    draws = [sample(task(), 50, True, seed).units for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


def test_the_draw_within_a_class_is_uniform() -> None:
    whole = task()
    rows = {unit: row for row, unit in enumerate(whole.units)}
    drawn = Counter(rows[unit] for seed in range(200) for unit in sample(whole, 100, False, seed).units)
    of_class = [row for row in whole.rows("train") if whole.target.shown()[row] == "a"]
    hits = np.array([drawn[row] for row in of_class])
    # each of the 400 is drawn with probability 1/8 in each of 200 draws: mean 25, variance about 22
    assert abs(hits.mean() - 25) < 0.5
    assert 15 < hits.var() < 30


def test_scores_and_data_sets_keep_their_shares() -> None:
    whole = similarity()
    part = sample(whole, 120, False, 0)
    assert part.groups is not None
    sizes = Counter(part.groups.tolist())
    assert sizes == {"large": 78, "middle": 40, "tiny": 2}
    assert isinstance(whole.target, Scores)
    assert isinstance(part.target, Scores)
    fifths = np.quantile(whole.target.values, [0.2, 0.4, 0.6, 0.8])
    bins = np.bincount(np.searchsorted(fifths, part.target.values))
    assert bins.max() - bins.min() <= 3
    assert part.partners == tuple(Unit(unit.text.replace("text", "other")) for unit in part.units)


def test_every_data_set_keeps_enough_for_a_correlation() -> None:
    part = sample(similarity(), 6, False, 0)
    assert part.groups is not None
    assert Counter(part.groups.tolist()) == {"large": 2, "middle": 2, "tiny": 2}
    with pytest.raises(ProbingError, match=r"task\.limit=5 is too small for test .* give at least 6"):
        sample(similarity(), 5, False, 0)


def test_what_cannot_be_done_names_its_key() -> None:
    with pytest.raises(ProbingError, match=r"task\.limit is 0; give at least 1"):
        sample(task(), 0, False, 0)
    with pytest.raises(
        ProbingError, match=r"task\.balance=true needs classes, but task test/scores has scores"
    ):
        sample(similarity(), None, True, 0)
    rare = task({"train": (40, 40, 40, 1), "dev": (5, 5, 5, 0), "test": (5, 5, 5, 0)})
    with pytest.raises(
        ProbingError, match=r"task\.balance=true would cut every class of train to the 1 examples of 'd'"
    ):
        sample(rare, None, True, 0)
    same = similarity(groups=None, target=Scores(np.r_[np.zeros(599), 1.0], (0, 1)))
    with pytest.raises(
        ProbingError, match=r"task\.limit=3 leaves too little: .* all scores of .* are the same"
    ):
        sample(same, 3, False, 0)
