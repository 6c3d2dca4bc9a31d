"""The treebank task of all dependencies has the targets of the authors' conversion of treebanks."""

from __future__ import annotations

from pathlib import Path

from probing.datasets.treebank.every_head import DependencyTask
from probing.tasks.target import Classes
from tests.datasets.treebank.made import block, row

# the sentence and its targets are those of jiant's description of its conversion
ROWS = [
    row(1, "This", "PRON", "DT", 3, "nsubj"),
    row(2, "only", "ADV", "RB", 3, "advmod"),
    row(3, "serves", "VERB", "VBZ", 0, "root"),
    row(4, "their", "PRON", "PRP$", 5, "nmod:poss"),
    row(5, "purposes", "NOUN", "NNS", 3, "obj"),
    row(6, ".", "PUNCT", ".", 3, "punct"),
]
TARGETS = [
    ([0, 1], [2, 3], "nsubj"),
    ([1, 2], [2, 3], "advmod"),
    ([2, 3], [2, 3], "root"),
    ([3, 4], [4, 5], "nmod:poss"),
    ([4, 5], [2, 3], "obj"),
    ([5, 6], [2, 3], "punct"),
]


def test_dependents_and_heads_are_those_of_the_authors(tmp_path: Path) -> None:
    # a sentence that is in several splits would count in test alone
    for split, firsts in (("train", ("It", "Each")), ("dev", ("That",)), ("test", ("This",))):
        blocks = [block(ROWS).replace("This", first) for first in firsts]
        (tmp_path / f"{split}.conllu").write_text("\n".join(blocks) + "\n")
    task = DependencyTask("treebank/dependencies", tmp_path).build()
    assert isinstance(task.target, Classes)
    assert task.partners is not None
    words = ["This", "only", "serves", "their", "purposes", "."]
    rows = task.rows("test").tolist()
    found = [
        (task.units[row].text[slice(*task.units[row].span or ())],
         task.partners[row].text[slice(*task.partners[row].span or ())], task.target.shown()[row])
        for row in rows
    ]  # fmt: skip
    assert found == [(words[one[0]], words[two[0]], label) for one, two, label in TARGETS]
