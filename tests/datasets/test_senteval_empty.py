"""Sentences without a token: kept as "." and put where SentEval's own readers put them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from probing.datasets.fetching import Download
from probing.datasets.senteval import PairTask, SentenceTask, SimilarityTask
from probing.datasets.senteval.published import SOURCES
from probing.errors import ProbingError
from probing.tasks.task import Task
from tests.datasets.host import serving
from tests.datasets.test_senteval_published import zipped

FILES = {
    "mr": ("MR/rt-polarity.pos", "MR/rt-polarity.neg"),
    "cr": ("CR/custrev.pos", "CR/custrev.neg"),
    "subj": ("SUBJ/subj.objective", "SUBJ/subj.subjective"),
    "mpqa": ("MPQA/mpqa.pos", "MPQA/mpqa.neg"),
}


def sentences(n: int, seed: int, empty: float = 0.2) -> list[str]:
    """Sentences of 0 to 3 tokens; some are a period themselves."""
    rng = random.Random(seed)
    words = [".", "ok", "d\xe9j\xe0", "2"]
    drawn = [" ".join(rng.choices(words, k=rng.randint(1, 3))) for _ in range(n)]
    return [rng.choice(["", " "]) if rng.random() < empty else text for text in drawn]


def put(root: Path, name: str, lines: Sequence[str], encoding: str = "utf-8", end: str = "\n") -> Path:
    path = root / "downstream" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return path


def for_encoder(tokens: list[str]) -> str:
    """The batchers of SentEval's examples: `sent if sent != [] else ['.']`."""
    return " ".join(tokens if tokens != [] else ["."])


def binary_classifier(pos: Path, neg: Path) -> list[tuple[str, int]]:
    """The examples that `BinaryClassifierEval` reads, in its order."""
    read = [[line.split() for line in path.read_text(encoding="latin-1").splitlines()] for path in (pos, neg)]
    labels = [1] * len(read[0]) + [0] * len(read[1])
    ordered = sorted(zip(read[0] + read[1], labels, strict=True), key=lambda z: (len(z[0]), z[1]))
    return [(for_encoder(tokens), label) for tokens, label in ordered]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("data", ["mr", "cr", "subj", "mpqa"])
def test_sides_hold_sentevals_sentences_in_its_order(
    tmp_path: Path, data: Literal["mr", "cr", "subj", "mpqa"], end: str
) -> None:
    paths = [
        put(tmp_path, name, sentences(40, seed), "latin-1", end) for seed, name in enumerate(FILES[data])
    ]
    expected = binary_classifier(*paths)
    task = SentenceTask(f"senteval/{data}", data, tmp_path).build()
    assert len(task) == 80
    answers = [("negative", "positive"), ("subjective", "objective")][data == "subj"]
    assert task.target.shown() == [answers[label] for _, label in expected]
    assert [unit.text for unit in task.units] == [text for text, _ in expected]
    assert [text for text, _ in expected].count(".") > 10


def test_cr_has_its_published_size_when_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four of the 3,775 lines are empty; without them it was refused."""
    monkeypatch.setenv("PROBING_CACHE", str(tmp_path / "cache"))
    lines = {
        "pos": ["good one"] * 2400 + ["", "", ""] + ["fine"] * 2,
        "neg": ["bad one"] * 1368 + [""] + ["poor"],
    }
    assert sum(map(len, lines.values())) == 3775
    content = zipped(
        {
            f"data/customerr/custrev.{side}": "".join(f"{x}\n" for x in of_side).encode()
            for side, of_side in lines.items()
        }
    )
    with serving() as host:
        url = host.add("/datasmall_NB_ACL12.zip", content)
        for side in lines:
            source = SOURCES[f"downstream/CR/custrev.{side}"][0]
            one = Download(url, member=source.member, convert=source.convert)
            monkeypatch.setitem(SOURCES, f"downstream/CR/custrev.{side}", (one,))
        task = SentenceTask("senteval/cr", "cr").build()
    assert len(task) == 3775
    assert [unit.text for unit in task.units[:4]] == ["."] * 4
    assert task.target.shown()[:4] == ["negative", "positive", "positive", "positive"]


def pairs(task: Task) -> list[tuple[str, str]]:
    assert task.partners is not None
    return [(one.text, two.text) for one, two in zip(task.units, task.partners, strict=True)]


def by_lengths(first: list[str], second: list[str], answers: Sequence[str]) -> list[tuple[str, str]]:
    """The examples of SentEval's readers of pairs, by both lengths, then the answer."""
    triples = [(a.split(), b.split(), float(y)) for a, b, y in zip(first, second, answers, strict=True)]
    ordered = sorted(triples, key=lambda z: (len(z[0]), len(z[1]), z[2]))
    return [(for_encoder(a), for_encoder(b)) for a, b, _ in ordered]


def test_pairs_with_an_empty_sentence_are_kept_where_senteval_keeps_them(tmp_path: Path) -> None:
    first, second = sentences(40, 2), sentences(40, 3)
    graded = [f"{1 + at % 5}" for at in range(40)]
    binary = [f"{at % 2}" for at in range(40)]
    rows = list(zip(first, second, graded, binary, strict=True))
    header = "pair_ID\tA\tB\tscore\tjudgment"
    for name in ("SICK_train", "SICK_trial", "SICK_test_annotated"):
        put(tmp_path, f"SICK/{name}.txt", [header, *(f"1\t{a}\t{b}\t{y}\tNEUTRAL" for a, b, y, _ in rows)])
    for split in ("train", "dev", "test"):
        lines = [f"g\tf\ty\t0\t{y}\t{a}\t{b.strip() or 'x'}" for a, b, y, _ in rows]
        put(tmp_path, f"STS/STSBenchmark/sts-{split}.csv", lines)
    for split in ("train", "test"):
        lines = ["Quality\tid\tid\ts\ts", *(f"{y}\t1\t2\t{a}\t{b.strip() or 'x'}" for a, b, _, y in rows)]
        put(tmp_path, f"MRPC/msr_paraphrase_{split}.txt", lines)
    put(tmp_path, "STS/STS16-en-test/STS.input.headlines.txt", [f"{a}\t{b}" for a, b, *_ in rows])
    put(tmp_path, "STS/STS16-en-test/STS.gs.headlines.txt", graded)
    graded_rows = by_lengths(first, second, graded)
    never = [text.strip() or "x" for text in second]  # SentEval could not read a line that ends in a tab
    assert pairs(PairTask("senteval/sick_r", "sick_r", tmp_path).build()) == graded_rows * 3
    assert pairs(SimilarityTask("senteval/sts16", 16, ("headlines",), tmp_path).build()) == graded_rows
    assert sum("." in (a, b) for a, b in graded_rows) > 10
    assert pairs(PairTask("senteval/mrpc", "mrpc", tmp_path).build()) == by_lengths(first, never, binary) * 2
    benchmark = pairs(PairTask("senteval/stsb", "stsb", tmp_path).build())
    assert benchmark == by_lengths(first, never, graded) * 3


def test_snli_keeps_them_by_line(tmp_path: Path) -> None:
    first, second = sentences(40, 4), sentences(40, 5)
    labels = [("neutral", "entailment", "contradiction")[at % 3] for at in range(40)]
    for split in ("train", "dev", "test"):
        for kind, lines in (("s1", first), ("s2", second), ("labels", labels)):
            put(tmp_path, f"SNLI/{kind}.{split}", lines)
    triples = [(b.split(), a.split(), y) for a, b, y in zip(first, second, labels, strict=True)]
    ordered = sorted(triples, key=lambda z: (len(z[0]), len(z[1]), z[2]))
    task = PairTask("senteval/snli", "snli", tmp_path).build()
    assert pairs(task) == [(for_encoder(a), for_encoder(b)) for b, a, _ in ordered] * 3
    assert task.target.shown() == [y for *_, y in ordered] * 3


def test_joint_pairs_are_given_a_period_too(tmp_path: Path) -> None:
    header = "pair_ID\tA\tB\tscore\tjudgment"
    for name in ("SICK_train", "SICK_trial", "SICK_test_annotated"):
        put(tmp_path, f"SICK/{name}.txt", [header, *["1\t\tA cat\t3\tNEUTRAL", "2\tA dog\t\t4\tNEUTRAL"] * 3])
    task = PairTask("senteval/sick_r", "sick_r", tmp_path, pair="joint").build()
    assert {(unit.text, unit.second) for unit in task.units} == {(".", "A cat"), ("A dog", ".")}


def test_the_readers_that_could_not_hold_an_empty_sentence_refuse_it(tmp_path: Path) -> None:
    put(tmp_path, "TREC/train_5500.label", ["NUM:dist How far ?", "LOC:city "] * 6)
    put(tmp_path, "TREC/TREC_10.label", ["NUM:dist How far ?"] * 6)
    with pytest.raises(ProbingError, match=r"train_5500.label, line 2: the sentence is empty"):
        SentenceTask("senteval/trec", "trec", tmp_path).build()
    for split in ("train", "dev", "test"):
        put(tmp_path, f"SST/binary/sentiment-{split}", ["fine\t1", "\t0"])
    with pytest.raises(ProbingError, match=r"sentiment-train, line 2: expected a sentence, a tab"):
        SentenceTask("senteval/sst2", "sst", tmp_path, "binary").build()
