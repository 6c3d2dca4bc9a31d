"""SemEval's tasks on textual similarity: STS of 2012 to 2016, without training, and STS Benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from probing.datasets.lines import read_lines
from probing.datasets.senteval.examples import (
    HINT,
    Example,
    Place,
    clean,
    columns,
    in_order,
    rows,
    score,
    scores,
)
from probing.datasets.senteval.files import check_sizes, locate
from probing.datasets.senteval.published import STS_SETS
from probing.errors import ProbingError
from probing.tasks.target import Metric
from probing.tasks.task import SPLITS, Average, Pair, Task

_SEVERAL = "several, by source; see LICENSE.txt of the publisher"


@dataclass(frozen=True)
class Sts:
    """STS of one year (Agirre et al., 2012 to 2016): how similar two sentences are, from 0 to 5.

    Attributes:
        name: As on the command line.
        year: 12 to 16.
        sets: Names of its data sets, which are scored apart; empty takes all of SentEval's.
        root: SentEval's data folder; None fetches.
        average: How their scores become one: their mean, or weighted by size.
        metric: The score.
    """

    name: str
    year: Literal[12, 13, 14, 15, 16]
    sets: tuple[str, ...] = ()
    root: Path | None = None
    average: Average = "mean"
    metric: Metric = "pearson"

    def build(self) -> Task:
        """Read an input file and a gold standard for every set; see `TaskSource.build`."""
        sets = self.sets or STS_SETS[self.year]
        folder = f"downstream/STS/STS{self.year}-en-test"
        files = [f"{folder}/STS.{kind}.{data}.txt" for data in sets for kind in ("input", "gs")]
        paths = locate(self.root, files)
        examples: list[Example] = []
        groups: list[str] = []
        for at, data in enumerate(sets):
            of_set = in_order(self._read(*paths[2 * at : 2 * at + 2]))
            examples += of_set
            groups += [data] * len(of_set)
        task = Task(
            name=self.name,
            **columns(examples),
            target=scores(examples, 0, 5),
            features="concat",
            selection="none",
            metric=self.metric,
            groups=np.array(groups, dtype=np.str_),
            average=self.average,
            source=f"SentEval STS {2000 + self.year} (Agirre et al., {2000 + self.year})",
            licence=_SEVERAL if self.year == 16 else "unknown",
        )
        return check_sizes(task, self.root) if sets == STS_SETS[self.year] else task

    @staticmethod
    def _read(sentences: Path, gold: Path) -> Iterator[Example]:
        pairs = list(read_lines(sentences, "utf-8", HINT, blank=True))
        answers = list(read_lines(gold, "utf-8", HINT, blank=True))
        if len(pairs) != len(answers):
            raise ProbingError(
                f"{gold}: {len(answers)} lines for the {len(pairs)} of {sentences.name}; "
                "line by line they belong together"
            )
        for (number, pair), (_, answer) in zip(pairs, answers, strict=True):
            if not answer.strip():
                continue
            place = Place(sentences, number)
            first, tab, rest = pair.partition("\t")
            if not tab:
                raise ProbingError(f"{place}: expected two sentences with a tab between; mend the line")
            second = rest.partition("\t")[0]
            value = score(answer, 0, 5, Place(gold, number))
            yield Example("test", clean(first), value, clean(second))


@dataclass(frozen=True)
class StsBenchmark:
    """STS Benchmark (Cer et al., 2017): how similar two sentences are, from 0 to 5.

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
        paths = locate(self.root, [f"downstream/STS/STSBenchmark/sts-{split}.csv" for split in SPLITS])
        examples = in_order(
            example for split, path in zip(SPLITS, paths, strict=True) for example in self._read(path, split)
        )
        task = Task(
            name=self.name,
            **columns(examples, self.pair),
            target=scores(examples, 0, 5),
            features="compare",
            metric=self.metric,
            source="SentEval STS Benchmark (Cer et al., 2017)",
            licence=_SEVERAL,
        )
        return check_sizes(task, self.root)

    @staticmethod
    def _read(path: Path, split: str) -> Iterator[Example]:
        for place, fields in rows(path, "utf-8", 7, "genre, file, year, id, score and two sentences"):
            answer = score(fields[4], 0, 5, place)
            yield Example(split, clean(fields[5]), answer, clean(fields[6]))
