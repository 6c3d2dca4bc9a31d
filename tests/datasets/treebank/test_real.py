"""What the ten tasks claim, checked over two real treebanks."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from probing.datasets.treebank import tree_facts as reading
from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.pool import SentenceExample
from probing.datasets.treebank.properties import KINDS
from probing.datasets.treebank.properties.odd_man_out import FEWEST, MOST
from probing.datasets.treebank.task import TreebankTask

pytestmark = pytest.mark.slow

# length says nothing of the class
CONTROLLED = [
    "depth",
    "tense",
    "subj_number",
    "obj_number",
    "bigram_shift",
    "odd_man_out",
    "coordination_inversion",
]
# the fewest sentences that each is to yield, of EWT's 16,622 and of the 3,914 of the Penn sample
LEAST = {
    "length": (3500, 1000),
    "word_content": (2000, 500),
    "depth": (2500, 700),
    "top_constituents": (800, 300),
    "bigram_shift": (9000, 2000),
    "tense": (3000, 1100),
    "subj_number": (1200, 800),
    "obj_number": (1000, 250),
    "odd_man_out": (5000, 1200),
    "coordination_inversion": (500, 30),
}
TREEBANKS = ["UD_English-EWT", "PTB_sample"]


@pytest.fixture(params=TREEBANKS)
def path(request: pytest.FixtureRequest, shared: Path) -> Path:
    return Path(shared, "data", "treebanks", request.param)


@cache
def examples(path: Path, kind: str) -> list[SentenceExample]:
    return TreebankTask(f"treebank/{kind}", path, kind).examples()[0]


def altered(path: Path, kind: str) -> list[tuple[SentenceExample, tuple[str, ...]]]:
    """Examples with an altered text, and its tokens."""
    return [
        (e, tuple(e.text.split(" "))) for e in examples(path, kind) if e.text != e.sentence.text("tokens")
    ]


def test_all_sentences_are_read(path: Path) -> None:
    splits = Counter(sentence.split for sentence in read_treebank(path))
    published = {
        "UD_English-EWT": {"train": 12_544, "dev": 2_001, "test": 2_077},
        "PTB_sample": {None: 3_914},
    }
    assert splits == published[path.name]


@pytest.mark.parametrize("kind", KINDS)
def test_classes_are_balanced_and_no_sentence_comes_twice(path: Path, kind: str) -> None:
    found = examples(path, kind)
    assert len(found) >= LEAST[kind][TREEBANKS.index(path.name)]
    classes = {e.label for e in found}
    assert len(classes) >= 2
    for split in ("train", "dev", "test"):
        counts = Counter(e.label for e in found if e.split == split)
        assert set(counts) == classes
        assert len(set(counts.values())) == 1
    keys = Counter("".join(e.sentence.tokens) for e in found)
    assert set(keys.values()) == {1}
    assert all(5 <= len(e.sentence.tokens) <= 28 for e in found)
    labels = {e.label for e in found if e.text != e.sentence.text("tokens")}
    assert len(labels) == (kind in ("bigram_shift", "odd_man_out", "coordination_inversion"))


@pytest.mark.parametrize("kind", CONTROLLED)
def test_length_alone_stays_near_majority(path: Path, kind: str) -> None:
    found = examples(path, kind)
    train = np.array([e.split == "train" for e in found])
    lengths = np.array([[len(e.text.split(" "))] for e in found])
    labels = np.array([e.label for e in found])
    coded = OneHotEncoder(handle_unknown="ignore").fit(lengths[train])
    probe = LogisticRegression(max_iter=200).fit(coded.transform(lengths[train]), labels[train])
    score = probe.score(coded.transform(lengths[~train]), labels[~train])
    # a guess is this far off by chance, twice in a hundred
    noise = 2.1 * np.sqrt(0.25 / (~train).sum())
    assert score <= 1 / len(set(labels)) + noise


@pytest.mark.parametrize("kind", ["tense", "subj_number", "obj_number"])
def test_no_form_is_the_target_in_two_splits(path: Path, kind: str) -> None:
    ask = {"tense": reading.tense, "subj_number": reading.subject, "obj_number": reading.direct_object}[kind]
    splits: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    for example in examples(path, kind):
        marked = ask(example.sentence)
        assert marked
        assert marked.label == example.label
        form = example.sentence.words[marked.word].form.lower()
        splits.setdefault(form, set()).add(example.split)
        counts[form] += 1
    assert {len(names) for names in splits.values()} == {1}
    assert counts.most_common(1)[0][1] <= 0.1 * counts.total()


def test_depth_is_as_frequent_as_any_other_at_every_length(path: Path) -> None:
    found = examples(path, "depth")
    table = Counter((e.split, len(e.sentence.tokens), e.label) for e in found)
    labels = {e.label for e in found}
    assert all(len({table[split, length, label] for label in labels}) == 1 for split, length, _ in table)


def test_each_sentence_has_one_target_word(path: Path) -> None:
    found = examples(path, "word_content")
    classes = {e.label for e in found}
    for example in found:
        assert [t.lower() for t in example.sentence.tokens if t.lower() in classes] == [example.label]


def test_one_pair_of_neighbours_is_swapped(path: Path) -> None:
    for example, tokens in altered(path, "bigram_shift"):
        was = example.sentence.tokens
        places = [n for n, (a, b) in enumerate(zip(was, tokens, strict=True)) if a != b]
        assert places == [places[0], places[0] + 1]
        assert was[places[0] : places[0] + 2] == tokens[places[0] : places[0] + 2][::-1]
        assert places[0] > 0


def test_one_word_is_replaced_by_another_of_like_frequency(path: Path) -> None:
    treebank = read_treebank(path)
    words = Counter(token for sentence in treebank for token in sentence.tokens)
    pairs = Counter(pair for sentence in treebank for pair in pairwise((*sentence.tokens, "")))
    tags: dict[str, set[str]] = {}
    for sentence in treebank:
        for analysed in sentence.words:
            tags.setdefault(analysed.form, set()).add(analysed.xpos)
    splits: dict[str, set[str]] = {}
    for example, tokens in altered(path, "odd_man_out"):
        was = example.sentence.tokens
        (place,) = (n for n, (a, b) in enumerate(zip(was, tokens, strict=True)) if a != b)
        old, new = (*was, ""), (*tokens, "")
        around = [
            (words[old[place]], words[new[place]]),
            (pairs[old[place - 1], old[place]], pairs[new[place - 1], new[place]]),
            (pairs[old[place], old[place + 1]], pairs[new[place], new[place + 1]]),
        ]
        assert all(max(both) <= 2 * min(both) for both in around)
        assert all(FEWEST <= count <= MOST for count in around[0])
        assert tags[old[place]] & tags[new[place]]
        for word in (old[place], new[place]):
            splits.setdefault(word, set()).add(example.split)
    assert {len(names) for names in splits.values()} == {1}


def test_clauses_change_places_and_their_lengths_do_not_tell(path: Path) -> None:
    longer: dict[str, Counter[int]] = {}
    for example in examples(path, "coordination_inversion"):
        clauses = reading.clauses(example.sentence)
        assert clauses
        was = [token.lower() for token in example.sentence.tokens]
        tokens = example.text.lower().split(" ")
        first, second = clauses.lengths
        if example.label == "inverted":
            first, second = second, first
            assert tokens[:first] == was[clauses.link + 1 : clauses.end]
            assert tokens[clauses.end - second : clauses.end] == was[:second]
        assert sorted(tokens) == sorted(was)
        assert tokens[clauses.end :] == was[clauses.end :]
        longer.setdefault(example.label, Counter())[int(np.sign(first - second))] += 1
    assert longer["original"] == longer["inverted"]


def test_ewt_keeps_its_splits_where_no_words_are_split(shared: Path) -> None:
    path = shared / "data" / "treebanks" / "UD_English-EWT"
    for kind in ("length", "depth", "top_constituents", "bigram_shift", "coordination_inversion"):
        assert all(e.split == e.sentence.split for e in examples(path, kind))


def test_the_penn_sample_has_sentevals_classes(shared: Path) -> None:
    found = examples(shared / "data" / "treebanks" / "PTB_sample", "top_constituents")
    assert {e.label for e in found} == {"NP_VP_.", "NP_ADVP_VP_.", "CC_NP_VP_.", "OTHER"}
    assert all(e.text.endswith((".", "?", "!")) for e in found if e.label != "OTHER")


def test_the_penn_sample_has_the_words_and_tags_of_its_dependency_version(shared: Path) -> None:
    folder = shared / "data" / "treebanks" / "PTB_sample"
    found = read_treebank(folder)
    rows = [line.split("\t") for line in (folder / "wsj_sample.dp").read_text(encoding="utf-8").splitlines()]
    theirs = [columns[:2] for columns in rows if len(columns) == 3]
    # the dependency version of the same sentences has the same words and tags
    ours = [(word.form, word.xpos) for sentence in found for word in sentence.words]
    assert len(ours) == len(theirs)
    assert [tag for _, tag in ours] == [tag for _, tag in theirs]
    assert found[1].text("raw") == "Mr. Vinken is chairman of Elsevier N.V., the Dutch publishing group."
