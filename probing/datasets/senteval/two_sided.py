"""SentEval's tasks with a file for each of two classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probing.datasets.lines import read_lines
from probing.datasets.senteval.examples import (
    HINT,
    Example,
    classes,
    clean,
    columns,
    in_order,
)
from probing.datasets.senteval.files import check_sizes, locate
from probing.tasks.target import Metric
from probing.tasks.task import Task
from probing.validation.ranges import Folds


@dataclass(frozen=True)
class _Sides:
    """The two files of a task whose classes have a file each."""

    folder: str
    files: tuple[str, str]
    names: tuple[str, str]
    source: str


_TWO_SIDED = {
    "mr": _Sides(
        "MR",
        ("rt-polarity.neg", "rt-polarity.pos"),
        ("negative", "positive"),
        "MR, sentence polarity of film reviews (Pang and Lee, 2005)",
    ),
    "cr": _Sides(
        "CR",
        ("custrev.neg", "custrev.pos"),
        ("negative", "positive"),
        "CR, polarity of customer reviews (Hu and Liu, 2004)",
    ),
    "subj": _Sides(
        "SUBJ",
        ("subj.subjective", "subj.objective"),
        ("subjective", "objective"),
        "SUBJ, subjectivity of sentences on films (Pang and Lee, 2004)",
    ),
    "mpqa": _Sides(
        "MPQA",
        ("mpqa.neg", "mpqa.pos"),
        ("negative", "positive"),
        "MPQA, polarity of opinion phrases (Wiebe et al., 2005)",
    ),
}


@dataclass(frozen=True)
class TwoSided:
    """MR, CR, SUBJ or MPQA: one file for each of two classes, no splits, nested cross-validation.

    Every line is a sentence, an empty one too: SentEval reads it as ".", and CR has four of them.

    Attributes:
        name: As on the command line.
        data: Which of the four.
        root: SentEval's data folder; None fetches.
        folds: Number of folds, the outer that test and the inner that choose settings.
        metric: The score.
    """

    name: str
    data: Literal["mr", "cr", "subj", "mpqa"]
    root: Path | None = None
    folds: Folds = 5
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read both files; see `TaskSource.build`."""
        sides = _TWO_SIDED[self.data]
        paths = locate(self.root, [f"downstream/{sides.folder}/{file}" for file in sides.files])
        examples = in_order(
            Example("train", clean(line), label)
            for label, path in enumerate(paths)
            for _, line in read_lines(path, "latin-1", HINT, blank=True)
        )
        task = Task(
            name=self.name,
            **columns(examples),
            target=classes(examples, sides.names),
            selection="nested",
            folds=self.folds,
            metric=self.metric,
            source=f"SentEval {sides.source}",
        )
        return check_sizes(task, self.root)
