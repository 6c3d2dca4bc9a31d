"""Published data sets whose files are not as they were published, and paths that lead to no file."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pyarrow as pa

from tests.datasets.bad.case import CSV, LABELS, TEXTS, Bad, Files, folder, loop, parquet


def paths() -> Iterator[Bad]:
    """Cases of paths that lead to no file, whatever is read."""
    for task, name in (
        ("table", "csv"),
        ("table", "parquet"),
        ("treebank/tense", "mrg"),
        ("treebank/upos", "conllu"),
    ):
        path = f"task={task} task.path={{}}/"
        yield Bad(f"{name}: missing", f"{path}a.{name}", rf"a\.{name}: no such file", {})
        yield Bad(
            f"{name}: below a file", f"{path}a.csv/b.{name}", rf"b\.{name}: not a directory", {"a.csv": CSV}
        )
        yield Bad(
            f"{name}: a loop",
            f"{path}a.{name}",
            rf"a\.{name}: too many levels of symbolic links",
            {f"a.{name}": loop},
        )
        yield Bad(f"{name}: a long name", f"{path}{'a' * 300}.{name}", r": file name too long", {})
    yield Bad("glue: missing", "task=glue/cola task.path={}/none", r"none: no cola/train\.parquet", {})
    yield Bad("glue: a long name", f"task=glue/cola task.path={{}}/{'a' * 300}", r": file name too long", {})
    yield Bad(
        "senteval: a long name", f"task=senteval/trec task.root={{}}/{'a' * 300}", r": file name too long", {}
    )
    files = {"downstream/TREC/train_5500.label": folder}
    yield senteval("a folder for a file", "trec", r"train_5500\.label: is a directory", files)


def senteval(name: str, task: str, said: str, files: Files) -> Bad:
    """A case of SentEval's folder."""
    return Bad(f"senteval: {name}", f"task=senteval/{task} task.root={{}}", said, files)


def sentevals() -> Iterator[Bad]:
    """Cases of SentEval's files."""
    yield senteval("no folder", "trec", r"train_5500\.label: no such file .* task\.root", {})
    trec = dict.fromkeys(
        ("downstream/TREC/train_5500.label", "downstream/TREC/TREC_10.label"), "NUM:dist How far ?\n"
    )
    first = "downstream/TREC/train_5500.label"
    yield senteval(
        "no class",
        "trec",
        r"train_5500\.label, line 2: expected one of ABBR",
        trec | {first: "NUM:a How ?\nWHAT:x Who ?\n"},
    )
    yield senteval(
        "no question", "trec", r"train_5500\.label, line 1: the sentence is empty", trec | {first: "NUM:a\n"}
    )
    yield senteval("one class", "trec", r"train has only one class", trec)
    yield senteval(
        "too small",
        "trec",
        r"fewer than the 5 that the folds need",
        trec | {first: "NUM:a How ?\nLOC:b Where ?\n" * 3},
    )
    yield senteval("empty", "trec", r"train_5500\.label: the file is empty", trec | {first: ""})
    yield senteval(
        "gzip", "trec", r"train_5500\.label: a gzip file", trec | {first: gzip.compress(b"NUM:a How ?\n")}
    )
    probing = "probing/past_present.txt"
    yield senteval(
        "split",
        "tense",
        r"past_present\.txt, line 1: expected tr, va or te",
        {probing: "xx\tPAST\tIt was .\n"},
    )
    yield senteval(
        "fields",
        "tense",
        r"past_present\.txt, line 1: expected tr, va or te",
        {probing: "tr PAST It was .\n"},
    )
    yield senteval(
        "latin-1",
        "tense",
        r"past_present\.txt, line 2: not utf-8",
        {probing: b"tr\tPAST\tIt was .\ntr\tPAST\tCaf\xe9 .\n"},
    )
    for line, said in (("text", "expected a sentence, a tab and 0 or 1"), ("text\t2", "the label is '2'")):
        files = {
            f"downstream/SST/binary/sentiment-{split}": f"good\t1\n{line}\n"
            for split in ("train", "dev", "test")
        }
        yield senteval(f"sst {line}", "sst2", rf"sentiment-train, line 2: {said}", files)
    mrpc = {
        f"downstream/MRPC/msr_paraphrase_{split}.txt": "Quality\ta\tb\tc\td\n1\t1\t2\tx\n"
        for split in ("train", "test")
    }
    yield senteval("mrpc", "mrpc", r"train\.txt, line 2: expected quality, two ids", mrpc)
    yield senteval(
        "mrpc without header",
        "mrpc",
        r"train\.txt, line 1: expected a header",
        dict.fromkeys(mrpc, "1\t1\t2\tx\ty\n"),
    )
    sick = [f"downstream/SICK/SICK_{part}.txt" for part in ("train", "trial", "test_annotated")]
    header = "pair_ID\ta\tb\tc\td\n"
    for score in ("nan", "inf", "x", "6"):
        yield senteval(
            f"sick {score}",
            "sick_r",
            r"SICK_train\.txt, line 2: the score is",
            dict.fromkeys(sick, f"{header}1\ta\tb\t{score}\tNEUTRAL\n"),
        )
    yield senteval(
        "sick label",
        "sick_e",
        r"SICK_train\.txt, line 2: the label is 'MAYBE'",
        dict.fromkeys(sick, f"{header}1\ta\tb\t3\tMAYBE\n"),
    )
    snli = {
        f"downstream/SNLI/{part}.{split}": "a\nb\n"
        for part in ("s1", "s2")
        for split in ("train", "dev", "test")
    }
    labels = {f"downstream/SNLI/labels.{split}": "neutral\n" for split in ("train", "dev", "test")}
    yield senteval("snli sizes", "snli", r"s1\.train has 2, .* labels\.train has 1 lines", snli | labels)
    sts = {
        "downstream/STS/STS16-en-test/STS.input.headlines.txt": "a\tb\nc\td\n",
        "downstream/STS/STS16-en-test/STS.gs.headlines.txt": "1\n",
    }
    yield Bad(
        "senteval: sts sizes",
        "task=senteval/sts16 task.root={} task.sets=[headlines]",
        r"STS\.input\.headlines\.txt has 2, STS\.gs\.headlines\.txt has 1 lines",
        sts,
    )
    one = {"downstream/CR/custrev.pos": "good\n" * 9, "downstream/CR/custrev.neg": "bad\n" * 3}
    yield senteval("cr sizes", "cr", r"'negative' has 3 train examples, fewer than the 7", one)
    yield senteval(
        "cr one side", "cr", r"custrev\.neg: no such file", {"downstream/CR/custrev.pos": "good\n"}
    )


def glues() -> Iterator[Bad]:
    """Cases of GLUE's parquet files."""
    good = parquet(sentence=TEXTS, label=[at % 2 for at in range(30)])

    def glue(name: str, said: str, content: bytes | None) -> Bad:
        files = {"cola/train.parquet": good} | (
            {} if content is None else {"cola/validation.parquet": content}
        )
        return Bad(f"glue: {name}", "task=glue/cola task.path={}", said, files)

    yield glue("no file", r"no cola/validation\.parquet", None)
    yield glue("no parquet", r"validation\.parquet: not a readable parquet file", b"text")
    yield glue(
        "no sentence",
        r"validation\.parquet: there is no column 'sentence'",
        parquet(text=TEXTS, label=[0] * 30),
    )
    yield glue("no label", r"validation\.parquet: there is no column 'label'", parquet(sentence=TEXTS))
    yield glue(
        "labels of test",
        r"validation\.parquet, row 1: label -1 is not a class",
        parquet(sentence=TEXTS, label=[-1] * 30),
    )
    yield glue(
        "text labels",
        r"validation\.parquet, row 1: label 'a' is not a class",
        parquet(sentence=TEXTS, label=LABELS),
    )
    yield glue(
        "booleans",
        r"validation\.parquet, row 1: label True is not a class",
        parquet(sentence=TEXTS, label=[True] * 30),
    )
    yield glue(
        "nulls",
        r"validation\.parquet, row 1: label None is not a class",
        parquet(sentence=TEXTS, label=pa.nulls(30, pa.int64())),
    )
    yield glue(
        "lists",
        r"validation\.parquet, row 1: .* is not a text",
        parquet(sentence=[[text] for text in TEXTS], label=[0] * 30),
    )
    yield glue("empty texts", r"no test examples", parquet(sentence=[""] * 30, label=[0] * 30))
    yield glue(
        "no rows",
        r"no test examples",
        parquet(sentence=pa.array([], pa.string()), label=pa.array([], pa.int64())),
    )
