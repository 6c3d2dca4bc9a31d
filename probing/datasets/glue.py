"""GLUE (Wang et al., 2018): nine data sets and ten tasks, as on the Hugging Face hub."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from probing.datasets.hub.open_splits import HubSplit, load_splits
from probing.errors import ProbingError
from probing.tasks.target import Classes, Metric, Scores, Target
from probing.tasks.task import Features, PairInput, Task, Unit
from probing.validation.suggestions import suggest

log = logging.getLogger(__name__)
REPOSITORY = "nyu-mll/glue"
# highest similarity score of the STS Benchmark
HIGHEST = 5


@dataclass(frozen=True)
class Facts:
    """Facts about one of GLUE's data sets.

    Attributes:
        texts: Columns of the one or two texts.
        names: Classes in the order of their numbers, with the positive one of two last; empty for scores.
        source: Origin of the data.
        licence: Licence that the publishers state.
    """

    texts: tuple[str, ...]
    names: tuple[str, ...]
    source: str
    licence: str = "not stated"


_TWO = ("sentence1", "sentence2")
FACTS = {
    "cola": Facts(
        ("sentence",),
        ("unacceptable", "acceptable"),
        "CoLA (Warstadt et al., 2019)",
    ),
    "sst2": Facts(("sentence",), ("negative", "positive"), "SST-2 (Socher et al., 2013)"),
    "mrpc": Facts(
        _TWO,
        ("not_equivalent", "equivalent"),
        "MRPC (Dolan and Brockett, 2005)",
        "Microsoft Research shared source licence",
    ),
    "qqp": Facts(
        ("question1", "question2"),
        ("not_duplicate", "duplicate"),
        "Quora Question Pairs (Iyer et al., 2017)",
        "Quora's terms of service, non-commercial use",
    ),
    "stsb": Facts(_TWO, (), "STS Benchmark (Cer et al., 2017)", "CC BY-SA 4.0 and those of its sources"),
    "mnli": Facts(
        ("premise", "hypothesis"),
        ("entailment", "neutral", "contradiction"),
        "MultiNLI (Williams et al., 2018)",
        "OANC; parts CC BY 3.0 and CC BY-SA 3.0",
    ),
    "qnli": Facts(
        ("question", "sentence"),
        ("entailment", "not_entailment"),
        "QNLI, from SQuAD (Rajpurkar et al., 2016)",
        "CC BY-SA 4.0",
    ),
    "rte": Facts(_TWO, ("entailment", "not_entailment"), "RTE 1, 2, 3 and 5 (Bentivogli et al., 2009)"),
    "wnli": Facts(
        _TWO,
        ("not_entailment", "entailment"),
        "WNLI, from Winograd schemas (Levesque et al., 2012)",
        "CC BY 4.0",
    ),
}


@dataclass(frozen=True)
class GlueTask:
    """One of GLUE's tasks, scored on its validation set because the labels of its test set are not public.

    Settings are selected on a tenth of train, so that the validation set is used only once.

    Attributes:
        name: Name on the command line, for example `glue/cola`.
        config: Name of the data set on the hub.
        validation: Split of the data set to score on; MNLI has two.
        metric: Metric of the task; the YAML files have GLUE's own choice.
        path: Folder with parquet files that have the hub's columns, named `cola/train-00000-of-00001.parquet`
            or `train.parquet`; None uses the `datasets` library, which looks in its cache and on the hub.
        pair: `vectors` for one vector per text of a pair, or `joint` for both texts in one model input.
        features: Combination of the two vectors of a pair.

    Raises:
        ProbingError: If there is no such data set.
    """

    name: str
    config: str
    metric: Metric
    validation: str = "validation"
    path: Path | None = None
    pair: PairInput = "vectors"
    features: Features = "compare"

    def __post_init__(self) -> None:
        """Reject a data set that GLUE does not have."""
        if self.config not in FACTS:
            raise ProbingError(f"task.config is {self.config!r}; {suggest(self.config, list(FACTS))}")

    def build(self) -> Task:
        """Load train and validation; see `TaskSource.build`."""
        facts = FACTS[self.config]
        loaded = load_splits(REPOSITORY, self.config, ("train", self.validation), self.path)
        names = loaded[0].class_names.get("label") or facts.names
        rows = [_rows(split, facts.texts, len(names)) for split in loaded]
        texts, labels = zip(*itertools.chain(*rows), strict=True)
        joint = self.pair == "joint" and len(facts.texts) == 2
        paired = self.pair == "vectors" and len(facts.texts) == 2
        target: Target = (
            Classes(np.array(labels, dtype=np.int64), names)
            if facts.names
            else Scores(np.array(labels, dtype=np.float64), tuple(map(float, range(HIGHEST + 1))))
        )
        return Task(
            name=self.name,
            units=tuple(Unit(text[0], second=text[1] if joint else None) for text in texts),
            partners=tuple(Unit(text[1]) for text in texts) if paired else None,
            target=target,
            split=np.repeat(np.array(["train", "test"]), [len(of_split) for of_split in rows]),
            features=self.features,
            selection="holdout",
            metric=self.metric,
            source=f"GLUE (Wang et al., 2018), {facts.source}",
            licence=facts.licence,
        )


def _rows(split: HubSplit, texts: Sequence[str], n_classes: int) -> list[tuple[tuple[str, ...], float]]:
    """Return the texts and the label of every row without an empty text.

    Args:
        split: The data.
        texts: Columns of the texts.
        n_classes: Number of classes; 0 for scores.
    """
    split.check_columns((*texts, "label"))
    found = []
    for row, (label, *of_row) in enumerate(
        zip(*(split.columns[key] for key in ("label", *texts)), strict=True)
    ):
        if not _sound(label, n_classes):
            what = f"a class from 0 to {n_classes - 1}" if n_classes else f"a score from 0 to {HIGHEST}"
            raise ProbingError(
                f"{split.where}, row {row + 1}: label {label!r} is not {what}; use the hub's files"
            )
        if not all(text is None or isinstance(text, str) for text in of_row):
            raise ProbingError(f"{split.where}, row {row + 1}: {of_row!r} is not a text; use the hub's files")
        if all(text and text.strip() for text in of_row):
            found.append((tuple(of_row), label))
    empty = len(split.columns["label"]) - len(found)
    if empty:
        log.warning("%s: %d examples have an empty text and are left out", split.where, empty)
    return found


def _sound(label: Any, n_classes: int) -> bool:  # noqa: ANN401
    if isinstance(label, bool):
        return False
    if n_classes:
        return isinstance(label, int) and 0 <= label < n_classes
    return isinstance(label, int | float) and 0 <= label <= HIGHEST
