"""SemEval's tasks on textual similarity of 2012 to 2016, for which nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from probing.datasets.senteval.corpus import example
from probing.datasets.senteval.examples import SentEvalExample, in_order, task_fields
from probing.datasets.senteval.files import check_sizes, locate
from probing.datasets.senteval.labels_and_scales import Scale
from probing.datasets.senteval.published import STS_SETS
from probing.datasets.senteval.readers import Parallel
from probing.tasks.target import Metric
from probing.tasks.task import Average, Task

SEVERAL = "several, by source; see LICENSE.txt of the publisher"
_SCALE = Scale(0, 5)


@dataclass(frozen=True)
class SimilarityTask:
    """STS of one year (Agirre et al., 2012 to 2016): similarity of two sentences, from 0 to 5.

    Attributes:
        name: Name on the command line, `senteval/sts12`.
        year: Year, 12 to 16.
        sets: Names of its data sets, which are scored separately; empty for all of SentEval's.
        root: SentEval's data folder; None fetches the files.
        average: Average of their scores: the mean, or weighted by size.
        metric: The score.
    """

    name: str
    year: Literal[12, 13, 14, 15, 16]
    sets: tuple[str, ...] = ()
    root: Path | None = None
    average: Average = "mean"
    metric: Metric = "pearson"

    def build(self) -> Task:
        """Read the sentences and the gold standard of every set; see `TaskSource.build`."""
        sets = self.sets or STS_SETS[self.year]
        folder = f"downstream/STS/STS{self.year}-en-test"
        files = {data: (f"{folder}/STS.input.{data}.txt", f"{folder}/STS.gs.{data}.txt") for data in sets}
        reader = Parallel(together=True, gaps=True)
        examples: list[SentEvalExample] = []
        groups: list[str] = []
        for data, paths in locate(self.root, files).items():
            of_set = in_order(example(row, _SCALE) for row in reader.read(paths, "test"))
            examples += of_set
            groups += [data] * len(of_set)
        task = Task(
            name=self.name,
            **task_fields(examples),
            target=_SCALE.target([example.answer for example in examples]),
            features="concat",
            selection="none",
            metric=self.metric,
            groups=np.array(groups, dtype=np.str_),
            average=self.average,
            source=f"SentEval STS {2000 + self.year} (Agirre et al., {2000 + self.year})",
            licence=SEVERAL if self.year == 16 else "unknown",
        )
        return check_sizes(task, self.root) if sets == STS_SETS[self.year] else task
