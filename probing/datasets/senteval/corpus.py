"""Specification of a data set of SentEval, and the task that is made of its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from probing.datasets.senteval.examples import SentEvalExample, SplitOrder, by_lengths, in_order, task_fields
from probing.datasets.senteval.files import check_sizes, locate
from probing.datasets.senteval.labels_and_scales import ClassLabels, Scale, labels_of_train
from probing.datasets.senteval.readers import FileReader, FileRow
from probing.errors import ProbingError
from probing.tasks.target import Metric
from probing.tasks.task import Features, PairInput, Selection, Task


@dataclass(frozen=True)
class Corpus:
    """Specification of one data set.

    Attributes:
        files: Files of each split, below SentEval's data folder.
        reader: Format of the files.
        answers: Classes or scale of the labels; None for the labels that occur in train.
        source: Name and authors of the data.
        licence: Licence of the data.
        selection: Part of the data on which settings are selected; see `Task`.
        features: Combination of the two vectors of a pair; see `Task`.
        order: Order of the examples within a split.
        empty: Whether a sentence without tokens is an example. SentEval cannot read one in some files.
    """

    files: Mapping[str, tuple[str, ...]]
    reader: FileReader
    answers: ClassLabels | Scale | None
    source: str
    licence: str = "unknown"
    selection: Selection = "dev"
    features: Features = "compare"
    order: SplitOrder = by_lengths
    empty: bool = True

    def task(
        self,
        name: str,
        root: Path | None,
        *,
        pair: PairInput = "vectors",
        folds: int | None = None,
        metric: Metric | None = None,
    ) -> Task:
        """Read the files and make the task.

        Args:
            name: Name of the task.
            root: SentEval's data folder; None fetches the files.
            pair: Whether the two texts of a pair get a vector each or are read in one input.
            folds: Number of folds; None for 5, or where settings are selected on a dev split.
            metric: The score; None for accuracy of classes and Pearson's r of scores.

        Raises:
            ProbingError: If a file is missing or has a line of another format, or there are no folds.
        """
        if folds is not None and self.selection == "dev":
            raise ProbingError(f"task.folds={folds} does not apply: {name} has a dev split; leave it out")
        rows: Iterator[FileRow] | list[FileRow] = self._rows(root)
        answers = self.answers
        if answers is None:
            rows = list(rows)
            answers = labels_of_train(rows)
        examples = in_order((self._example(row, answers) for row in rows), self.order)
        target = answers.target([example.answer for example in examples])
        task = Task(
            name=name,
            **task_fields(examples, pair),
            target=target,
            features=self.features,
            selection=self.selection,
            folds=Task.folds if folds is None else folds,
            metric=metric or target.metrics[0],
            source=f"SentEval {self.source}",
            licence=self.licence,
        )
        return check_sizes(task, root)

    def _rows(self, root: Path | None) -> Iterator[FileRow]:
        for split, paths in locate(root, self.files).items():
            yield from self.reader.read(paths, split)

    def _example(self, row: FileRow, answers: ClassLabels | Scale) -> SentEvalExample:
        if not self.empty and not row.texts[0].strip():
            raise ProbingError(f"{row.place}: the sentence is empty; remove the line")
        return example(row, answers)


def example(row: FileRow, answers: ClassLabels | Scale) -> SentEvalExample:
    """Return the example of a row, with one space between the tokens of its texts."""
    text, *second = map(clean, row.texts)
    return SentEvalExample(row.split, text, answers.answer(row.label, row.place), *second)


def clean(text: str) -> str:
    """Return tokens joined by one space, as SentEval gives them to an encoder; "" if there are none."""
    return " ".join(text.split())
