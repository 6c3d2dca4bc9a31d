"""The ten tasks on treebanks that are made by rule: labels can be told from the words."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.pool import SentenceExample
from probing.datasets.treebank.properties import KINDS
from probing.datasets.treebank.task import TreebankTask
from probing.errors import ProbingError
from probing.tasks.target import Classes
from tests.datasets.treebank.made import Clause, clauses, joined, simple, write

pytestmark = pytest.mark.slow

FORMATS = ["made.conllu", "made.mrg"]
N = 900


@cache
def sentences() -> list[tuple[str, str]]:
    made = clauses(3 * N)
    return [simple(clause) for clause in made[:N]] + [
        joined(first, second) for first, second in zip(made[N : 2 * N], made[2 * N :], strict=True)
    ]


@pytest.fixture(scope="module", params=FORMATS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("made") / request.param, sentences())


def source(path: Path, kind: str, **settings: int | str) -> TreebankTask:
    return TreebankTask(f"treebank/{kind}", path, kind, **settings)  # type: ignore[arg-type]


def examples(path: Path, kind: str, **settings: int | str) -> list[SentenceExample]:
    return source(path, kind, **settings).examples()[0]


def check_balance(found: list[SentenceExample]) -> None:
    for split in ("train", "dev", "test"):
        counts = Counter(example.label for example in found if example.split == split)
        assert len(counts) == len({example.label for example in found}) >= 2
        assert len(set(counts.values())) == 1
    texts = [example.text for example in found]
    assert len(set(texts)) == len(texts)


def test_length(path: Path) -> None:
    found = examples(path, "length")
    check_balance(found)
    assert {example.label for example in found} == {"5-8", "9-12", "13-16", "17-20", "21-25", "26-28"}
    for example in found:
        low, high = map(int, example.label.split("-"))
        assert low <= len(example.text.split()) <= high


def test_tense_and_numbers_keep_the_forms_of_their_targets_to_one_split(path: Path) -> None:
    endings = {"past": "ed", "present": "lp", "singular": "rk", "plural": "rks"}
    for kind, place in {"tense": -4, "subj_number": 1, "obj_number": -2}.items():
        check_balance(examples(path, kind))
        found = [(e, e.text.split()[place]) for e in examples(path, kind) if " and " not in e.text]
        assert all(target.endswith(endings[e.label]) for e, target in found)
        splits: dict[str, set[str]] = {}
        for example, target in found:
            splits.setdefault(target, set()).add(example.split)
        assert {len(names) for names in splits.values()} == {1}


def test_depth_is_equally_frequent_at_every_length(tmp_path: Path) -> None:
    made = clauses(2000)
    # chains and shallow sentences of the same length
    extra = [joined(first, second) for first, second in zip(made[:1000], made[1000:], strict=True)]
    for name in FORMATS:
        found = examples(write(tmp_path / name, extra), "depth")
        check_balance(found)
        table = Counter((e.split, len(e.text.split()), e.label) for e in found)
        labels = {e.label for e in found}
        for split, length, _ in table:
            assert len({table[split, length, label] for label in labels}) == 1
        for example in found:
            first, second = (clause.count("of") for clause in example.text.split(","))
            deepest = (5, 6, 8, 10)[max(first, second)]
            # the second verb depends on the first
            assert int(example.label) == (max(first, second + 1) + 3 if name == "made.conllu" else deepest)


def test_word_content_has_one_target_in_each_sentence(path: Path) -> None:
    found, classes = source(path, "word_content").examples()
    check_balance(found)
    assert len(classes) >= 10
    for example in found:
        assert [token for token in example.text.lower().split() if token in classes] == [example.label]


def test_top_constituents(tmp_path: Path) -> None:
    task = source(write(tmp_path / "a.conllu", sentences()), "top_constituents")
    found, classes = task.examples()
    assert classes == ("OTHER", "nsubj_VERB_obj")
    check_balance(found)
    assert all((" and " in e.text) == (e.label == "OTHER") for e in found)
    # in brackets a comma on this level rules the others out
    with pytest.raises(ProbingError, match="none of the 1 sequences of constituents in the treebank has"):
        examples(write(tmp_path / "a.mrg", sentences()), "top_constituents")


def check_altered(found: list[SentenceExample]) -> list[tuple[list[str], list[str]]]:
    """Tokens of original and altered text of those that are altered."""
    check_balance(found)
    lengths = [
        Counter(len(e.text.split()) for e in found if (e.label == "original") is is_it) for is_it in (0, 1)
    ]
    assert lengths[0] == lengths[1]
    assert all(e.text == e.sentence.text("tokens") for e in found if e.label == "original")
    assert len({e.sentence.place for e in found}) == len(found)
    return [(list(e.sentence.tokens), e.text.split()) for e in found if e.label != "original"]


def test_bigram_shift_swaps_two_neighbours(path: Path) -> None:
    for before, after in check_altered(examples(path, "bigram_shift")):
        (first, second) = (n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
        assert second == first + 1 >= 2
        assert (before[first], before[second]) == (after[second], after[first])
        assert {",", "."}.isdisjoint(after[first : second + 1])


def test_odd_man_out_changes_one_word_for_another_like_it(path: Path) -> None:
    found = examples(path, "odd_man_out")
    known = {pair for sentence in read_treebank(path) for pair in pairwise(sentence.tokens)}
    for before, after in check_altered(found):
        (place,) = (n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
        assert before[place][2:] == after[place][2:]  # the same part of speech, number and tense
        assert {(after[place - 1], after[place]), (after[place], after[place + 1])} <= known
    splits: dict[str, set[str]] = {}
    for example in found:
        for words in zip(example.sentence.tokens, example.text.split(), strict=True):
            if len(set(words)) == 2:
                for word in words:
                    splits.setdefault(word, set()).add(example.split)
    assert {len(names) for names in splits.values()} == {1}


def test_coordination_inversion_swaps_the_clauses(path: Path) -> None:
    found = examples(path, "coordination_inversion")
    check_balance(found)
    longer: dict[str, Counter[int]] = {}
    for example in found:
        one, two = (clause.strip(" .").lower() for clause in example.text.split(" , and "))
        was = [clause.strip(" .").lower() for clause in example.sentence.text("tokens").split(" , and ")]
        assert [one, two] == (was if example.label == "original" else was[::-1])
        assert example.text.startswith("The ")
        assert " , and the " in example.text
        sign = np.sign(len(one.split()) - len(two.split()))
        longer.setdefault(example.label, Counter())[int(sign)] += 1
    assert longer["original"] == longer["inverted"]
    assert len(longer["original"]) == 3


@pytest.mark.parametrize("kind", ["length", "bigram_shift"])
def test_the_files_own_splits_are_kept_and_equal_sentences_left_out(tmp_path: Path, kind: str) -> None:
    made = sentences()[:N]
    parts = {"train": made[:600] + made[700:720], "dev": made[600:700], "test": made[700:]}
    for split, part in parts.items():
        write(tmp_path / f"x-ud-{split}.conllu", part)
    found = examples(tmp_path, kind)
    assert all(e.sentence.split == e.split for e in found)
    keys = ["".join(e.sentence.tokens) for e in found]
    assert len(set(keys)) == len(keys)
    (tmp_path / "x-ud-dev.conllu").unlink()
    made_dev = [e.sentence.split for e in examples(tmp_path, kind) if e.split == "dev"]
    assert set(made_dev) == {"train"}


@pytest.mark.parametrize("kind", KINDS)
def test_test_files_that_a_task_splits_again_are_warned_of_each_time(
    tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    shuffled = [sentences()[int(row)] for row in np.random.default_rng(0).permutation(len(sentences()))]
    for number, split in enumerate(("train", "train-2", "test")):
        write(tmp_path / f"x-ud-{split}.conllu", shuffled[number::3])
    for _ in range(2):  # what was pooled is kept in memory
        caplog.clear()
        with caplog.at_level("WARNING"):
            found = examples(tmp_path, kind)
        moved = any(e.split == "test" != e.sentence.split for e in found)
        message = f"task treebank/{kind} pools all files and split again, 8:1:1; scores are not those of"
        assert [message in record.getMessage() for record in caplog.records] == [True] * moved


def test_splits_are_made_where_there_are_none(path: Path) -> None:
    task = source(path, "bigram_shift").build()
    shares = [len(task.rows(split)) / len(task) for split in ("train", "dev", "test")]
    assert np.allclose(shares, [0.8, 0.1, 0.1], atol=0.01)


def test_the_same_seed_gives_the_same_task_and_another_another(path: Path) -> None:
    texts = [[e.text for e in examples(path, "tense", seed=seed)] for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


def test_numbers_of_sentences(path: Path) -> None:
    task = source(path, "tense", n_train=101, n_dev=20, n_test=2).build()
    assert [len(task.rows(split)) for split in ("train", "dev", "test")] == [100, 20, 2]
    assert isinstance(task.target, Classes)
    assert task.target.names == ("past", "present")
    whole = source(path, "tense").build()
    assert {unit.text for unit in task.units} < {unit.text for unit in whole.units}


def test_raw_text_has_the_spaces_of_the_file(path: Path) -> None:
    found = examples(path, "coordination_inversion", text="raw")
    if path.suffix == ".mrg":
        assert all(", and the " in e.text and e.text[-2:] in ("k.", "s.") for e in found)
    else:
        assert {e.text for e in found} == {e.text for e in examples(path, "coordination_inversion")}


def test_the_card_says_where_the_treebank_is_from(tmp_path: Path) -> None:
    folder = tmp_path / "UD_Made-Up"
    folder.mkdir()
    path = write(folder / "a.conllu", sentences()[:300])
    said = []
    for name, text in {
        "nothing.txt": "License: none",
        "README": "All about it.\nThis data is for\nnon-commercial use only. And so on.",
        "README.md": "# Made Up\n\n=== Metadata ===\nLicense: CC BY 4.0\nIncludes text: yes\n",
        "LICENSE.txt": "\nAttribution-ShareAlike 4.0\n\nCopyright",
    }.items():
        (folder / name).write_text(text)
        said.append(source(folder if "READ" in name else path, "bigram_shift").build().licence)
        if name == "README":
            (folder / name).unlink()
    assert said == [
        "unknown",
        "This data is for non-commercial use only.",
        "CC BY 4.0",
        "Attribution-ShareAlike 4.0",
    ]
    assert source(folder, "bigram_shift").build().source == "treebank UD_Made-Up (CoNLL-U)"


def without(path: Path, *columns: int) -> Path:
    """A treebank some of whose columns are empty."""
    lines = []
    for line in sentences()[0][0].splitlines():
        fields = line.split("\t")
        for column in columns:
            fields[column - 1] = "_"
        lines.append("\t".join(fields))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("kind", "columns", "message"),
    [
        (
            "depth",
            (7,),
            r"no word has a HEAD, which treebank/depth needs; use treebank/length or",
        ),
        ("coordination_inversion", (4,), "no word has a UPOS, which"),
        ("odd_man_out", (4,), "no word has a UPOS, which"),
        ("tense", (6,), "no word has a FEATS, which treebank/tense needs"),
        ("top_constituents", (8,), "no word has a DEPREL, which .*; use treebank/length or"),
        ("obj_number", (6,), "no word has a FEATS, which"),
    ],
)
def test_a_treebank_without_the_annotation_says_so(
    tmp_path: Path, kind: str, columns: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ProbingError, match=message):
        source(without(tmp_path / "a.conllu", *columns), kind).build()


def test_a_treebank_without_the_feature_says_which_there_are(tmp_path: Path) -> None:
    path = write(tmp_path / "a.conllu", sentences()[:9])
    path.write_text(path.read_text().replace("Tense=", "Aspect="))
    message = r"a\.conllu: no word has the feature Tense, which treebank/tense needs; .* there is Number \("
    with pytest.raises(ProbingError, match=message):
        source(path, "tense").build()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_treebank_that_is_too_small_says_so(tmp_path: Path, kind: str, name: str) -> None:
    path = write(tmp_path / name, [simple(Clause())])
    with pytest.raises(ProbingError, match="treebank") as caught:
        source(path, kind).build()
    assert "\n" not in str(caught.value)
    assert "larger treebank" in str(caught.value)


def test_one_class_only(tmp_path: Path) -> None:
    made = [simple(clause) for clause in clauses(200) if clause.verb[1] == "past"]
    message = (
        r"a\.conllu: task treebank/tense: .*too few sentences to balance train .found [0-9]+ past, 0 present"
    )
    with pytest.raises(ProbingError, match=message):
        source(write(tmp_path / "a.conllu", made), "tense").build()
    made = [simple(Clause((f"{a}{b}rk", "singular"))) for a in "bdfgklmn" for b in "aeiou"]
    with pytest.raises(ProbingError, match=r"only one class \(5-8\) has task\.per_class=20 sentences"):
        source(write(tmp_path / "b.conllu", made), "length").build()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "tenses"}, "unknown kind 'tenses'; use one of length, word_content"),
        ({"n_train": 1}, "task.n_train=1 is too few"),
        ({"per_class": 3}, "task.per_class=3 is too few; give at least 10"),
        ({"shortest": 9, "longest": 8}, "task.longest=8 is too few; give at least 9"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, int | str], message: str) -> None:
    with pytest.raises(ProbingError, match=message):
        TreebankTask(**{"name": "x", "path": Path("x"), "kind": "tense", **settings})  # type: ignore[arg-type]


def test_numbers_that_are_too_few_for_the_classes(path: Path) -> None:
    with pytest.raises(ProbingError, match=r"task.n_train=3 is too few for 2 classes"):
        source(path, "tense", n_train=3).build()
