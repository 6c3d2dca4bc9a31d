"""Words and spans: offsets that cut the word out of its text, from every way to write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from probing.datasets.table import TableTask
from probing.errors import ProbingError
from probing.tasks.task import Task, Unit

SENTENCES = [(["Dogs", "do", "n't", "bark", f"#{number}"], ["N", "A", "P", "V", "N"]) for number in range(30)]


def words(task: Task) -> list[str]:
    return [unit.text[slice(*unit.span)] for unit in task.units if unit.span]


def listed() -> pd.DataFrame:
    return pd.DataFrame({"tokens": [list(w) for w, _ in SENTENCES], "tags": [list(t) for _, t in SENTENCES]})


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        [(at, w, t) for at, s in enumerate(SENTENCES) for w, t in zip(*s, strict=True)],
        columns=["sentence", "form", "tags"],
    )


def spans() -> pd.DataFrame:
    found = []
    for of_words, tags in SENTENCES:
        text, start = " ".join(of_words), 0
        for word, tag in zip(of_words, tags, strict=True):
            found.append((text, start, start + len(word), tag))
            start += len(word) + 1
    return pd.DataFrame(found, columns=["text", "from", "to", "tags"])


def test_lists_rows_and_offsets_say_the_same(tmp_path: Path) -> None:
    rows().to_csv(tmp_path / "rows.tsv", sep="\t", index=False)
    rows().to_csv(tmp_path / "rows.csv", index=False)
    spans().to_csv(tmp_path / "spans.csv", index=False)
    listed().to_parquet(tmp_path / "lists.parquet")
    listed().to_json(tmp_path / "lists.jsonl", orient="records", lines=True)
    by_list: dict[str, Any] = {"tokens": "tokens", "label": "tags"}
    by_row: dict[str, Any] = {"word": "form", "sentence": "sentence", "label": "tags"}
    by_span: dict[str, Any] = {"start": "from", "end": "to", "label": "tags"}
    tasks = [
        TableTask(frame=listed(), **by_list).build(),
        TableTask(path=tmp_path / "lists.parquet", **by_list).build(),
        TableTask(path=tmp_path / "lists.jsonl", **by_list).build(),
        TableTask(frame=pd.read_parquet(tmp_path / "lists.parquet"), **by_list).build(),
        TableTask(frame=rows(), **by_row).build(),
        TableTask(path=tmp_path / "rows.tsv", **by_row).build(),
        TableTask(path=tmp_path / "rows.csv", **by_row).build(),
        TableTask(frame=spans(), **by_span).build(),
        TableTask(path=tmp_path / "spans.csv", **by_span).build(),
    ]
    assert words(tasks[0]) == [word for of_words, _ in SENTENCES for word in of_words]
    assert tasks[0].target.shown() == [tag for _, tags in SENTENCES for tag in tags]
    for task in tasks[1:]:
        assert task.units == tasks[0].units
        assert task.target.shown() == tasks[0].target.shown()
        assert task.split.tolist() == tasks[0].split.tolist()


def test_no_sentence_is_in_two_splits() -> None:
    task = TableTask(frame=listed(), tokens="tokens", label="tags").build()
    split_of: dict[str, set[str]] = {}
    for unit, split in zip(task.units, task.split.tolist(), strict=True):
        split_of.setdefault(unit.text, set()).add(split)
    assert len(split_of) == 30
    assert all(len(splits) == 1 for splits in split_of.values())
    assert set.union(*split_of.values()) == {"train", "dev", "test"}


def test_words_whose_label_is_left_out_stay_in_their_sentence() -> None:
    task = TableTask(frame=listed(), tokens="tokens", label="tags", ignore=("P", "A")).build()
    assert set(words(task)) == {"Dogs", "bark", *(f"#{number}" for number in range(30))}
    assert task.units[0].text == "Dogs do n't bark #0"


def test_labels_may_be_numbers_of_numpy() -> None:
    numbers: list[Any] = [[np.int64(len(word)) for word in words_] for words_, _ in SENTENCES]
    frame = listed().assign(tags=numbers)
    task = TableTask(frame=frame, tokens="tokens", label="tags").build()
    assert task.target.shown() == [str(len(word)) for word in words(task)]


def test_pairs_of_spans_in_one_text_and_in_two() -> None:
    frame = spans().assign(first=0, last=4)
    one = TableTask(
        frame=frame, start="from", end="to", second_start="first", second_end="last", label="tags"
    ).build()
    assert one.partners is not None
    assert one.partners[7] == Unit("Dogs do n't bark #1", (0, 4))
    assert one.units[7] == Unit("Dogs do n't bark #1", (8, 11))
    two = TableTask(
        frame=frame.assign(other="A dog"),
        second="other",
        start="from",
        end="to",
        second_start="first",
        second_end="last",
        label="tags",
    ).build()
    assert two.partners is not None
    assert two.partners[7] == Unit("A dog", (0, 4))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"from": 30}, r"the frame, row 3: span 30 to 11 is not inside its text of 19 characters"),
        ({"to": 99}, r"the frame, row 3: span 8 to 99 is not inside"),
        ({"from": -1}, r"span -1 to 11"),
        ({"to": 9.5}, r"row 3: column 'to' is 9.5; give a whole number"),
        ({"from": None}, r"row 3: column 'from' is None; give a whole number"),
        ({"from": "nan"}, r"row 3: column 'from' is 'nan'; give a whole number"),
        ({"to": float("inf")}, r"row 3: column 'to' is inf; give a whole number"),
        ({"from": 10}, r"row 3: span 10 to 11 is blank; fix its offsets"),
    ],
)
def test_a_span_outside_its_text_is_named(change: dict[str, Any], message: str) -> None:
    frame = spans().astype({"from": object, "to": object})
    ((column, value),) = change.items()
    frame.loc[3, column] = value
    frame.loc[3, "text"] = "Dogs do n'  bark #0"
    if column == "to":
        frame.loc[3, "from"] = 8
    else:
        frame.loc[3, "to"] = 11
    with pytest.raises(ProbingError, match=message):
        TableTask(frame=frame, start="from", end="to", label="tags").build()


def test_lists_of_unequal_length_are_named(tmp_path: Path) -> None:
    lines = ['{"tokens": ["a", "b"], "tags": ["N", "V"]}', '{"tokens": ["a", "b"], "tags": ["N"]}']
    (tmp_path / "data.jsonl").write_text("\n\n".join(lines))
    with pytest.raises(ProbingError, match=r"data.jsonl, line 3: 2 tokens but 1 labels"):
        TableTask(path=tmp_path / "data.jsonl", tokens="tokens", label="tags").build()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tokens": "form"}, "row 0: column 'form' is not a list"),
        ({"word": "form"}, r"task\.word and task\.sentence belong together"),
        ({"start": "form"}, r"task\.start and task\.end belong together"),
        ({"tokens": "form", "second": "form"}, r"task\.tokens and task\.second contradict"),
        ({"second_start": "form", "second_end": "form"}, r"needs a first span; give task\.start"),
        ({"pair": "joint"}, r"task\.pair=joint needs task\.second"),
    ],
)
def test_columns_that_do_not_go_together(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        TableTask(frame=rows(), label="tags", **settings).build()


def test_a_sentence_in_two_splits_and_a_word_without_one() -> None:
    by_row: dict[str, Any] = {"word": "form", "sentence": "sentence", "label": "tags"}
    parted = rows().assign(part=["train"] * 52 + ["test"] * 98)
    with pytest.raises(ProbingError, match=r"row 52: sentence 10 also has words in train"):
        TableTask(frame=parted, split="part", **by_row).build()
    lost = rows().astype({"sentence": object})
    lost.loc[7, "sentence"] = None
    with pytest.raises(ProbingError, match=r"row 7: column 'sentence' is empty"):
        TableTask(frame=lost, **by_row).build()
    odd: list[Any] = [[1, 2] if row == 7 else 0 for row in range(len(lost))]
    lost = lost.assign(sentence=odd)
    with pytest.raises(ProbingError, match=r"row 7: column 'sentence' holds a list"):
        TableTask(frame=lost, **by_row).build()
