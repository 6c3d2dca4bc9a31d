"""SentEval's files of sentence pairs: its order, its counts, its features, and errors that name the line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from probing.datasets.senteval import PairTask, SimilarityTask
from probing.datasets.senteval.published import STS_SETS
from probing.errors import ProbingError
from probing.tasks.target import Classes, Scores
from probing.tasks.task import SPLITS, Task

SICK = ("SICK_train", "SICK_trial", "SICK_test_annotated")
HEADER = "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment"


def write(root: Path, name: str, lines: list[str], end: str = "\n", encoding: str = "utf-8") -> None:
    path = root / "downstream" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode(encoding))


def pairs(task: Task) -> list[tuple[str, str]]:
    assert task.partners is not None
    return [(one.text, two.text) for one, two in zip(task.units, task.partners, strict=True)]


def as_senteval_sorts(
    path: Path, one: int, two: int, answer: int, header: bool
) -> list[tuple[str, str, str]]:
    """The rows of a file, read and sorted by SentEval's own rules: by both lengths, then the answer."""
    lines = path.read_text(encoding="utf-8").split("\n")[int(header) : -1]
    read = [line.strip().split("\t") for line in lines]
    triples = [(fields[one].split(), fields[two].split(), fields[answer]) for fields in read]
    ordered = sorted(triples, key=lambda z: (len(z[0]), len(z[1]), float(z[2])))
    return [(" ".join(first), " ".join(second), label) for first, second, label in ordered]


def test_mrpc_as_published(shared: Path) -> None:
    root = shared / "data" / "senteval"
    task = PairTask("senteval/mrpc", "mrpc", root).build()
    assert [len(task.rows(split)) for split in SPLITS] == [4076, 0, 1725]
    assert (task.selection, task.features, task.metric) == ("kfold", "compare", "accuracy")
    assert task.licence == "Microsoft Shared Source License"
    expected = []
    for split in ("train", "test"):
        path = root / "downstream" / "MRPC" / f"msr_paraphrase_{split}.txt"
        expected += as_senteval_sorts(path, 3, 4, 0, header=True)
    assert pairs(task) == [(first, second) for first, second, _ in expected]
    assert isinstance(task.target, Classes)
    assert task.target.labels.tolist() == [int(label) for *_, label in expected]
    assert task.target.names == ("different", "paraphrase")


def test_sick_as_published(shared: Path) -> None:
    root = shared / "data" / "senteval"
    entailment = PairTask("senteval/sick_e", "sick_e", root).build()
    relatedness = PairTask("senteval/sick_r", "sick_r", root).build()
    assert [len(entailment.rows(split)) for split in SPLITS] == [4500, 500, 4927]
    assert [len(relatedness.rows(split)) for split in SPLITS] == [4500, 500, 4927]
    assert (entailment.features, relatedness.features) == ("compare", "compare")
    assert entailment.licence == relatedness.licence == "CC BY-NC-SA 3.0"
    expected = []
    for name in SICK:
        expected += as_senteval_sorts(root / "downstream" / "SICK" / f"{name}.txt", 1, 2, 3, header=True)
    assert pairs(relatedness) == [(first, second) for first, second, _ in expected]
    assert isinstance(relatedness.target, Scores)
    assert relatedness.target.values.tolist() == [float(score) for *_, score in expected]
    assert relatedness.target.anchors == (1, 2, 3, 4, 5)
    assert sorted(pairs(entailment)) == sorted(pairs(relatedness))
    assert isinstance(entailment.target, Classes)
    assert entailment.target.names == ("CONTRADICTION", "NEUTRAL", "ENTAILMENT")
    # the share of each class in train that the corpus' authors give for all of SICK: 14, 57 and 29 %
    shares = np.bincount(entailment.target.labels) / len(entailment)
    assert np.allclose(shares, [0.14, 0.57, 0.29], atol=0.01)


def test_the_sts_benchmark_as_published(shared: Path) -> None:
    root = shared / "data" / "senteval"
    task = PairTask("senteval/stsb", "stsb", root).build()
    assert [len(task.rows(split)) for split in SPLITS] == [5749, 1500, 1379]
    assert (task.features, task.metric, task.selection) == ("compare", "pearson", "dev")
    expected = []
    for split in SPLITS:
        path = root / "downstream" / "STS" / "STSBenchmark" / f"sts-{split}.csv"
        expected += as_senteval_sorts(path, 5, 6, 4, header=False)
    assert pairs(task) == [(first, second) for first, second, _ in expected]
    assert isinstance(task.target, Scores)
    assert task.target.values.tolist() == [float(score) for *_, score in expected]
    assert task.target.anchors == (0, 1, 2, 3, 4, 5)


def test_mrpc_with_byte_order_mark_windows_line_ends_and_quotes(tmp_path: Path) -> None:
    lines = [
        "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
        '1\t1\t2\t"Yes," he said\tHe said "yes',
        "0\t3\t4\tHe's 'here\t\"",
        "1\t5\t6\tOne\tTwo",
        "0\t5\t6\tOne\tTwo",
    ]
    for split in ("train", "test"):
        write(tmp_path, f"MRPC/msr_paraphrase_{split}.txt", lines, end="\r\n")
    task = PairTask("senteval/mrpc", "mrpc", tmp_path, folds=2).build()
    assert pairs(task)[:4] == [
        ("One", "Two"),
        ("One", "Two"),
        ("He's 'here", '"'),
        ('"Yes," he said', 'He said "yes'),
    ]
    assert task.target.shown()[:4] == ["different", "paraphrase", "different", "paraphrase"]


def test_a_joint_pair_is_one_unit(tmp_path: Path) -> None:
    lines = [HEADER, "1\tA dog\tA cat\t1.5\tNEUTRAL", "2\tA man\tNo man\t4.25\tCONTRADICTION"]
    for name in SICK:
        write(tmp_path, f"SICK/{name}.txt", lines)
    task = PairTask("senteval/sick_e", "sick_e", tmp_path, pair="joint")
    with pytest.raises(ProbingError, match="2 train examples for 2 classes"):
        task.build()
    for name in SICK:
        write(tmp_path, f"SICK/{name}.txt", lines + lines[1:])
    built = task.build()
    assert built.partners is None
    assert [(unit.text, unit.second) for unit in built.units[:2]] == [("A man", "No man")] * 2
    related = PairTask("senteval/sick_r", "sick_r", tmp_path, pair="vectors").build()
    assert len(pairs(related)) == len(related)
    assert [unit.second for unit in related.units] == [None] * len(related)


SNLI = {
    "s1": ["Un café", "A man sleeps", "A dog runs", "A man sleeps"],
    "s2": ["It is open now", "He sleeps", "No dog", "He works"],
    "labels": ["neutral", "entailment", "contradiction", "contradiction"],
}


def write_snli(root: Path, **changed: list[str]) -> None:
    for split in SPLITS:
        for kind, lines in (SNLI | changed).items():
            write(root, f"SNLI/{kind}.{split}", lines * 2)


def test_snli_is_sorted_by_its_second_sentences(tmp_path: Path) -> None:
    write_snli(tmp_path)
    task = PairTask("senteval/snli", "snli", tmp_path).build()
    assert pairs(task)[:8] == [
        # by tokens of the second, then of the first, then by the name of the label, then as in the file
        *[("A dog runs", "No dog"), ("A man sleeps", "He works")] * 2,
        *[("A man sleeps", "He sleeps")] * 2,
        *[("Un café", "It is open now")] * 2,
    ]
    assert isinstance(task.target, Classes)
    assert task.target.names == ("entailment", "neutral", "contradiction")
    assert task.target.labels[:8].tolist() == [2, 2, 2, 2, 0, 0, 1, 1]
    assert (task.features, task.selection, task.licence) == ("all", "dev", "CC BY-SA 4.0")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"s2": SNLI["s2"][1:]}, "s1.train has 8, s2.train has 6, labels.train has 8 lines"),
        (
            {"labels": ["-", *SNLI["labels"][1:]]},
            "labels.train, line 1: the label is '-'; expected one of entail",
        ),
    ],
)
def test_snli_errors(tmp_path: Path, changed: dict[str, list[str]], message: str) -> None:
    write_snli(tmp_path, **changed)
    with pytest.raises(ProbingError, match=message):
        PairTask("senteval/snli", "snli", tmp_path).build()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\tA dog\tA cat\tfive\tNEUTRAL", "line 2: the score is 'five', which is not a number"),
        ("1\tA dog\tA cat\t0.9\tNEUTRAL", "line 2: the score is 0.9, outside 1 to 5"),
        ("1\tA dog\tA cat\t5.001\tNEUTRAL", "line 2: the score is 5.001, outside 1 to 5"),
        ("1\tA dog\tA cat\tnan\tNEUTRAL", "line 2: the score is nan, outside 1 to 5"),
        ("1\tA dog\tA cat\t3", "line 2: expected id, two sentences, relatedness and entailment"),
    ],
)
def test_a_bad_line_of_sick_is_named(tmp_path: Path, line: str, message: str) -> None:
    for name in SICK:
        write(tmp_path, f"SICK/{name}.txt", [HEADER, line])
    with pytest.raises(ProbingError, match=f"SICK_train.txt, {message}"):
        PairTask("senteval/sick_r", "sick_r", tmp_path).build()


def test_files_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    for name in SICK:
        write(tmp_path, f"SICK/{name}.txt", [HEADER, "1\tA dog\tA cat\t3\tMAYBE"])
    with pytest.raises(ProbingError, match="line 2: the label is 'MAYBE'; expected one of CONTRADICTION"):
        PairTask("senteval/sick_e", "sick_e", tmp_path).build()
    write(tmp_path, "SICK/SICK_train.txt", ["1\tA dog\tA cat\t3\tNEUTRAL"])
    with pytest.raises(ProbingError, match="line 1: expected a header that starts with pair_ID; put it back"):
        PairTask("senteval/sick_e", "sick_e", tmp_path).build()
    write(tmp_path, "SICK/SICK_train.txt", [HEADER, "1\tUn café\tA cat\t3\tNEUTRAL"], encoding="latin-1")
    with pytest.raises(ProbingError, match="line 2: not utf-8 text; convert the file"):
        PairTask("senteval/sick_e", "sick_e", tmp_path).build()
    write(tmp_path, "STS/STSBenchmark/sts-train.csv", ["main,stsb,2017,1,5.0,A dog,A cat"])
    with pytest.raises(ProbingError, match="line 1: expected genre, file, year, id, score and two sentences"):
        PairTask("senteval/stsb", "stsb", tmp_path).build()
    write(tmp_path, "MRPC/msr_paraphrase_train.txt", ["Quality\tx", "2\t1\t1\ta\tb"])
    with pytest.raises(ProbingError, match="line 2: the label is '2'; expected one of 0, 1"):
        PairTask("senteval/mrpc", "mrpc", tmp_path).build()
    write(tmp_path, "MRPC/msr_paraphrase_train.txt", ["Quality\tx", "\t1\t1\ta\tb"])
    with pytest.raises(ProbingError, match="line 2: the label is ''; expected one of 0, 1"):
        PairTask("senteval/mrpc", "mrpc", tmp_path).build()
    with pytest.raises(ProbingError, match=r"task\.folds=5 does not apply: senteval/snli has a dev split"):
        PairTask("senteval/snli", "snli", tmp_path, folds=5).build()


def write_sts(root: Path, data: str, sentences: list[str], gold: list[str], end: str = "\n") -> None:
    write(root, f"STS/STS16-en-test/STS.input.{data}.txt", sentences, end)
    write(root, f"STS/STS16-en-test/STS.gs.{data}.txt", gold, end)


def test_similarity_sets_stay_apart_and_rows_without_a_score_are_skipped(tmp_path: Path) -> None:
    write_sts(
        tmp_path, "headlines", ["a b\tc", "not\tscored", "a\tb\textra\tcolumns", "a\tb"], ["3", "", "5", "0"]
    )
    write_sts(tmp_path, "plagiarism", ["a\tb", "c\td", "e\tf"], ["1.25", "2", ""], end="\r\n")
    task = SimilarityTask(
        "senteval/sts16", 16, ("plagiarism", "headlines"), tmp_path, average="weighted"
    ).build()
    assert task.groups is not None
    assert task.groups.tolist() == ["plagiarism"] * 2 + ["headlines"] * 3
    assert pairs(task) == [("a", "b"), ("c", "d"), ("a", "b"), ("a", "b"), ("a b", "c")]
    assert isinstance(task.target, Scores)
    assert task.target.values.tolist() == [1.25, 2, 0, 5, 3]
    assert set(task.split.tolist()) == {"test"}
    assert (task.selection, task.features, task.average) == ("none", "concat", "weighted")


def test_a_year_has_sentevals_sets(tmp_path: Path) -> None:
    sizes = {12: 5, 13: 3, 14: 6, 15: 5, 16: 5}
    for year, size in sizes.items():
        with pytest.raises(ProbingError, match=f"STS{year}-en-test/STS.input.*: no such file"):
            SimilarityTask("senteval/sts", year, (), tmp_path).build()  # type: ignore[arg-type]
        assert len(STS_SETS[year]) == size
    with pytest.raises(
        ProbingError, match=r"STS.input.other.txt is not among SentEval's files; give task.root"
    ):
        SimilarityTask("senteval/sts12", 12, ("MSRpar", "other")).build()


@pytest.mark.parametrize(
    ("sentences", "gold", "message"),
    [
        (
            ["a\tb", "c\td"],
            ["1"],
            "STS.input.headlines.txt has 2, STS.gs.headlines.txt has 1 lines; give each",
        ),
        (["a\tb", "c d"], ["1", "2"], "STS.input.headlines.txt, line 2: expected two sentences with a tab"),
        (["a\tb", "c\td"], ["1", "5.5"], "STS.gs.headlines.txt, line 2: the score is 5.5, outside 0 to 5"),
        (
            ["a\tb", "c\td"],
            ["1", "x"],
            "STS.gs.headlines.txt, line 2: the score is 'x', which is not a number",
        ),
        (["a\tb", "c\td"], ["1", "1"], "all scores of .* are the same"),
        (["a\tb", "c\td"], ["", ""], "STS.gs.headlines.txt: the file is empty"),
    ],
)
def test_similarity_errors(tmp_path: Path, sentences: list[str], gold: list[str], message: str) -> None:
    write_sts(tmp_path, "headlines", sentences, gold)
    with pytest.raises(ProbingError, match=message):
        SimilarityTask("senteval/sts16", 16, ("headlines",), tmp_path).build()
