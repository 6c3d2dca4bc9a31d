"""Control labels belong to types, follow the task's distribution and can be told by memory alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest

from probing.errors import ProbingError
from probing.tasks.control import control_task, permuted_task
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task, Unit

WORDS = [f"word{number}" for number in range(200)]


def word_task(n: int = 3000, seed: int = 0) -> Task:
    """Words in sentences; three classes in unequal shares."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(WORDS), n)
    texts = [
        f"The {WORDS[word]} again" if row % 2 else f"{WORDS[word].upper()} goes"
        for row, word in enumerate(chosen)
    ]
    spans = [
        (4, 4 + len(WORDS[word])) if row % 2 else (0, len(WORDS[word])) for row, word in enumerate(chosen)
    ]
    return Task(
        name="test/words",
        units=tuple(Unit(text, span) for text, span in zip(texts, spans, strict=True)),
        target=Classes(rng.choice(3, n, p=[0.6, 0.3, 0.1]), ("a", "b", "c")),
        split=np.array(["train", "train", "dev", "test"])[np.arange(n) % 4],
    )


def labels(task: Task) -> list[int]:
    assert isinstance(task.target, Classes)
    found: list[int] = task.target.labels.tolist()
    return found


def test_a_word_has_one_label_wherever_it_occurs() -> None:
    task = control_task(word_task())
    found = defaultdict(set)
    for unit, label in zip(task.units, labels(task), strict=True):
        assert unit.span is not None
        found[unit.text[slice(*unit.span)].lower()].add(label)
    assert len(found) > 150
    assert all(len(of_word) == 1 for of_word in found.values())


def test_labels_are_drawn_from_the_distribution_of_train() -> None:
    shares = np.zeros(3)
    for draw in range(20):
        task = control_task(word_task(), draw=draw)
        shares += np.bincount(labels(task), minlength=3) / len(task) / 20
    assert np.abs(shares - [0.6, 0.3, 0.1]).max() < 0.05


def test_labels_have_nothing_to_do_with_those_of_the_task() -> None:
    task = word_task()
    agreement = np.mean(np.array(labels(control_task(task))) == labels(task))
    chance = 0.6**2 + 0.3**2 + 0.1**2
    assert abs(agreement - chance) < 0.08
    assert labels(control_task(task)) == labels(control_task(task))
    assert labels(control_task(task, draw=1)) != labels(control_task(task))


def test_everything_but_the_labels_stays() -> None:
    task = word_task()
    for other in (control_task(task), permuted_task(task)):
        assert (other.units, other.name, other.metric) == (task.units, task.name, task.metric)
        assert (other.split == task.split).all()


def test_no_split_has_a_label_that_train_lacks() -> None:
    rng = np.random.default_rng(1)
    task = Task(
        name="test/rare",
        units=tuple(Unit(f"text {rng.integers(10**6)} w{row}") for row in range(400)),
        target=Classes(np.arange(400) % 50, tuple(map(str, range(50)))),
        split=np.array(["train"] * 200 + ["dev"] * 100 + ["test"] * 100),
    )
    for draw in range(5):
        made = control_task(task, draw=draw)
        known = {labels(made)[row] for row in made.rows("train")}
        assert {labels(made)[row] for row in made.rows("test")} <= known


def test_texts_go_by_their_last_word_or_as_a_whole() -> None:
    texts = ["Old dogs see cats.", "Farmers sold the cats", "Cats see old dogs!", "The river"] * 30
    task = Task(
        name="test/texts",
        units=tuple(Unit(f"{text}" if row % 3 else f"Now {text}") for row, text in enumerate(texts)),
        target=Classes(np.arange(120) % 2, ("a", "b")),
        split=np.array(["train"] * 60 + ["dev"] * 30 + ["test"] * 30),
    )
    last = control_task(task, draw=1)
    found = defaultdict(set)
    for unit, label in zip(last.units, labels(last), strict=True):
        found[unit.text.lower().rstrip(".!").split()[-1]].add(label)
    assert {word: len(of_word) for word, of_word in found.items()} == {"cats": 1, "dogs": 1, "river": 1}
    whole = control_task(task, "text", draw=1)
    assert len({(unit.text, label) for unit, label in zip(whole.units, labels(whole), strict=True)}) == len(
        {unit.text for unit in whole.units}
    )
    with pytest.raises(ProbingError, match="units of task test/texts are not words; use last or text"):
        control_task(task, "word")


def test_pairs_of_words_go_by_both() -> None:
    task = word_task(400)
    pairs = replace(task, partners=task.units[::-1])
    made = control_task(pairs)
    assert made.partners is not None
    found = defaultdict(set)
    for first, second, label in zip(made.units, made.partners, labels(made), strict=True):
        assert first.span is not None
        assert second.span is not None
        found[first.text[slice(*first.span)].lower(), second.text[slice(*second.span)].lower()].add(label)
    assert all(len(of_pair) == 1 for of_pair in found.values())


def test_permuted_labels_are_those_of_each_split_in_another_order() -> None:
    task = word_task()
    made = permuted_task(task, draw=2, seed=5)
    for split in ("train", "dev", "test"):
        rows = task.rows(split)
        assert Counter(np.array(labels(made))[rows]) == Counter(np.array(labels(task))[rows])
    assert labels(made) != labels(task)
    assert labels(permuted_task(task, 2, 5)) == labels(made)
    assert labels(permuted_task(task, 3, 5)) != labels(made)


def test_scores_are_drawn_and_shuffled_too() -> None:
    rng = np.random.default_rng(0)
    task = Task(
        name="test/scores",
        units=tuple(Unit(f"text {word}") for word in rng.choice(WORDS, 300)),
        target=Scores(rng.uniform(0, 5, 300), (0, 1, 2, 3, 4, 5)),
        split=np.array(["train"] * 200 + ["dev"] * 50 + ["test"] * 50),
        metric="pearson",
        groups=np.array(["news", "forum"])[np.arange(300) % 2],
    )
    made = permuted_task(task)
    assert isinstance(made.target, Scores)
    assert isinstance(task.target, Scores)
    for group in ("news", "forum"):
        rows = np.flatnonzero((task.groups == group) & (task.split == "test"))
        assert sorted(made.target.values[rows]) == sorted(task.target.values[rows])
    control = control_task(task)
    assert isinstance(control.target, Scores)
    assert set(control.target.values) <= set(task.target.values[task.rows("train")])
