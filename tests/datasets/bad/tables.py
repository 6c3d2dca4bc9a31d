"""Tables that are wrong in some way."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from tests.datasets.bad.case import CSV, JSON, LABELS, ROWS, TEXTS, Bad, folder, parquet

WORDS = "".join(f'{{"words": ["a", "b{at}"], "tags": ["X", "Y"]}}\n' for at in range(30))
IN_PLACE = "task=table task.path={}/"


def table(name: str, content: bytes | str, said: str, options: str = "", file: str = "a.csv") -> Bad:
    """A case of a table."""
    return Bad(f"table: {name}", f"{IN_PLACE}{file} {options}".strip(), said, {file: content})


def tables() -> Iterator[Bad]:
    """Cases of csv and tsv."""
    yield table("empty", "", r"a\.csv: the file is empty")
    yield table("blank", " \n\n", r"a\.csv: the file is empty")
    yield table("mark alone", b"\xef\xbb\xbf", r"a\.csv: the file is empty")
    yield table("header only", "text,label\n", r"a\.csv: there are no rows below the header")
    yield table("header of no names", f",\n{ROWS}", r"a\.csv, line 1: no column has a name")
    yield table(
        "latin-1", CSV.encode() + b"caf\xe9,a\n", r"a\.csv, line 32: byte 0xe9 .* task.encoding=latin-1"
    )
    yield table("utf-16", CSV.encode("utf-16"), r"a\.csv, line 1: byte 0xff .* task.encoding=utf-16")
    yield table(
        "utf-16 without mark", CSV.encode("utf-16-le"), r"a\.csv, line 1: a null .* task.encoding=utf-16"
    )
    yield table("null byte", f"{CSV}a\0b,a\n", r"a\.csv, line 32: a null character")
    yield table("binary", bytes(range(256)) * 9, r"a\.csv, line \d: .*not utf-8 text")
    yield table("gzip", gzip.compress(CSV.encode()), r"a\.csv: a gzip file, not text")
    yield table("zip", b"PK\x03\x04" + b"x" * 99, r"a\.csv: a zip file, not text")
    yield table("gz that is none", CSV, r"a\.csv\.gz: unknown extension '\.gz'", file="a.csv.gz")
    yield table("parquet called csv", parquet(text=TEXTS, label=LABELS), r"a\.csv: a parquet file, not text")
    yield table(
        "no codec", CSV, r"task\.encoding is 'utf-9', which is not an encoding", "task.encoding=utf-9"
    )
    yield table(
        "wrong codec", CSV + "é,a\n", r"a\.csv, line 32: byte 0xc3 is not ascii", "task.encoding=ascii"
    )
    yield table("extension", CSV, r"a\.xlsx: unknown extension '\.xlsx'", file="a.xlsx")
    yield table(
        "no such column",
        CSV,
        r"a\.csv: there is no column 'lable', .* did you mean label",
        "task.label=lable",
    )
    yield table("no header", ROWS, r"a\.csv: there is no column 'text', .*task\.header=false")
    yield table(
        "semicolons", CSV.replace(",", ";"), r"a\.csv: there is no column 'text', .*task\.separator=';'"
    )
    yield table("tabs", CSV.replace(",", "\t"), r"a\.csv: there is no column 'text', .*task\.separator='\\t'")
    yield table(
        "commas in tsv", CSV, r"a\.tsv: there is no column 'text', .*task\.separator=','", file="a.tsv"
    )
    yield table("a long separator", CSV, r"task\.separator is 'ab'", "task.separator=ab")
    yield table(
        "duplicate columns", "text,label,text\na,b,c\n", r"a\.csv, line 1: two columns are called 'text'"
    )
    yield table("a field too many", f"{CSV}a,b,c\n", r"a\.csv, line 32: 3 fields, but the header has 2")
    yield table("a field too few", f"{CSV}a\n", r"a\.csv, line 32: 1 fields, but the header has 2")
    yield table("ragged tsv", "text\tlabel\na\tb\nc\n", r"a\.tsv, line 3: 1 fields", file="a.tsv")
    yield table("ragged, windows ends", f"{CSV}a\n".replace("\n", "\r\n"), r"a\.csv, line 32: 1 fields")
    yield table("ragged, old mac ends", f"{CSV}a\n".replace("\n", "\r"), r"a\.csv, line 32: 1 fields")
    yield table("open quote", f'{CSV}"a,b\n', r"a\.csv, line 32: .*task\.quotes=false")
    yield table("text after a quote", f'{CSV}"a"b,a\n', r"a\.csv, line 32: .*task\.quotes=false")
    yield table("no label", f"{CSV}a,\n", r"a\.csv, line 32: column 'label' is empty")
    yield table("blank text", f"{CSV} ,a\n", r"a\.csv, line 32: column 'text' is empty")
    yield table("one class", CSV.replace(",b", ",a"), r"only one class")
    yield table(
        "a class in test only",
        "text,label,part\n"
        + "".join(
            f"t{at},{'abc'[(at > 20) + (at > 28)]},{'train' if at < 25 else 'test'}\n" for at in range(30)
        ),
        r"a\.csv, line 31: label 'c' of test is never seen",
        "task.split=part",
    )
    yield table(
        "all labels differ",
        "text,label\n" + "".join(f"t{at},l{at}\n" for at in range(30)),
        r"a\.csv: column 'label' has 30 different labels",
    )
    yield table(
        "unknown split",
        "text,label,part\na,b,holdout\n",
        r"a\.csv, line 2: column 'part' is 'holdout'",
        "task.split=part",
    )
    yield table(
        "no test split",
        "text,label,part\na,x,train\nb,y,train\nc,x,train\nd,y,dev\n",
        r"no test; add it",
        "task.split=part",
    )
    yield table(
        "a label to ignore that none has",
        CSV,
        r"task\.ignore names 'c', .*expected one of a, b",
        "task.ignore=[c]",
    )
    yield table("all labels ignored", CSV, r"task\.ignore leaves no example", "task.ignore=[a,b]")
    yield table(
        "a class that none has",
        CSV,
        r"task\.classes names 'c', .*expected one of a, b",
        "task.classes=[a,b,c]",
    )
    yield table(
        "a label beyond classes",
        CSV,
        r"a\.csv, line 3: label 'b' is not in task\.classes",
        "task.classes=[a,c]",
    )
    for label in ("nan", "inf", "1_000", "n/a"):
        content = "text\tlabel\n" + "".join(f"t{at}\t{at / 4}\n" for at in range(30)) + f"x\t{label}\n"
        said = rf"a\.tsv, line 32: '{label}' is not a score"
        yield table(f"score {label}", content, said, "task.kind=scores", "a.tsv")
    yield table(
        "a score out of range",
        "text,label\na,1\nb,9\n",
        r"a\.csv, line 3: score 9 is outside",
        "task.low=0 task.high=5",
    )
    yield table(
        "equal scores",
        "text,label\n" + "".join(f"t{at},3\n" for at in range(30)),
        r"same",
        "task.kind=scores",
    )
    yield table("few rows", "text,label\na,x\nb,y\nc,x\nd,y\n", r"4 different texts of 2 labels are too few")
    yield table(
        "a huge cell that lacks its label",
        f"{CSV}{'a' * 10**6},\n",
        r"a\.csv, line 32: column 'label' is empty",
    )


def spans() -> Iterator[Bad]:
    """Cases of offsets and words."""
    options = "task.start=from task.end=to"
    for name, offsets, said in (
        ("beyond the text", "0,99", "span 0 to 99 is not inside its text of 5 characters"),
        ("before it", "-1,2", "span -1 to 2"),
        ("backwards", "3,2", "span 3 to 2"),
        ("no number", "x,2", "column 'from' is 'x'; give a whole number"),
        ("half a number", "0,1.5", "column 'to' is '1.5'; give a whole number"),
        ("nan", "nan,2", "column 'from' is 'nan'; give a whole number"),
        ("infinite", "0,inf", "column 'to' is 'inf'; give a whole number"),
        ("empty", ",2", "column 'from' is ''; give a whole number"),
    ):
        content = f"text,label,from,to\nan ox,a,0,2\nan ox,b,{offsets}\n"
        yield table(f"span {name}", content, rf"a\.csv, line 3: {said}", options)
    yield table(
        "span of a space",
        "text,label,from,to\nan ox,a,2,3\n",
        r"a\.csv, line 2: span 2 to 3 is blank",
        options,
    )
    yield table("start alone", CSV, r"task\.start and task\.end belong together", "task.start=text")
    by_list = "task.tokens=words task.label=tags"
    for name, line, said in (
        ("no list", '{"words": "a b", "tags": ["X", "Y"]}', "column 'words' is not a list"),
        ("empty list", '{"words": [], "tags": []}', "column 'words' is not a list"),
        ("nested lists", '{"words": [["a"], "b"], "tags": ["X", "Y"]}', "column 'words' holds a list"),
        ("nested labels", '{"words": ["a", "b"], "tags": [["X"], "Y"]}', "column 'tags' holds a list"),
        ("a label too few", '{"words": ["a", "b"], "tags": ["X"]}', "2 tokens but 1 labels"),
        ("an empty word", '{"words": ["a", ""], "tags": ["X", "Y"]}', "column 'words' is empty"),
        ("a null word", '{"words": ["a", null], "tags": ["X", "Y"]}', "column 'words' is empty"),
        ("a null label", '{"words": ["a", "b"], "tags": ["X", null]}', "column 'tags' is empty"),
        ("a column too few", '{"words": ["a", "b"]}', "column 'tags' is not a list"),
    ):
        yield table(f"tokens, {name}", f"{WORDS}{line}\n", rf"a\.jsonl, line 31: {said}", by_list, "a.jsonl")
    content = "word,sentence,label\na,1,X\nb,,Y\n"
    yield table(
        "a word of no sentence",
        content,
        r"a\.csv, line 3: column 'sentence' is empty",
        "task.word=word task.sentence=sentence",
    )


def json_lines() -> Iterator[Bad]:
    """Cases of jsonl."""
    for name, line, said in (
        ("broken", '{"text": "x", "label": }', r"not JSON \(Expecting value, character 24\)"),
        ("cut short", '{"text": "x', r"not JSON \(Invalid control character at, character 12\)"),
        ("a list", '["x", "a"]', "not a JSON object"),
        ("two objects", '{"text": "x", "label": "a"} {}', r"not JSON \(Extra data"),
        (
            "a key twice",
            '{"text": "x", "label": "a", "label": "b"}',
            r"not JSON \(two values are called 'label'",
        ),
        ("too deep", "[" * 100_000, "not JSON"),
        ("a long number", '{"text": "x", "label": ' + "9" * 5000 + "}", "not JSON"),
        ("half a character", r'{"text": "\ud83d", "label": "a"}', "half a character"),
        ("a list for a text", '{"text": ["x"], "label": "a"}', "column 'text' holds a list"),
        ("an object for a label", '{"text": "x", "label": {"a": 1}}', "column 'label' holds a dict"),
        ("null", '{"text": null, "label": "a"}', "column 'text' is empty"),
        ("no label", '{"text": "x"}', "column 'label' is empty"),
    ):
        yield table(f"jsonl, {name}", f"{JSON}{line}\n", rf"a\.jsonl, line 31: .*{said}", file="a.jsonl")
    yield table("json over lines", '[\n{"text": "x"}\n]', r"a\.jsonl, line 1: not JSON", file="a.jsonl")


def binaries() -> Iterator[Bad]:
    """Cases of parquet, and of paths."""
    good = parquet(text=TEXTS, label=LABELS)
    name = "a.parquet"
    yield table("parquet, text", CSV, r"a\.parquet: not a readable parquet file", file=name)
    yield table("parquet, empty", b"", r"a\.parquet: not a readable parquet file", file=name)
    yield table("parquet, cut", good[:-20], r"a\.parquet: not a readable parquet file", file=name)
    yield table(
        "parquet, damaged",
        good[:4] + b"\xff" * 60 + good[64:],
        r"a\.parquet: not a readable parquet file",
        file=name,
    )
    yield table("parquet, no rows", parquet(text=[], label=[]), r"a\.parquet: there are no rows", file=name)
    yield table(
        "parquet, other columns",
        parquet(body=TEXTS, y=LABELS),
        r"a\.parquet: there is no column 'text'",
        file=name,
    )
    nested = parquet(text=[[text] for text in TEXTS], label=LABELS)
    yield table(
        "parquet, lists of texts", nested, r"a\.parquet, row 1: column 'text' holds a list", file=name
    )
    structs = parquet(text=TEXTS, label=[{"y": label} for label in LABELS])
    yield table("parquet, structs", structs, r"a\.parquet, row 1: column 'label' holds a dict", file=name)
    raw = parquet(text=[text.encode() for text in TEXTS], label=LABELS)
    yield table("parquet, bytes", raw, r"a\.parquet, row 1: column 'text' holds a bytes", file=name)
    yield Bad("path: a folder called csv", f"{IN_PLACE}a.csv", r"a\.csv: no train file", {"a.csv": folder})
    yield Bad("path: none", "task=table", r"task\.path is not set", {})
    yield Bad(
        "folder: two files of dev",
        "task=table task.path={}",
        r"both dev",
        dict.fromkeys(("train.csv", "dev.csv", "val.csv"), CSV),
    )
    yield Bad(
        "folder: no test",
        "task=table task.path={}",
        r"no test; add it",
        dict.fromkeys(("train.csv", "dev.csv"), CSV),
    )
    yield Bad(
        "folder: test is broken",
        "task=table task.path={}",
        r"test\.csv, line 32: 1 fields",
        {"train.csv": CSV, "test.csv": f"{CSV}a\n"},
    )
    yield Bad(
        "folder: test has other columns",
        "task=table task.path={}",
        r"test\.csv: there is no column 'label'",
        {"train.csv": CSV, "test.csv": CSV.replace("label", "y")},
    )
