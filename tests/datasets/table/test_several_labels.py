"""A table whose examples have several labels each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from probing.datasets.table import TableTask
from probing.errors import ProbingError
from probing.tasks.target import Labels
from probing.tasks.task import Task

CELLS = ("aware | moved", "moved", "", "aware|moved|sad", "aware")


def frame(n: int = 100) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": [f"text number {row}" for row in range(n)],
            "label": [CELLS[row % len(CELLS)] for row in range(n)],
            "part": ["train" if row % 10 < 5 else "dev" if row % 10 < 8 else "test" for row in range(n)],
        }
    )


def build(data: pd.DataFrame, **options: Any) -> Task:  # noqa: ANN401
    return TableTask(frame=data, label_separator="|", **options).build()


def of(task: Task) -> Labels:
    assert isinstance(task.target, Labels)
    return task.target


def sets(task: Task) -> NDArray[np.bool_]:
    return of(task).values  # noqa: PD011


def test_cells_become_labels_by_the_alphabet_and_an_empty_one_has_none() -> None:
    task = build(frame(), split="part")
    assert of(task).names == ("aware", "moved", "sad")
    rows = [[True, True, False], [False, True, False], [False] * 3, [True] * 3, [True, False, False]]
    assert sets(task)[:5].tolist() == rows
    assert of(task).shown()[:5] == ["aware|moved", "moved", "", "aware|moved|sad", "aware"]
    assert (task.metric, task.selection) == ("micro_f1", "dev")


def test_classes_order_them_and_ignored_ones_go_while_their_examples_stay() -> None:
    task = build(frame(), split="part", classes=("moved", "aware"), ignore=("sad",), metric="exact_match")
    assert of(task).names == ("moved", "aware")
    assert len(task) == 100
    assert sets(task)[3].tolist() == [True, True]


def test_a_file_and_a_frame_are_the_same_task(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "sets.csv", index=False)
    read = TableTask(path=tmp_path / "sets.csv", label_separator="|", split="part", name="x").build()
    assert read.digest == build(frame(), split="part", name="x").digest


def test_another_label_or_name_is_another_digest() -> None:
    data = frame()
    digests = {
        build(data, split="part").digest,
        build(data, split="part", classes=("sad", "moved", "aware")).digest,
    }
    data.loc[7, "label"] = "sad"
    assert build(data, split="part").digest not in digests
    assert len(digests) == 2


def test_words_of_sentences_may_have_several_labels() -> None:
    words = [["the", "dog", "walks"], ["a", "cat", "sees"]] * 12
    tags = [["", "Case=Nom|Number=Sing", "Number=Sing"], ["", "Case=Nom", "Number=Sing"]] * 12
    task = build(pd.DataFrame({"words": words, "label": tags}), tokens="words", selection="nested")
    assert of(task).names == ("Case=Nom", "Number=Sing")
    assert sets(task)[:3].tolist() == [[False, False], [True, True], [False, True]]


def test_made_splits_hold_every_label_and_keep_texts_together() -> None:
    data = pd.concat([frame(200), frame(200)[::7]])
    task = build(data)
    values, split = sets(task), task.split
    texts = [unit.text for unit in task.units]
    assert len({(text, part) for text, part in zip(texts, split.tolist(), strict=True)}) == len(set(texts))
    for part, share in (("train", 0.8), ("dev", 0.1), ("test", 0.1)):
        np.testing.assert_allclose(values[split == part].sum(0) / values.sum(0), share, atol=0.05)


def test_a_rare_label_is_in_train() -> None:
    for seed in range(20):
        data = frame()
        data.loc[[3, 4], "label"] = ["aware|rare", "rare"]
        task = build(data, seed=seed)
        train = sets(task)[task.split == "train"]
        assert train.any(0).all()


@pytest.mark.parametrize(
    ("cells", "options", "message"),
    [
        ({3: "aware||sad"}, {}, r"row 3: '\|' has no label on one side in 'aware\|\|sad'"),
        ({3: "aware|aware"}, {}, "row 3: label 'aware' comes twice"),
        (
            {8: "new"},
            {"split": "part"},
            r"row 8: label 'new' of test is never seen in train.*task.ignore=\[new\]",
        ),
        ({}, {"classes": ("aware", "moved")}, "row 3: label 'sad' is not in task.classes"),
        ({}, {"ignore": ("glad",)}, "task.ignore names 'glad', a label that no row has"),
        ({}, {"ignore": ("aware", "moved", "sad")}, "no example has a label"),
        ({}, {"kind": "scores"}, "task.kind contradicts it"),
        ({}, {"low": 0.0}, "task.low contradicts it"),
        ({}, {"metric": "accuracy"}, "use micro_f1, macro_f1, exact_match"),
    ],
)
def test_what_is_wrong_is_said(cells: dict[int, str], options: dict[str, Any], message: str) -> None:
    data = frame()
    for row, cell in cells.items():
        data.loc[row, "label"] = cell
    with pytest.raises(ProbingError, match=message):
        build(data, **options)


def test_an_empty_separator_is_refused() -> None:
    with pytest.raises(ProbingError, match="label_separator is empty"):
        TableTask(frame=frame(), label_separator="")
