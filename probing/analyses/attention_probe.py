"""Attention-only probes: the share of a tree that all attention maps give (Clark et al. 2019, section 5)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.analyses.analysis import Context, Methods, Uses
from probing.analyses.gold_trees import Treebank
from probing.analyses.groups import check_unit, settings_of, with_ranks
from probing.analyses.vectors import Head, all_heads
from probing.analyses.word_pairs import check_word_pairs
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.probes.arcs.attachment import counts, guessing, right_branching
from probing.probes.arcs.fit import ArcFit, fit_as_published, fit_exactly
from probing.probes.arcs.labelled import right_relations
from probing.probes.arcs.model import ArcModel
from probing.representations.reductions.word_level import Rows
from probing.representations.reductions.word_rows import WordRows
from probing.representations.request import Stack
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.text.parsing import LAS, UAS, WEIGHT, parsing_summary, parsing_text
from probing.results.text.reports import values_report
from probing.statistics.ratios import ratio
from probing.tasks.task import Task, Unit
from probing.validation.ranges import Count, Most, Penalties, Range, check_ranges

if TYPE_CHECKING:
    from probing.probes.arcs.padded import Corpus

log = logging.getLogger(__name__)
EMBEDDINGS = "embeddings"
VARIANTS = ("attention_only", "attention_and_words", "shuffled", "right_branching")
FINDING = Finding(
    measure="weight of the map",
    metric_units={UAS: "", LAS: ""},
    variant=WEIGHT,
    best="largest weight",
    place=8,
    kind="encoding",
    pictures=(Picture("weights", sweep="attention_probe"),),
    text=parsing_text,
    report=values_report,
    line=parsing_summary,
)
Regimen = Literal["exact", "published"]
_Counts = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class AttentionProbeAnalysis:
    """Unlabelled and labelled attachment scores of probes that read attention maps, next to controls.

    `attention_only` weights the maps of all heads and their transposes. `attention_and_words` lets the
    vectors of two words choose the weights; see `ArcModel`. `shuffled` is `attention_only` on maps whose
    words are in another order within each sentence. `right_branching` takes the next word. The untrained
    model is another run, with `baseline=untrained`. Punctuation is not scored. The paper gives unlabelled
    scores only. Labels are those of `right_relations`.

    Attributes:
        words: `embeddings` for the model's own input embeddings, a file of vectors in the text format of
            GloVe, or None to leave out `attention_and_words`.
        regimen: `exact` goes to the optimum of a penalty that is selected on dev. `published` trains as the
            code of the paper.
        l2: Penalties of `exact`, in nats per word.
        epochs: Passes over train of `published`.
        longest: Maximum number of words of a sentence; longer ones are left out.
        rows: Query of a word: the mean over its pieces, or its first piece, as the code of the paper takes.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of each row.
    """

    words: str | None = EMBEDDINGS
    regimen: Regimen = "exact"
    l2: Penalties = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    epochs: Annotated[Count, Most(1000)] = 1
    longest: Annotated[int, Range(2, 512)] = 64
    rows: Rows = "mean"
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Convert lists from configuration files to tuples, and reject numbers out of their range."""
        object.__setattr__(self, "l2", tuple(map(float, self.l2)))
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "attention_probe"

    @property
    def uses(self) -> Uses:
        """Attention of the model without a task head, or of a stack of the whole model."""
        return "attention"

    @property
    def statistic(self) -> WordRows:
        """The attention of each word to the words of its text and to special tokens."""
        return WordRows(self.longest, self.rows, self.weighted)

    @property
    def variants(self) -> tuple[str, ...]:
        """The probes and controls."""
        return tuple(name for name in VARIANTS if self.words or name != "attention_and_words")

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads, tasks that do not relate words, and a missing file."""
        check_unit(self.name, methods, ("head",))
        if self.words not in (None, EMBEDDINGS) and not Path(str(self.words)).is_file():
            raise ProbingError(
                f"analysis.words={self.words}: no such file; give embeddings, or a file of vectors"
            )
        check_word_pairs(task, self.name)

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """The settings of the analysis, and the content of the file of vectors."""
        found = settings_of(self, methods)
        if self.words not in (None, EMBEDDINGS):
            from probing.models.digests import digest_files

            path = Path(str(self.words))
            found["words"] = digest_files([path]) if path.is_file() else ""
        return found

    def units(self, task: Task) -> Sequence[Unit]:
        """All words of the sentences of all splits."""
        bank = Treebank.of(task, self.longest)
        if bank.longer:
            log.warning(
                "attention_probe: %d of %d sentences are left out, which have more than analysis.longest=%d "
                "words", bank.longer, bank.longer + len(bank.sentences), self.longest,
            )  # fmt: skip
        return bank.units

    def parts(self, context: Context) -> Sequence[int]:
        """The probes and controls."""
        return range(len(self.variants))

    def part_name(self, context: Context, part: int) -> str:
        """Name of a probe or control in the log."""
        return self.variants[part].replace("_", " ")

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """Return the scores of one probe or control, and the weights of `attention_only`.

        Raises:
            ProbingError: If the vectors of words cannot be read.
            CorruptFileError: If a layer is damaged in the cache.
        """
        variant = self.variants[part]
        bank, splits = context.once(self._corpora)
        device = context.reading.device
        same = {**context.labels, "variant": variant, "main": False, "n_heads": len(all_heads(context))}
        if variant == "right_branching":
            scores = {name: right_branching(splits[name]) for name in ("dev", "test")}
            return as_frame([{**same, **_score_row(UAS, scores, splits)}])
        if variant == "shuffled":
            splits = {name: corpus.permuted(context.seed) for name, corpus in splits.items()}
        vectors = self._vectors(context, bank, device) if variant == "attention_and_words" else None
        fit = self._fit(ArcModel(splits["train"].heads, vectors), splits, self.part_name(context, part))
        labels = right_relations(splits, bank.relations, context.seed, vectors)
        rows = [{**same, "l2": fit.l2, **row} for row in _score_rows(fit, splits, labels)]
        if variant == "attention_only":
            rows += [{**context.labels, **row} for row in _weight_rows(fit, all_heads(context))]
        return as_frame(rows)

    def _corpora(self, context: Context) -> tuple[Treebank, dict[str, Corpus]]:
        """Return the trees, and the maps of each split on the device."""
        bank = Treebank.of(context.task, self.longest)
        splits, cut = bank.corpora(context.reading.representations, self.statistic)
        if cut:
            log.warning("attention_probe: %d sentences are left out, which the model's limit cuts", cut)
        return bank, {name: corpus.to(context.reading.device) for name, corpus in splits.items()}

    def _vectors(self, context: Context, bank: Treebank, device: torch.device) -> torch.Tensor:
        """Return the vectors of all different words, scaled so that their mean squared length is 1."""
        if self.words == EMBEDDINGS:
            found = context.word_vectors(bank.types)
        else:
            from probing.representations.word_vectors import read_word_vectors

            found = read_word_vectors(Path(str(self.words)), bank.types)
        return torch.from_numpy(found / np.sqrt((found**2).sum(1).mean())).float().to(device)

    def _fit(self, model: ArcModel, splits: Mapping[str, Corpus], name: str) -> ArcFit:
        if self.regimen == "published":
            return fit_as_published(model, splits["train"], splits["dev"], self.epochs, name)
        fit = fit_exactly(model, splits["train"], splits["dev"], self.l2, name)
        if not fit.converged:
            log.warning("attention_probe: %s with l2=%g has not reached its tolerance", name, fit.l2)
        return fit

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Rank the maps of heads by their weights, and those of transposes among themselves."""
        return with_ranks(frame)


def _score_rows(
    fit: ArcFit, splits: Mapping[str, Corpus], labels: Mapping[str, Sequence[NDArray[np.bool_]]]
) -> Iterator[dict[str, object]]:
    """Yield the rows of both scores."""
    for metric in (UAS, LAS):
        scores = {
            name: counts(fit.model, fit.flat, splits[name], labels[name] if metric == LAS else None)
            for name in ("dev", "test")
        }
        yield _score_row(metric, scores, splits)


def _score_row(metric: str, scores: Mapping[str, _Counts], splits: Mapping[str, Corpus]) -> dict[str, object]:
    """Return the row of a score, with an interval over sentences."""
    test, low, high = (float(each[0]) for each in ratio(*(each[:, None] for each in scores["test"])))
    return {
        "metric": metric, "value": test, "value_low": low, "value_high": high,
        "test": test, "test_low": low, "test_high": high,
        "dev": scores["dev"][0].sum() / scores["dev"][1].sum(),
        "chance": guessing(splits["test"]) if metric == UAS else None,
        **{f"n_{name}": own.scored for name, own in splits.items()},
    }  # fmt: skip


def _weight_rows(fit: ArcFit, cells: Sequence[Head]) -> Iterator[dict[str, object]]:
    """Yield the weight of every head and of its transpose."""
    both = fit.model.parameters(fit.flat).maps.cpu().numpy().reshape(2, -1)
    for direction, weights in zip(("from_dependent", "from_head"), both, strict=True):
        for (layer, head), weight in zip(cells, weights.tolist(), strict=True):
            yield {
                "variant": WEIGHT, "metric": WEIGHT, "direction": direction, "layer": layer, "head": head,
                "n_heads": 1, "main": True, "value": weight, "l2": fit.l2,
            }  # fmt: skip
