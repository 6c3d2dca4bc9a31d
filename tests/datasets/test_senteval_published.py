"""SentEval's files fetched from a server: converted as its script does, checked, and named when missing."""

from __future__ import annotations

import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from probing.config.choices import conf_folder
from probing.datasets.fetching import Download
from probing.datasets.fetching.sources import download_path
from probing.datasets.senteval import PairTask, ProbingTask, SentenceTask
from probing.datasets.senteval.pairs import PAIRS
from probing.datasets.senteval.published import SIZES, SOURCES
from probing.datasets.senteval.sentences import SENTENCES
from probing.datasets.senteval.tokens import moses, penn, snli, visible
from probing.errors import ProbingError
from tests.datasets.host import Host, serving


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as made:
        yield made


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROBING_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "senteval"


def serve(
    monkeypatch: pytest.MonkeyPatch, host: Host, file: str, content: bytes, sha256: str | None = None
) -> str:
    """Put a file where the first of its sources would have it, but on this machine."""
    source = SOURCES[file][0]
    url = host.add("/" + source.url.rpartition("/")[2], content)
    monkeypatch.setitem(SOURCES, file, (replace(source, url=url, sha256=sha256),))
    return url


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return stream.getvalue()


def test_every_file_has_a_source_and_every_task_a_size() -> None:
    for file, sources in SOURCES.items():
        assert file.startswith(("probing/", "downstream/"))
        for source in sources:
            assert re.fullmatch(r"https?://\S+", source.url)
            assert source.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", source.sha256)
    tasks = {f"senteval/{path.stem}" for path in (conf_folder() / "task" / "senteval").glob("*.yaml")}
    assert tasks == set(SIZES)
    of_corpora = {
        file
        for corpus in (*SENTENCES.values(), *PAIRS.values())
        for of_split in corpus.files.values()
        for file in of_split
    }
    assert {
        file for file in SOURCES if not file.startswith(("probing/", "downstream/STS/STS1"))
    } == of_corpora
    places = {download_path(source, Path()) for sources in SOURCES.values() for source in sources}
    assert len(places) == len({source.url for sources in SOURCES.values() for source in sources})


def test_digests_are_those_of_the_published_bytes(shared: Path) -> None:
    folder = shared / "data" / "senteval"
    for name in ("train_5500.label", "TREC_10.label"):
        file = f"downstream/TREC/{name}"
        assert hashlib.sha256((folder / file).read_bytes()).hexdigest() == SOURCES[file][0].sha256


def test_trec_is_fetched_whole_and_without_quotes(
    host: Host, cache: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared / "data" / "senteval"
    for name in ("train_5500.label", "TREC_10.label"):
        file = f"downstream/TREC/{name}"
        serve(monkeypatch, host, file, (folder / file).read_bytes(), SOURCES[file][0].sha256)
    task = SentenceTask("senteval/trec", "trec").build()
    assert [len(task.rows(split)) for split in ("train", "test")] == [5452, 500]
    given = SentenceTask("senteval/trec", "trec", folder).build()
    stripped = [" ".join(re.sub("[`']", "", unit.text).split()) for unit in given.units]
    assert sorted(unit.text for unit in task.units) == sorted(stripped)
    assert any(text != unit.text for text, unit in zip(stripped, given.units, strict=True))
    assert len(host.asked) == 2
    assert (
        SentenceTask("senteval/trec", "trec", cache).build().units == task.units
    )  # the cache is a data folder of SentEval's
    assert SentenceTask("senteval/trec", "trec").build().units == task.units
    assert len(host.asked) == 2


def test_a_fetched_task_must_have_its_published_size(
    host: Host, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split in ("train", "dev", "test"):
        serve(monkeypatch, host, f"downstream/SST/fine/sentiment-{split}", b"0 bad\n4 good\n" * 3)
    with pytest.raises(
        ProbingError, match=r"\(6, 6, 6\) train, dev and test examples were fetched, \(8544, 1101"
    ):
        SentenceTask("senteval/sst5", "sst", kind="fine").build()
    assert len(SentenceTask("of/mine", "sst", kind="fine").build()) == 18
    assert (cache / "downstream/SST/fine/sentiment-dev").is_file()


def test_mr_is_made_printable_and_tokenised(host: Host, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped(
        {
            "data/rt10662/rt-polarity.pos": "it's a \"caf\xe9\" , isn't it ?\n".encode("latin-1") * 7,
            "data/rt10662/rt-polarity.neg": b"(bad) film...\r\n" * 7,
        }
    )
    for side in ("pos", "neg"):
        serve(monkeypatch, host, f"downstream/MR/rt-polarity.{side}", content)
    task = SentenceTask("of/mine", "mr").build()
    assert {unit.text for unit in task.units} == {
        "it 's a `` cafM-i '' , is n't it ?",
        "( bad ) film ... ^M",
    }
    assert len(host.asked) == 1
    assert (cache / "downstream/MR/rt-polarity.pos").is_file()


def test_snli_loses_pairs_without_agreement(host: Host, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = "gold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\t"
    rows = [
        header + "sentence1\tsentence2\tcaptionID",
        "neutral\t(\t(\t(\t(\tUn café.\tIt isn't open.\tid",
        "-\t(\t(\t(\t(\tNo\tlabel\tid",
        "contradiction\t(\t(\t(\t(\tA dog\tNo dog\tid",
    ]
    table = "".join(f"{row}\n" for row in rows + rows[1:]).encode()
    content = zipped({f"snli_1.0/snli_1.0_{split}.txt": table for split in ("train", "dev", "test")})
    for split in ("train", "dev", "test"):
        for kind in ("s1", "s2", "labels"):
            serve(monkeypatch, host, f"downstream/SNLI/{kind}.{split}", content)
    task = PairTask("of/mine", "snli").build()
    assert task.partners is not None
    assert [(unit.text, other.text) for unit, other in zip(task.units, task.partners, strict=True)][:4] == [
        *[("A dog", "No dog")] * 2,
        *[("Un café .", "It is n't open .")] * 2,
    ]
    assert len(host.asked) == 1
    assert (cache / "downstream/SNLI/labels.dev").read_text() == "neutral\ncontradiction\n" * 2


def test_without_a_network_one_line_says_what_to_put_where(
    host: Host, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = serve(monkeypatch, host, "downstream/TREC/train_5500.label", b"")
    host.files.clear()
    with pytest.raises(ProbingError) as caught:
        SentenceTask("senteval/trec", "trec").build()
    place = cache / "downloads" / f"127.0.0.1_{host.port}" / "train_5500.label"
    assert str(caught.value) == (
        f"train_5500.label cannot be fetched ({url}: HTTP 404 Not Found); put {url} at {place} "
        "(and then 1 more), or give task.root=..., SentEval's data folder"
    )


def test_a_given_folder_is_neither_filled_nor_left(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(
        ProbingError, match=r"train_5500.label: no such file .*leave task.root out to have the"
    ):
        SentenceTask("senteval/trec", "trec", tmp_path).build()
    assert not cache.exists()
    assert list(tmp_path.iterdir()) == []


def test_what_senteval_does_not_have_is_not_looked_for(cache: Path) -> None:
    with pytest.raises(
        ProbingError, match=r"probing/voice.txt is not among SentEval's files; give task.root="
    ):
        ProbingTask("senteval/voice", "probing/voice.txt").build()
    assert not cache.exists()


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ('"Hi," he said... (I cannot, gonna)', "`` Hi , '' he said ... ( I can not , gon na )"),
        ("We'll see: it's 5,000 -- isn't it?!", "We 'll see : it 's 5 , 000 -- is n't it ? !"),
        ("The dogs' owner said 'no.'  ", "The dogs ' owner said 'no . '"),
        ("Mr. Smith went to Washington D.C.", "Mr. Smith went to Washington D.C ."),
        ("'Tis $3.50 a--b & 50% <i>", "'T is $ 3.50 a -- b & 50 % < i >"),
        ("WE'VE DON'T", "WE 'VE DO N'T"),
    ],
)
def test_penn_treebank_tokens(line: str, tokens: str) -> None:
    # the right-hand sides are what GNU sed makes of SentEval's tokenizer.sed
    assert penn(line.encode()).decode().rstrip() == tokens


def test_bytes_made_visible() -> None:
    # the right-hand sides are what GNU cat -v writes
    assert visible(b"a\tb\r\x00\x7f") == b"a\tb^M^@^?"
    assert visible("é€".encode()) == b"M-CM-)M-bM-^BM-,"
    assert visible(bytes([0x80, 0xFF, 0x9F])) == b"M-^@M-^?M-^_"
    assert visible(bytes(range(32, 127))) == bytes(range(32, 127))


def test_moses_tokens() -> None:
    pytest.importorskip("sacremoses")
    lines = [
        b"a\tHe didn't pay $5,000.50, did he?\tMr. X saw T.V.\tmore\r",
        "b\tA café, 'etc.'\tOn Nov. 3.".encode(),
    ]
    # the right-hand sides are what Moses' tokenizer.perl -l en -no-escape writes
    assert list(moses((1, 2), keep=3, lower=True)(lines)) == [
        b"a\the didn 't pay $ 5,000.50 , did he ?\tmr. x saw t.v .",
        "b\ta café , ' etc . ' \ton nov. 3 .".encode(),
    ]
    assert list(moses((1,), header=True)([b"id\tIt's\r", b"1\tIt's\r"])) == [b"id\tIt's", b"1\tIt 's"]


def test_without_the_moses_tokenizer_no_copy_takes_the_place(
    host: Host, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sacremoses", None)
    file = "downstream/SICK/SICK_train.txt"
    serve(monkeypatch, host, file, zipped({"SICK_train.txt": b"pair_ID\n1\ta\tb\t3\tNEUTRAL\n"}))
    copy = Download(host.add("/copy", b"pair_ID\n"))
    monkeypatch.setitem(SOURCES, file, (*SOURCES[file], copy))
    with pytest.raises(ProbingError, match="the Moses tokenizer is missing; pip install sacremoses"):
        PairTask("senteval/sick_e", "sick_e").build()
    assert not (cache / file).exists()
    assert ("/copy", None) not in host.asked


def test_snli_columns_keep_step() -> None:
    lines = [b"gold_label\ta\tb\tc\td\ts1\ts2", b"neutral\ta\tb\tc\td\tx\ty\r", b"-\ta\tb\tc\td\tx\ty"]
    assert [list(snli(column)(lines)) for column in (0, 5, 6)] == [[b"neutral"], [b"x "], [b"y "]]
