"""SentEval's tasks on pairs of sentences for which a probe is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probing.datasets.senteval.corpus import Corpus
from probing.datasets.senteval.examples import SentEvalExample, length
from probing.datasets.senteval.labels_and_scales import ClassLabels, Scale, named
from probing.datasets.senteval.readers import Parallel, TabColumns
from probing.datasets.senteval.similarity import SEVERAL
from probing.tasks.target import Metric
from probing.tasks.task import SPLITS, PairInput, Task
from probing.validation.ranges import Folds

_SNLI = ("entailment", "neutral", "contradiction")


def _by_hypothesis(example: SentEvalExample) -> tuple[int, int, float | str]:
    """Return the number of tokens of the hypothesis, that of the premise, and the name of the class."""
    return length(example.second or ""), length(example.text), _SNLI[int(example.answer)]


def _sick(label: int, answers: ClassLabels | Scale) -> Corpus:
    files = {"train": "SICK_train", "dev": "SICK_trial", "test": "SICK_test_annotated"}
    return Corpus(
        {split: (f"downstream/SICK/{file}.txt",) for split, file in files.items()},
        TabColumns(label, (1, 2), 5, "id, two sentences, relatedness and entailment", "pair_ID"),
        answers,
        "SICK (Marelli et al., 2014)",
        "CC BY-NC-SA 3.0",
    )


PAIRS = {
    "mrpc": Corpus(
        {split: (f"downstream/MRPC/msr_paraphrase_{split}.txt",) for split in ("train", "test")},
        TabColumns(0, (3, 4), 5, "quality, two ids and two sentences", "Quality"),
        ClassLabels({"0": "different", "1": "paraphrase"}),
        "MRPC, Microsoft Research Paraphrase Corpus (Dolan et al., 2004)",
        "Microsoft Shared Source License",
        selection="kfold",
    ),
    # SentEval decodes the files of SNLI as Latin-1, but they are UTF-8
    "snli": Corpus(
        {
            split: tuple(f"downstream/SNLI/{kind}.{split}" for kind in ("s1", "s2", "labels"))
            for split in SPLITS
        },
        Parallel(),
        named(*_SNLI),
        "SNLI (Bowman et al., 2015)",
        "CC BY-SA 4.0",
        features="all",
        order=_by_hypothesis,
    ),
    "sick_e": _sick(4, named("CONTRADICTION", "NEUTRAL", "ENTAILMENT")),
    "sick_r": _sick(3, Scale(1, 5)),
    "stsb": Corpus(
        {split: (f"downstream/STS/STSBenchmark/sts-{split}.csv",) for split in SPLITS},
        TabColumns(4, (5, 6), 7, "genre, file, year, id, score and two sentences"),
        Scale(0, 5),
        "STS Benchmark (Cer et al., 2017)",
        SEVERAL,
    ),
}


@dataclass(frozen=True)
class PairTask:
    """MRPC, SNLI, SICK-E, SICK-R or STS Benchmark: a class or a score for each pair of sentences.

    Attributes:
        name: Name on the command line, `senteval/mrpc`.
        data: The data set.
        root: SentEval's data folder; None fetches the files.
        pair: Whether the sentences get a vector each or are read as one joint input.
        folds: Only for MRPC, which has no dev split: number of folds of the cross-validation that selects
            settings. None for 5.
        metric: The score; None for accuracy of classes and Pearson's r of scores.
    """

    name: str
    data: Literal["mrpc", "snli", "sick_e", "sick_r", "stsb"]
    root: Path | None = None
    pair: PairInput = "vectors"
    folds: Folds | None = None
    metric: Metric | None = None

    def build(self) -> Task:
        """Read the files; see `TaskSource.build`."""
        corpus = PAIRS[self.data]
        return corpus.task(self.name, self.root, pair=self.pair, folds=self.folds, metric=self.metric)
