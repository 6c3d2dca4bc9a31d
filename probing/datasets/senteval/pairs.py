"""SentEval's tasks on pairs of sentences for which a probe is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from probing.datasets.lines import read_lines
from probing.datasets.senteval.examples import (
    HINT,
    Example,
    Place,
    classes,
    clean,
    columns,
    in_order,
    length,
    one_of,
    rows,
    score,
    scores,
)
from probing.datasets.senteval.files import check_sizes, locate
from probing.errors import ProbingError
from probing.tasks.target import Metric
from probing.tasks.task import SPLITS, Pair, Task
from probing.validation.ranges import Folds

SNLI_CLASSES = ("entailment", "neutral", "contradiction")
SICK_CLASSES = ("CONTRADICTION", "NEUTRAL", "ENTAILMENT")
_SICK_FILES = {"train": "SICK_train", "dev": "SICK_trial", "test": "SICK_test_annotated"}
_SICK_ROW = "id, two sentences, relatedness and entailment"
_SICK_SOURCE = "SentEval SICK (Marelli et al., 2014)"
_SICK_LICENCE = "CC BY-NC-SA 3.0"


@dataclass(frozen=True)
class Mrpc:
    """The Microsoft Research Paraphrase Corpus (Dolan, Quirk and Brockett, 2004): paraphrases or not.

    Attributes:
        name: As on the command line.
        root: SentEval's data folder; None fetches.
        pair: Whether the sentences get a vector each, or are read as one joint input.
        folds: Folds of the cross-validation that chooses settings, for want of a dev split.
        metric: The score.
    """

    name: str
    root: Path | None = None
    pair: Pair = "vectors"
    folds: Folds = 5
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read both files; see `TaskSource.build`."""
        splits = ("train", "test")
        paths = locate(self.root, [f"downstream/MRPC/msr_paraphrase_{split}.txt" for split in splits])
        examples = in_order(
            example for split, path in zip(splits, paths, strict=True) for example in self._read(path, split)
        )
        task = Task(
            name=self.name,
            **columns(examples, self.pair),
            target=classes(examples, ("different", "paraphrase")),
            features="compare",
            selection="kfold",
            folds=self.folds,
            metric=self.metric,
            source="SentEval MRPC, Microsoft Research Paraphrase Corpus (Dolan et al., 2004)",
            licence="Microsoft Shared Source License",
        )
        return check_sizes(task, self.root)

    @staticmethod
    def _read(path: Path, split: str) -> Iterator[Example]:
        for place, fields in rows(path, "utf-8", 5, "quality, two ids and two sentences", "Quality"):
            answer = one_of(fields[0], "01", place)
            yield Example(split, clean(fields[3]), answer, clean(fields[4]))


@dataclass(frozen=True)
class Snli:
    """Stanford Natural Language Inference (Bowman et al., 2015): what a premise says of a hypothesis.

    SentEval decodes these files as Latin-1; they are UTF-8, and are read so here.

    Attributes:
        name: As on the command line.
        root: SentEval's data folder; None fetches.
        pair: Whether the sentences get a vector each, or are read as one joint input.
        metric: The score.
    """

    name: str
    root: Path | None = None
    pair: Pair = "vectors"
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read the nine files; see `TaskSource.build`."""
        kinds = ("s1", "s2", "labels")
        files = [f"downstream/SNLI/{kind}.{split}" for split in SPLITS for kind in kinds]
        paths = locate(self.root, files)
        examples = []
        for at, split in enumerate(SPLITS):
            three = paths[3 * at : 3 * at + 3]
            # within a split by hypothesis, then premise, then label by name
            examples += sorted(
                self._read(three, split),
                key=lambda e: (length(e.second or ""), length(e.text), SNLI_CLASSES[int(e.answer)]),
            )
        task = Task(
            name=self.name,
            **columns(examples, self.pair),
            target=classes(examples, SNLI_CLASSES),
            features="all",
            metric=self.metric,
            source="SentEval SNLI (Bowman et al., 2015)",
            licence="CC BY-SA 4.0",
        )
        return check_sizes(task, self.root)

    @staticmethod
    def _read(paths: list[Path], split: str) -> Iterator[Example]:
        premises, hypotheses, labels = (list(read_lines(path, "utf-8", HINT, blank=True)) for path in paths)
        if not len(premises) == len(hypotheses) == len(labels):
            counts = ", ".join(
                f"{path.name} has {len(lines)}"
                for path, lines in zip(paths, (premises, hypotheses, labels), strict=True)
            )
            raise ProbingError(f"{paths[0].parent}: {counts} lines; line by line they belong together")
        triples = zip(premises, hypotheses, labels, strict=True)
        for (_, premise), (_, hypothesis), (number, label) in triples:
            answer = one_of(label.strip(), SNLI_CLASSES, Place(paths[2], number))
            yield Example(split, clean(premise), answer, clean(hypothesis))


@dataclass(frozen=True)
class SickEntailment:
    """SICK-E (Marelli et al., 2014): whether one sentence follows from another.

    Attributes:
        name: As on the command line.
        root: SentEval's data folder; None fetches.
        pair: Whether the sentences get a vector each, or are read as one joint input.
        metric: The score.
    """

    name: str
    root: Path | None = None
    pair: Pair = "vectors"
    metric: Metric = "accuracy"

    def build(self) -> Task:
        """Read the three files; see `TaskSource.build`."""
        examples = in_order(
            Example(split, first, one_of(fields[4].strip(), SICK_CLASSES, place), second)
            for split, place, first, second, fields in _read_sick(self.root)
        )
        task = Task(
            name=self.name,
            **columns(examples, self.pair),
            target=classes(examples, SICK_CLASSES),
            features="compare",
            metric=self.metric,
            source=_SICK_SOURCE,
            licence=_SICK_LICENCE,
        )
        return check_sizes(task, self.root)


@dataclass(frozen=True)
class SickRelatedness:
    """SICK-R (Marelli et al., 2014): how related two sentences are, from 1 to 5.

    Attributes:
        name: As on the command line.
        root: SentEval's data folder; None fetches.
        pair: Whether the sentences get a vector each, or are read as one joint input.
        metric: The score.
    """

    name: str
    root: Path | None = None
    pair: Pair = "vectors"
    metric: Metric = "pearson"

    def build(self) -> Task:
        """Read the three files; see `TaskSource.build`."""
        examples = in_order(
            Example(split, first, score(fields[3], 1, 5, place), second)
            for split, place, first, second, fields in _read_sick(self.root)
        )
        task = Task(
            name=self.name,
            **columns(examples, self.pair),
            target=scores(examples, 1, 5),
            features="compare",
            metric=self.metric,
            source=_SICK_SOURCE,
            licence=_SICK_LICENCE,
        )
        return check_sizes(task, self.root)


def _read_sick(root: Path | None) -> Iterator[tuple[str, Place, str, str, list[str]]]:
    paths = locate(root, [f"downstream/SICK/{file}.txt" for file in _SICK_FILES.values()])
    for split, path in zip(_SICK_FILES, paths, strict=True):
        for place, fields in rows(path, "utf-8", 5, _SICK_ROW, "pair_ID"):
            yield split, place, clean(fields[1]), clean(fields[2]), fields
