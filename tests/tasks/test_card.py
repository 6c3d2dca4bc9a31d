"""A task card counts what is there, on data small enough to count by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from probing.tasks.card import card
from probing.tasks.card_text import card_text
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task, Unit


def task(
    rows: list[tuple[str, str, str]],
    names: tuple[str, ...] = ("no", "yes"),
    **changes: Any,  # noqa: ANN401
) -> Task:
    """Examples of split, class and text."""
    fields: dict[str, Any] = {
        "name": "test/card",
        "units": tuple(Unit(text) for _, _, text in rows),
        "target": Classes(np.array([names.index(label) for _, label, _ in rows]), names),
        "split": np.array([split for split, _, _ in rows]),
        "source": "hand-made",
        "licence": "CC0",
    }
    return Task(**(fields | changes))


ROWS = [
    ("train", "no", "a"),
    ("train", "no", "a b"),
    ("train", "no", "a b c"),
    ("train", "yes", "a b"),
    ("train", "yes", "a"),
    ("train", "no", "a"),
    ("train", "no", "a b c d e f g"),
    ("dev", "yes", "new here"),
    ("dev", "no", "a b"),
    ("dev", "no", "a b"),
    ("test", "no", "a  b"),
    ("test", "yes", "a b c"),
]


def test_counts_majority_overlap_and_lengths() -> None:
    made = card(task(ROWS))
    train, dev, test = made.splits
    assert [(split.name, split.size) for split in made.splits] == [("train", 7), ("dev", 3), ("test", 2)]
    assert train.classes == {"no": 5, "yes": 2}
    assert (train.majority, dev.majority, test.majority) == (5 / 7, 2 / 3, 1 / 2)
    assert (train.in_train, dev.in_train, test.in_train) == (0, 2, 1)
    assert (train.repeated, dev.repeated, test.repeated) == (3, 1, 0)
    assert made.conflicts == 3  # "a" and "a b" within train, "a b c" between train and test
    lengths = train.lengths
    assert (lengths.mean, lengths.median, lengths.low, lengths.high, lengths.most) == (17 / 7, 2, 1, 7, 7)
    assert made.length_unit == "words"


def test_percentiles_of_lengths() -> None:
    rows = [("train", "no" if n % 2 else "yes", "w " * n) for n in range(1, 102)]
    made = card(task([*rows, ("test", "no", "x y"), ("dev", "no", "x y z")]))
    lengths = made.splits[0].lengths
    assert (lengths.low, lengths.median, lengths.high, lengths.most) == (6, 51, 96, 101)


def test_a_pair_counts_as_a_whole() -> None:
    firsts = ["a", "a", "b", "b", "a", "a"]
    seconds = ["x y", "x", "x y", "x z", "x y", "x z"]
    split = np.array(["train"] * 4 + ["test"] * 2)
    target = Classes(np.array([0, 1, 1, 0, 1, 0]), ("no", "yes"))
    pair = Task(
        "test/pairs",
        tuple(map(Unit, firsts)),
        target,
        split,
        partners=tuple(map(Unit, seconds)),
        selection="holdout",
    )
    joint = Task(
        "test/joint",
        tuple(Unit(one, second=two) for one, two in zip(firsts, seconds, strict=True)),
        target,
        split,
        selection="holdout",
    )
    for made in (card(pair), card(joint)):
        train, test = made.splits
        assert (test.in_train, train.repeated, made.conflicts) == (1, 0, 1)
        assert (train.lengths.mean, train.lengths.most) == (11 / 4, 3)
    assert "one vector each" in card(pair).units
    assert "read together" in card(joint).units


def test_words_of_one_sentence_are_not_repetitions_but_their_sentence_may_overlap() -> None:
    def unit(text: str, start: int) -> Unit:
        return Unit(text, (start, start + 1))

    units = (unit("a b", 0), unit("a b", 2), unit("a b", 2), unit("c d", 0), unit("a b", 2), unit("e f", 0))
    words = Task(
        "test/words",
        units,
        Classes(np.array([0, 1, 0, 1, 1, 0]), ("N", "V")),
        np.array(["train"] * 4 + ["test"] * 2),
        selection="holdout",
    )
    made = card(words)
    assert made.units == "words or spans of texts"
    assert (made.splits[0].repeated, made.splits[1].in_train, made.conflicts) == (1, 1, 1)
    spans = card(Task(**{**vars(words), "partners": (unit("a b", 0),) * 4 + (unit("e f", 2),) * 2}))
    assert spans.units.startswith("pairs of spans")
    assert spans.splits[0].repeated == 1
    apart = tuple(unit("a b", 2 * (row % 2)) for row in range(4)) + (unit("e f", 2),) * 2
    assert card(Task(**{**vars(words), "partners": apart})).splits[0].repeated == 0
    # the first three pairs are of spans of one text, which is read once
    assert spans.splits[0].lengths.mean == (2 + 2 + 2 + 4) / 4


def test_texts_without_spaces_are_measured_in_characters() -> None:
    rows = [(split, label, text) for split, label, text in ROWS if split == "train"]
    spaceless = [(split, label, text.replace(" ", "字")) for split, label, text in rows]
    made = card(task([*spaceless, ("dev", "no", "字字"), ("test", "no", "a b")]))
    assert made.length_unit == "characters"
    assert made.splits[0].lengths.most == 13
    pairs = Task(
        "test/pairs",
        tuple(Unit(text) for text in ("字字", "字", "字字字", "字") * 2),
        Classes(np.array([0, 1] * 4), ("a", "b")),
        np.array(["train"] * 8),
        partners=(Unit("五五五"),) * 8,
        selection="nested",
        folds=2,
    )
    assert card(pairs).splits[0].lengths.most == 6


def test_scores() -> None:
    scores = Scores(np.array([0.0, 2.0, 4.0, 1.0, 2.5]), (0, 1, 2, 3, 4))
    made = card(
        Task(
            "test/scores",
            tuple(map(Unit, ["a b", "c d", "e f", "a b", "g h"])),
            scores,
            np.array(["train"] * 3 + ["test"] * 2),
            selection="holdout",
            metric="spearman",
            groups=np.array(["x", "y", "y", "x", "x"]),
        )
    )
    of_train = made.splits[0].scores
    assert of_train is not None
    assert (of_train.mean, of_train.low, of_train.high) == (2, 0, 4)
    assert of_train.sd == pytest.approx((8 / 3) ** 0.5)
    assert made.splits[0].classes is None
    assert made.splits[0].majority is None
    assert made.conflicts == 1
    assert made.groups == {"x": 3, "y": 2}
    assert "0 to 4, mean 2.00" in card_text(made)
    assert "x (3), y (2)" in card_text(made)


def test_the_text_says_what_the_card_holds() -> None:
    lines = card_text(card(task(ROWS))).splitlines()
    assert lines[0] == "task test/card: 7 train, 3 dev, 2 test; accuracy; settings selected on dev"
    assert lines[1].split() == ["source", "hand-made;", "licence:", "CC0"]
    rest = " ".join(" ".join(lines[2:]).split())
    assert rest.startswith(
        "classes 2, in train no (5), yes (2) majority always no; train 71.4%; dev 66.7%; test 50.0% words"
    )
    assert rest.endswith(
        "overlap 2 of dev (66.7%) also in train; 1 of test (50.0%) also in train; 3 repeated within train; "
        "1 repeated within dev; texts with conflicting labels: 3"
    )


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ("kfold", "2-fold cross-validation on train"),
        ("nested", "tested by 2-fold"),
        ("holdout", "a tenth of train"),
    ],
)
def test_the_selection_in_words(selection: str, said: str) -> None:
    rows = [row for row in ROWS if row[0] == "train"] * 2 if selection == "nested" else ROWS
    assert said in card_text(card(task(rows, selection=selection, folds=2)))


def test_no_line_is_wider_than_the_page_and_the_largest_classes_are_named() -> None:
    names = tuple(f"class {number} with a name that is much too long for a table" for number in range(50))
    rows = [("train", names[n % 50], f"text {n}") for n in range(150)] + [("train", names[7], "more")] * 9
    wide = task(
        [*rows, ("dev", names[0], "x"), ("test", names[0], "x")],
        names,
        name="test/" + "long" * 40,
        source="/a/path/" * 30,
    )
    text = card_text(card(wide))
    assert max(map(len, text.splitlines())) <= 110
    flat = " ".join(text.split())
    assert "50, in train class 7 with a name that is... (12), class 0" in flat
    assert "+ 42 more" in flat
    assert card(wide).splits[0].classes == {name: 12 if name == names[7] else 3 for name in names}


def test_the_record_is_plain_and_complete() -> None:
    made = card(task(ROWS)).as_dict()
    again = json.loads(json.dumps(made))
    assert again["splits"][0]["classes"] == {"no": 5, "yes": 2}
    assert again["splits"][1]["in_train"] == 2
    assert OmegaConf.to_container(OmegaConf.create(made)) == again


def test_trec_as_it_is_known(shared: Any) -> None:  # noqa: ANN401
    from probing.datasets.senteval import SentenceTask

    made = card(SentenceTask("senteval/trec", "trec", shared / "data" / "senteval").build())
    train, test = made.splits
    assert (train.size, test.size) == (5452, 500)
    assert train.classes == {"ABBR": 86, "DESC": 1162, "ENTY": 1250, "HUM": 1223, "LOC": 835, "NUM": 896}
    assert train.majority == pytest.approx(0.229, abs=5e-4)
