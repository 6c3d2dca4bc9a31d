"""SentEval's files: read in its order, with its counts, and with errors that name the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from probing.errors import ProbingError
from probing.tasks.senteval import SentEvalProbing, Trec

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


def tense(root: Path) -> SentEvalProbing:
    return SentEvalProbing("senteval/tense", root, "probing/past_present.txt")


def test_a_probing_file_is_read_in_sentevals_order(tmp_path: Path) -> None:
    write(tmp_path, PROBING)
    task = tense(tmp_path).build()
    assert task.classes == ("PAST", "PRES")
    assert task.split.tolist() == ["train"] * 4 + ["dev"] * 2 + ["test"] * 2
    assert [unit.text for unit in task.units[:4]] == [
        "It ended .",  # three tokens, class 0 before class 1
        "Dogs bark .",
        "So it goes .",
        "The dogs barked at the old cat .",
    ]
    assert task.labels.tolist() == [0, 1, 1, 0, 0, 1, 1, 0]
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
    with pytest.raises(ProbingError, match="one class only"):
        tense(tmp_path).build()
    write(tmp_path, [line for line in PROBING if not line.startswith("va")])
    with pytest.raises(ProbingError, match="no dev examples"):
        tense(tmp_path).build()


def test_trec_errors(tmp_path: Path) -> None:
    lines = ["NUM:dist How far ?", "LOC:city Where ?"] * 5
    write(tmp_path, [*lines, "WHAT:x Which ?"], "downstream/TREC/train_5500.label")
    write(tmp_path, lines, "downstream/TREC/TREC_10.label")
    with pytest.raises(ProbingError, match=r"train_5500.label, line 11: expected one of ABBR"):
        Trec("senteval/trec", tmp_path).build()
    write(tmp_path, lines[:6], "downstream/TREC/train_5500.label")
    with pytest.raises(ProbingError, match="3 train examples, fewer than the 5 folds"):
        Trec("senteval/trec", tmp_path).build()
    with pytest.raises(ProbingError, match=r"task\.folds is 1"):
        Trec("senteval/trec", tmp_path, folds=1)


def test_trec_as_published(shared: Path) -> None:
    task = Trec("senteval/trec", shared / "data" / "senteval").build()
    assert len(task.rows("train")) == 5452
    assert len(task.rows("test")) == 500
    assert task.selection == "kfold"
    assert task.classes == ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
    lengths = [len(task.units[row].text.split()) for row in task.rows("train")]
    assert lengths == sorted(lengths)
