"""SentEval's files of single sentences: its order, its counts, and errors that name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from probing.datasets.senteval import ProbingTask, SentenceTask
from probing.errors import ProbingError
from probing.tasks.target import Classes
from probing.tasks.task import Task

PROBING = [
    "tr\tPAST\tThe dogs barked at the old cat .",
    "tr\tPRES\tDogs bark .",
    "tr\tPAST\tIt ended .",
    "tr\tPRES\tSo it goes .",
    "va\tPRES\tShe sings .",
    "va\tPAST\tShe sang .",
    "te\tPAST\tHe left\u2028early .",
    "te\tPRES\tHe leaves .",
]


def write(
    root: Path, lines: list[str], name: str = "probing/past_present.txt", encoding: str = "utf-8"
) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("\n".join(lines).encode(encoding))
    return path


def tense(root: Path) -> ProbingTask:
    return ProbingTask("senteval/tense", "probing/past_present.txt", root)


def test_a_probing_file_is_read_in_sentevals_order(tmp_path: Path) -> None:
    write(tmp_path, PROBING)
    task = tense(tmp_path).build()
    assert names(task) == ("PAST", "PRES")
    assert task.split.tolist() == ["train"] * 4 + ["dev"] * 2 + ["test"] * 2
    assert [unit.text for unit in task.units[:4]] == [
        "It ended .",  # three tokens, class 0 before class 1
        "Dogs bark .",
        "So it goes .",
        "The dogs barked at the old cat .",
    ]
    assert task.target.shown() == ["PAST", "PRES", "PRES", "PAST", "PAST", "PRES", "PRES", "PAST"]
    assert task.units[7].text == "He left early ."
    assert task.selection == "dev"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tr PAST no tabs", "line 3: expected tr, va or te, a label and a sentence"),
        ("xx\tPAST\tA sentence .", "line 3: expected tr, va or te"),
        ("tr\tPAST\t ", "line 3: expected tr, va or te|line 3: the sentence is empty"),
        ("te\tFUTURE\tIt will .", "line 3: label 'FUTURE' is never seen in train"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path, [*PROBING[:2], line, *PROBING[2:]])
    with pytest.raises(ProbingError, match=message):
        tense(tmp_path).build()


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match=r"past_present.txt: no such file .* task.root must be SentEval's"):
        tense(tmp_path).build()
    write(tmp_path, [" "])
    with pytest.raises(ProbingError, match="the file is empty"):
        tense(tmp_path).build()
    (tmp_path / "probing/past_present.txt").write_bytes("tr\tPAST\tDéjà vu .".encode("latin-1"))
    with pytest.raises(ProbingError, match="line 1: not utf-8 text"):
        tense(tmp_path).build()
    write(tmp_path, [line for line in PROBING if "PAST" in line])
    with pytest.raises(ProbingError, match="only one class"):
        tense(tmp_path).build()
    write(tmp_path, [line for line in PROBING if not line.startswith("va")])
    with pytest.raises(ProbingError, match="no dev examples"):
        tense(tmp_path).build()


def test_trec_errors(tmp_path: Path) -> None:
    lines = ["NUM:dist How far ?", "LOC:city Where ?"] * 5
    write(tmp_path, [*lines, "WHAT:x Which ?"], "downstream/TREC/train_5500.label")
    write(tmp_path, lines, "downstream/TREC/TREC_10.label")
    with pytest.raises(ProbingError, match=r"train_5500.label, line 11: expected one of ABBR"):
        SentenceTask("senteval/trec", "trec", tmp_path).build()
    write(tmp_path, lines[:6], "downstream/TREC/train_5500.label")
    with pytest.raises(ProbingError, match="3 train examples, fewer than the 5 that the folds need"):
        SentenceTask("senteval/trec", "trec", tmp_path).build()
    with pytest.raises(ProbingError, match=r"task\.folds is 1"):
        SentenceTask("senteval/trec", "trec", tmp_path, folds=1).build()


def names(task: Task) -> tuple[str, ...]:
    assert isinstance(task.target, Classes)
    return task.target.names


def test_trec_as_published(shared: Path) -> None:
    task = SentenceTask("senteval/trec", "trec", shared / "data" / "senteval").build()
    assert len(task.rows("train")) == 5452
    assert len(task.rows("test")) == 500
    assert task.selection == "kfold"
    assert names(task) == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
    lengths = [len(task.units[row].text.split()) for row in task.rows("train")]
    assert lengths == sorted(lengths)


@pytest.mark.parametrize(
    ("name", "kind", "sizes", "n_classes"),
    [("sst2", "binary", [6920, 872, 1821], 2), ("sst5", "fine", [8544, 1101, 2210], 5)],
)
def test_sst_as_published(
    shared: Path, name: str, kind: Literal["binary", "fine"], sizes: list[int], n_classes: int
) -> None:
    task = SentenceTask(f"senteval/{name}", "sst", shared / "data" / "senteval", kind).build()
    assert [len(task.rows(split)) for split in ("train", "dev", "test")] == sizes
    assert len(names(task)) == n_classes
    said = {unit.text: label for unit, label in zip(task.units, task.target.shown(), strict=True)}
    assert said["one long string of cliches ."] == "negative"
    assert said["gangs of new york is an unapologetic mess , whose only saving grace is that it ends by "
                "blowing just about everything up ."].endswith("negative")  # fmt: skip


def test_sst_takes_its_label_from_the_right_end(tmp_path: Path) -> None:
    for split in ("train", "dev", "test"):
        write(tmp_path, ["0 1 of 4 stars\r", "4 so  good"] * 3, f"downstream/SST/fine/sentiment-{split}")
        write(tmp_path, ["so  good \t1\r", "0 stars\t0"] * 3, f"downstream/SST/binary/sentiment-{split}")
    fine = SentenceTask("senteval/sst5", "sst", tmp_path, "fine").build()
    assert (fine.units[0].text, fine.target.shown()[0]) == ("so good", "very positive")
    assert (fine.units[3].text, fine.target.shown()[3]) == ("1 of 4 stars", "very negative")
    binary = SentenceTask("senteval/sst2", "sst", tmp_path, "binary").build()
    assert [unit.text for unit in binary.units[:6]] == ["0 stars"] * 3 + ["so good"] * 3
    assert binary.target.shown()[:6] == ["negative"] * 3 + ["positive"] * 3


@pytest.mark.parametrize(
    ("kind", "line", "message"),
    [
        ("binary", "no label", "line 2: expected a sentence, a tab and 0 or 1"),
        ("binary", "three\t2", "line 2: the label is '2'; expected one of 0, 1"),
        ("fine", "5 stars", "line 2: the label is '5'; expected one of 0, 1, 2, 3, 4"),
        ("fine", "alone", "line 2: expected a number from 0 to 4 and a sentence"),
    ],
)
def test_sst_errors(tmp_path: Path, kind: Literal["binary", "fine"], line: str, message: str) -> None:
    good = "fine\t1" if kind == "binary" else "1 fine"
    for split in ("train", "dev", "test"):
        write(tmp_path, [good, line], f"downstream/SST/{kind}/sentiment-{split}")
    with pytest.raises(ProbingError, match=message):
        SentenceTask("senteval/sst", "sst", tmp_path, kind).build()


def test_only_sst_has_kinds() -> None:
    with pytest.raises(ProbingError, match=r"task.kind is fine for task.data=trec; leave it out"):
        SentenceTask("senteval/trec", "trec", kind="fine")
    with pytest.raises(
        ProbingError, match=r"task.kind is not set for task.data=sst; give task.kind=binary or"
    ):
        SentenceTask("senteval/sst2", "sst")


def test_two_files_are_two_classes_in_sentevals_order(tmp_path: Path) -> None:
    write(tmp_path, ["good  film", "a", "d\xe9j\xe0 vu", ""] * 2, "downstream/MR/rt-polarity.pos", "latin-1")
    write(tmp_path, ["bad film\r", "b\x85b", "c"] * 2, "downstream/MR/rt-polarity.neg", "latin-1")
    task = SentenceTask("senteval/mr", "mr", tmp_path, folds=2).build()
    assert [unit.text for unit in task.units] == [
        ".",  # an empty line, in front of sentences of one token
        *["c", "c", "a", "a"],  # one token: negative, then positive, each in the order of its file
        *["bad film", "b b", "bad film", "b b"],
        *["good film", "d\xe9j\xe0 vu", "good film", "d\xe9j\xe0 vu"],
    ]
    assert task.target.shown() == [
        *["positive", *["negative"] * 2, *["positive"] * 2],
        *[*["negative"] * 4, *["positive"] * 4],
    ]
    assert (task.selection, task.folds, set(task.split.tolist())) == ("nested", 2, {"train"})


def test_of_subj_the_objective_side_is_sentevals_positive_one(tmp_path: Path) -> None:
    write(tmp_path, ["i love it"] * 7, "downstream/SUBJ/subj.subjective")
    write(tmp_path, ["he is a spy"] * 7, "downstream/SUBJ/subj.objective")
    task = SentenceTask("senteval/subj", "subj", tmp_path).build()
    assert names(task) == ("subjective", "objective")
    assert (task.units[0].text, task.target.shown()[0]) == ("i love it", "subjective")


def test_two_file_errors(tmp_path: Path) -> None:
    write(tmp_path, ["good"] * 5, "downstream/CR/custrev.pos")
    with pytest.raises(ProbingError, match=r"custrev.neg: no such file .* leave task.root out to have the"):
        SentenceTask("senteval/cr", "cr", tmp_path).build()
    write(tmp_path, ["bad"] * 4, "downstream/CR/custrev.neg")
    with pytest.raises(ProbingError, match="'negative' has 4 train examples, fewer than the 7"):
        SentenceTask("senteval/cr", "cr", tmp_path).build()
    with pytest.raises(ProbingError, match=r"task\.folds is 0"):
        SentenceTask("senteval/cr", "cr", tmp_path, folds=0).build()
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"custrev.pos", "custrev.neg"}
