"""SentEval's tasks on single sentences."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from probing.datasets.senteval.corpus import Corpus
from probing.datasets.senteval.labels_and_scales import ClassLabels, named
from probing.datasets.senteval.readers import Pattern, TabColumns
from probing.errors import ProbingError
from probing.tasks.target import Metric
from probing.tasks.task import SPLITS, Task
from probing.validation.ranges import Folds

_PROBING = TabColumns(1, (-1,), 3, "tr, va or te, a label and a sentence", coded=True)
_TREC = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")
_SST = "SST, the Stanford Sentiment Treebank (Socher et al., 2013)"
_POLARITY = ClassLabels({"0": "negative", "1": "positive"})


def _two_files(zero: str, one: str, source: str, labels: ClassLabels = _POLARITY) -> Corpus:
    """Return a corpus with a file for each of two classes and no splits.

    Every line is a sentence, an empty one too. SentEval reads it as ".", and CR has four of them.
    """
    return Corpus(
        {"train": (f"downstream/{zero}", f"downstream/{one}")},
        Pattern("(?P<text>.*)", "a sentence", "latin-1", blank=True),
        labels,
        source,
        selection="nested",
    )


def _sst(kind: str, pattern: str, expected: str, labels: ClassLabels) -> Corpus:
    files = {split: (f"downstream/SST/{kind}/sentiment-{split}",) for split in SPLITS}
    return Corpus(files, Pattern(pattern, expected), labels, _SST, empty=False)


SENTENCES = {
    "mr": _two_files(
        "MR/rt-polarity.neg",
        "MR/rt-polarity.pos",
        "MR, sentence polarity of film reviews (Pang and Lee, 2005)",
    ),
    "cr": _two_files(
        "CR/custrev.neg", "CR/custrev.pos", "CR, polarity of customer reviews (Hu and Liu, 2004)"
    ),
    "subj": _two_files(
        "SUBJ/subj.subjective",
        "SUBJ/subj.objective",
        "SUBJ, subjectivity of sentences on films (Pang and Lee, 2004)",
        ClassLabels({"0": "subjective", "1": "objective"}),
    ),
    "mpqa": _two_files(
        "MPQA/mpqa.neg", "MPQA/mpqa.pos", "MPQA, polarity of opinion phrases (Wiebe et al., 2005)"
    ),
    "sst binary": _sst(
        "binary", "(?P<text>[^\t]*)\t(?P<label>.*)", "a sentence, a tab and 0 or 1", _POLARITY
    ),
    "sst fine": _sst(
        "fine",
        "(?P<label>[^ ]*) (?P<text>.*)",
        "a number from 0 to 4 and a sentence",
        ClassLabels(
            {
                "0": "very negative",
                "1": "negative",
                "2": "neutral",
                "3": "positive",
                "4": "very positive",
            }
        ),
    ),
    "trec": Corpus(
        {"train": ("downstream/TREC/train_5500.label",), "test": ("downstream/TREC/TREC_10.label",)},
        Pattern(
            rf"(?P<label>{'|'.join(_TREC)}):[^ ]*( (?P<text>.*))?",
            f"one of {', '.join(_TREC)} before a colon",
            "latin-1",
        ),
        named(*_TREC),
        "TREC, question classification (Li and Roth, 2002)",
        selection="kfold",
        empty=False,
    ),
}


@dataclass(frozen=True)
class ProbingTask:
    """One of SentEval's ten probing tasks (Conneau et al., 2018).

    Attributes:
        name: Name on the command line, `senteval/tense`.
        file: File of the task below `root`.
        root: SentEval's data folder; None fetches the file.
        metric: The score; None for accuracy.
    """

    name: str
    file: str
    root: Path | None = None
    metric: Metric | None = None

    def build(self) -> Task:
        """Read the file; see `TaskSource.build`."""
        source = f"{self.file} (Conneau et al., 2018), sentences of the Toronto BookCorpus"
        corpus = Corpus({"train": (self.file,)}, _PROBING, None, source, empty=False)
        return corpus.task(self.name, self.root, metric=self.metric)


@dataclass(frozen=True)
class SentenceTask:
    """MR, CR, SUBJ, MPQA, SST or TREC: one class for each sentence.

    Attributes:
        name: Name on the command line, `senteval/trec`.
        data: The data set.
        root: SentEval's data folder; None fetches the files.
        kind: Only for SST: `binary`, which leaves out neutral sentences, or `fine`, with five classes.
        folds: Number of folds: for TREC those of the cross-validation that selects settings, since there is
            no dev split; for MR, CR, SUBJ and MPQA both the outer ones for testing and the inner ones that
            select settings. None for 5.
        metric: The score; None for accuracy.

    Raises:
        ProbingError: If `kind` and `data` do not go together.
    """

    name: str
    data: Literal["mr", "cr", "subj", "mpqa", "sst", "trec"]
    root: Path | None = None
    kind: Literal["binary", "fine"] | None = None
    folds: Folds | None = None
    metric: Metric | None = None

    def __post_init__(self) -> None:
        """Refuse SST without a kind, and other data with one."""
        if self._key not in SENTENCES:
            wrong, remedy = f"is {self.kind}", "leave it out"
            if self.kind is None:
                wrong, remedy = "is not set", "give task.kind=binary or task.kind=fine"
            raise ProbingError(f"task.kind {wrong} for task.data={self.data}; {remedy}")

    def build(self) -> Task:
        """Read the files; see `TaskSource.build`."""
        corpus = SENTENCES[self._key]
        return corpus.task(self.name, self.root, folds=self.folds, metric=self.metric)

    @property
    def _key(self) -> str:
        return self.data if self.kind is None else f"{self.data} {self.kind}"
