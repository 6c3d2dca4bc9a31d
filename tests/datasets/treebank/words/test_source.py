"""Word tasks from the path of a treebank: units, classes, and what can go wrong."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.datasets.treebank.sentence import TextStyle
from probing.datasets.treebank.words import WordTask
from probing.errors import ProbingError
from tests.datasets.treebank.words.made import SENTENCES, names, shown, write_french

LABELS = ("upos", "xpos", "feature", "deprel", "governs")


def small(path: Path, label: str, **settings: object) -> WordTask:
    return WordTask(f"treebank/{label}", path, label, **({"feature": "Number"} | settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("style", ["tokens", "raw"])
def test_units_are_the_written_words(tmp_path: Path, style: TextStyle) -> None:
    path = write_french(tmp_path)
    upos = shown(small(path, "upos", text=style).build())
    assert len(upos) == 7 * SENTENCES
    assert {label for word, _, label in upos if word in {"mes", "Le"}} == {"DET"}
    assert {word for word, _, label in upos if label == "PUNCT"} == {"."}
    assert {word[:4] for word, _, label in upos if label == "NOUN"} == {"chat", "vois", "amis"}
    pairs = shown(small(path, "deprel", text=style).build())
    assert ("mes", "amis", "det") in pairs
    assert {(word[:6], head[:4]) for word, head, label in pairs if label == "nmod"} == {("voisin", "chat")}


def test_rare_classes_are_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_french(tmp_path)
    rare = path.read_text().replace("mes\tmon\tDET", "mes\tmon\tPRON", 5)
    path.write_text(rare)
    with caplog.at_level(logging.INFO):
        task = small(path, "upos").build()
    assert "PRON" not in names(task)
    assert "classes left out, rare: PRON (5)" in caplog.text
    assert "40 tokens contain words with different labels" in caplog.text
    two = small(path, "upos", most_classes=2).build()
    assert names(two) == ("DET", "NOUN")


def test_a_class_that_train_never_has_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for split in ("train", "dev", "test"):
        path = write_french(tmp_path, name=f"fr-ud-{split}.conllu")
        text = path.read_text().replace("chat", split).replace("voisin", f"de{split}")
        path.write_text(text.replace("VERB", "AUX") if split == "test" else text)
    with caplog.at_level(logging.INFO):
        task = small(tmp_path, "upos").build()
    assert "AUX" not in names(task)
    assert f"never seen in train: AUX ({SENTENCES})" in caplog.text


def test_pairs_are_put_together_as_asked(tmp_path: Path) -> None:
    path = write_french(tmp_path)
    assert small(path, "deprel").build().features == "concat"
    assert small(path, "governs", features="all", punctuation=False).build().features == "all"
    assert names(small(path, "governs", metric="f1", punctuation=False).build()) == ("no", "yes")
    assert small(path, "upos").build().partners is None


def test_the_same_fields_give_the_same_task(tmp_path: Path) -> None:
    path = write_french(tmp_path)
    for label in LABELS:
        one, two = (small(path, label).build() for _ in range(2))
        assert one.all_units == two.all_units
        assert np.array_equal(one.split, two.split)
        assert one.target.shown() == two.target.shown()
        assert set(small(path, label, seed=1).build().split.tolist()) == {"train", "dev", "test"}


@pytest.mark.parametrize("label", LABELS)
def test_a_choice_builds_from_its_file(tmp_path: Path, label: str) -> None:
    path = write_french(tmp_path)
    more = ["task.feature=Number"] if label == "feature" else []
    config = build_config(
        plain_values(compose_config([f"task=treebank/{label}", f"task.path={path}", *more]))
    )
    assert config.task.name == f"treebank/{label}"
    assert len(config.task.build()) > SENTENCES


def test_constituency_trees_have_tags_and_nothing_else(tmp_path: Path) -> None:
    tree = "( (S (NP (DT the) (NN cat{0})) (VP (VBD saw) (NP (NNS dogs{0}))) (. .)) )\n"
    path = tmp_path / "cats.mrg"
    path.write_text("".join(tree.format(number) for number in range(SENTENCES)))
    task = small(path, "xpos").build()
    assert names(task) == (".", "DT", "NN", "NNS", "VBD")
    assert ("the", "", "DT") in shown(task)
    with pytest.raises(ProbingError, match=r"\.mrg: no word has a HEAD.*use treebank/xpos, or give"):
        small(path, "governs").build()


@pytest.mark.parametrize(
    ("without", "label", "message"),
    [
        ((4,), "upos", "no word has a UPOS, which treebank/upos needs; use treebank/xpos or "),
        ((5,), "xpos", "no word has a XPOS"),
        ((6,), "feature", "no word has a FEATS"),
        ((7, 8), "governs", "no word has a HEAD"),
        ((8,), "deprel", "no word has a DEPREL.*or treebank/governs, or"),
    ],
)
def test_an_empty_column_is_named(tmp_path: Path, without: tuple[int, ...], label: str, message: str) -> None:
    path = write_french(tmp_path, without=without)
    with pytest.raises(ProbingError, match=message) as caught:
        small(path, label).build()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_that_one_file_lacks_is_named_with_that_file(tmp_path: Path) -> None:
    write_french(tmp_path, name="fr-train.conllu")
    write_french(tmp_path, name="fr-test.conllu", without=(4,))
    with pytest.raises(ProbingError, match=r"fr-test\.conllu: no word has a UPOS"):
        small(tmp_path, "upos").build()


@pytest.mark.parametrize("feature", ["Kase", None])
def test_an_unknown_feature_is_answered_by_those_that_there_are(tmp_path: Path, feature: str | None) -> None:
    wrong = "task.feature=Kase" if feature else "task.feature is not set"
    there = r"Number \(280 words\), Gender \(200 words\), Tense \(40 words\)"
    with pytest.raises(ProbingError, match=f"{wrong}; there is {there}"):
        small(write_french(tmp_path), "feature", feature=feature).build()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"feature": "Tense", "label": "feature"},
            r"only one class \(Pres\) has task.least_examples=10 words among",
        ),
        (
            {"least_examples": 1000},
            "no class has task.least_examples=1000 words among the task.n_train=20000",
        ),
        ({"n_dev": 0}, "task.n_dev=0 is too few; give at least 1"),
        ({"most_classes": 1}, "task.most_classes=1 is too few; give at least 2"),
        ({"unseen": True, "label": "xpos", "n_dev": 1}, "dev has none of the words"),
        ({"metric": "f1"}, "task.metric=f1 does not apply"),
    ],
)
def test_what_cannot_be_probed_is_said(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    path = write_french(tmp_path)
    with pytest.raises(ProbingError, match=message):
        small(path, **({"label": "upos"} | settings)).build()  # type: ignore[arg-type]
