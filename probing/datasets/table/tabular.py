"""The part of a task that any source of tables shares: from tables by split to units, target and splits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from probing.datasets.table.columns import TableColumns
from probing.datasets.table.labels import (
    TargetKind,
    check_seen,
    is_score,
    labelled,
    make_classes,
    make_scores,
)
from probing.datasets.table.several_labels import check_label_options, label_splits, make_labels
from probing.datasets.table.units import TableExample, read_examples
from probing.datasets.table.values import DataTable
from probing.errors import ProbingError
from probing.tasks.splits import check_shares, make_splits
from probing.tasks.target import SCORE_METRICS, Classes, Labels, Metric, Scores, Target
from probing.tasks.task import SPLITS, Features, Selection, Task
from probing.validation.ranges import Folds, Seed, ZeroToOne, check_ranges

log = logging.getLogger(__name__)
Choice = Literal["auto", "dev", "kfold", "holdout", "nested", "none"]
# maximum number of train examples for which cross-validation is worth its time
_KFOLD_MOST = 10_000


@dataclass(frozen=True)
class Tables:
    """The tables of a source.

    Attributes:
        by_split: Each table with the split of all its rows, or with None if a column or nothing gives it.
        source: Origin of the rows, for the record.
        whole: Whether these are all rows of the source.
        partial: Splits of which not all rows are there.
    """

    by_split: Sequence[tuple[str | None, DataTable]]
    source: str
    whole: bool = True
    partial: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class TabularTask(TableColumns):
    """Rows of tables as examples of a task; a source of tables inherits from this class.

    Examples keep the order of the rows. If there are no splits, `make_splits` divides the texts. If there are
    only train and test, settings are selected as `selection` says.

    Attributes:
        name: Name in results.
        features: Combination of the two vectors of a pair.
        kind: Whether labels are classes or scores. `auto` reads a column as scores if all its values are
            numbers and one of them has a fraction, or if `low`, `high` or a `metric` of scores is given. It
            reads all other columns as classes, whole numbers included.
        label_separator: Separator of the labels of an example that may have several, such as "|". An empty
            cell is an example without labels. None reads one class or score.
        classes: Names of the classes in order, with the positive one of two last; None takes the order that
            the data declare, or sorts them.
        ignore: Labels to leave out, with "" or null for a missing one. A word that is left out stays in its
            sentence. As in `classes`, every entry must name an existing label; -1 also names -1.0.
            With `label_separator`, examples stay and only lose these labels.
        low: Lowest possible score; None takes the lowest in the data.
        high: Highest possible score; None takes the highest in the data.
        shares: Shares of train, dev and test if splits are made.
        seed: Seed of the splits that are made.
        selection: Data that settings are selected on. `auto` uses the dev split. If there is none, it uses
            k-fold cross-validation for up to 10,000 train examples if every class has one for each fold, and
            a tenth of train otherwise. `nested` tests every example by cross-validation and `none` trains
            nothing; neither takes splits.
        folds: Number of folds of the cross-validation.
        metric: Metric of the task; None is accuracy for classes, Pearson's correlation for scores, and
            micro F1 for several labels.
        licence: Licence of the data, for the record.

    Raises:
        ProbingError: If options contradict each other.
    """

    name: str = "table"
    features: Features = "compare"
    kind: TargetKind = "auto"
    label_separator: str | None = None
    classes: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    shares: tuple[ZeroToOne, ...] = (0.8, 0.1, 0.1)
    seed: Seed = 0
    selection: Choice = "auto"
    folds: Folds = 5
    metric: Metric | None = None
    licence: str = "unknown"

    def __post_init__(self) -> None:
        """Reject options that contradict each other."""
        self.check()
        check_ranges(self, "task")
        check_shares(self.shares)
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ProbingError(f"task.low={self.low} is not below task.high={self.high}; swap them")
        if self.label_separator is not None:
            check_label_options(self.label_separator, self.kind, (self.low, self.high))

    def build(self) -> Task:
        """Read the data; see `TaskSource.build`."""
        tables = self._tables()
        return self._task(self._examples(tables), tables.source)

    def _tables(self) -> Tables:
        """Return the rows."""
        raise NotImplementedError

    @property
    def _title(self) -> str:
        """Name in results."""
        return self.name

    def _examples(self, tables: Tables) -> list[TableExample]:
        read = [example for split, table in tables.by_split for example in read_examples(table, self, split)]
        return read if self.label_separator is not None else labelled(read, self.label, self.ignore)

    def _task(self, examples: Sequence[TableExample], source: str) -> Task:
        target = self._target(examples)
        split = self._split(examples, target)
        if not isinstance(target, Scores) and self.selection != "none":
            check_seen(examples, target, split)
        partners = tuple(example.partner for example in examples if example.partner is not None)
        made = len(np.unique(split)) > 1 and all(example.split in {None, "train"} for example in examples)
        return Task(
            name=self._title,
            units=tuple(example.unit for example in examples),
            target=target,
            split=split,
            partners=partners or None,
            features=self.features,
            selection=self._selection(split, target),
            folds=self.folds,
            metric=self.metric or target.metrics[0],
            source=f"{source}, splits made with task.seed={self.seed}" if made else source,
            licence=self.licence,
        )

    @property
    def _kind(self) -> TargetKind:
        if self.kind == "auto" and (
            self.low is not None or self.high is not None or self.metric in SCORE_METRICS
        ):
            return "scores"
        if self.kind == "auto" and (self.classes is not None or self.metric is not None):
            return "classes"
        return self.kind

    def _target(self, examples: Sequence[TableExample]) -> Target:
        if self.label_separator is not None:
            return make_labels(examples, self.label_separator, self.classes, self.ignore)
        declared = examples[0].table.class_names.get(self.label, ())
        kind = "classes" if declared and self._kind == "auto" else self._kind
        if is_score(examples, self.label, kind):
            return make_scores(examples, self.low, self.high)
        found = {example.label for example in examples}
        order = self.classes or [name for name in declared if name in found]
        return make_classes(examples, self.label, order)

    def _split(self, examples: Sequence[TableExample], target: Target) -> NDArray[np.str_]:
        named = np.array([example.split or "" for example in examples], dtype=np.str_)
        found = [split for split in SPLITS if split in named]
        if self.selection == "nested":
            if {"dev", "test"} & set(found):
                raise ProbingError("task.selection=nested tests every example in turn; give no splits")
            return np.full(len(examples), "train")
        if not set(found) <= {"train"}:
            self._check_found(found)
            return named
        if self.selection == "none":
            return np.full(len(examples), "test")
        return self._made(examples, target)

    def _check_found(self, found: Sequence[str]) -> None:
        needed = ("test",) if self.selection == "none" else ("train", "test")
        for split in needed:
            if split not in found:
                raise ProbingError(
                    f"there is {' and '.join(found)} but no {split}; add it, or rename dev to test: settings "
                    "are then selected on a part of train"
                )

    def _made(self, examples: Sequence[TableExample], target: Target) -> NDArray[np.str_]:
        train, dev, test = self.shares
        without_dev = self.selection in {"kfold", "holdout"}
        shares = (train + dev, 0.0, test) if without_dev else self.shares
        texts = [example.text for example in examples]
        if isinstance(target, Labels):
            split = label_splits(texts, target, shares, self.seed)
        else:
            strata = target.shown() if isinstance(target, Classes) else [str(bin_) for bin_ in target.strata]
            split = make_splits(texts, strata, shares, self.seed)
        sizes = Counter(split.tolist())
        log.info(
            "splits: none are given, so %s are drawn (task.shares, task.seed); task.split=... names a column",
            ", ".join(f"{sizes[name]} {name}" for name in SPLITS if sizes[name]),
        )
        return split

    def _selection(self, split: NDArray[np.str_], target: Target) -> Selection:
        if self.selection != "auto":
            return self.selection
        if "dev" in split:
            return "dev"
        train = split == "train"
        fewest = min(Counter(target.strata[train].tolist()).values(), default=0)
        kfold = train.sum() <= _KFOLD_MOST and fewest >= self.folds
        chosen = "by k-fold on train" if kfold else "on a tenth of train"
        log.info("selection: there is no dev split, so settings are selected %s", chosen)
        return "kfold" if kfold else "holdout"
