"""The choice in conf/task for pairs of mentions, which refer to the same entity or not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from probing.datasets.edge.bracket_columns import mention_spans
from probing.datasets.edge.conll_rows import COREFERENCE, FORM, ONTONOTES_ENDINGS, read_ontonotes
from probing.datasets.edge.edge_task import EdgeTask
from probing.datasets.edge.edge_text import Edge, EdgeText, Words
from probing.datasets.joining import Span, joined
from probing.datasets.treebank.conllu import read_conllu
from probing.datasets.treebank.coreference import passages_of
from probing.datasets.treebank.entities import mentions_of
from probing.datasets.treebank.held_out import stable_number
from probing.datasets.treebank.word_spans import words_of
from probing.validation.ranges import AtLeast, Range

NO, YES = "no", "yes"
Within = Literal["sentence", "passage"]


@dataclass(frozen=True)
class MentionText:
    """A text with its mentions.

    Attributes:
        place: File and line, for messages.
        text: The text given to the tokenizer.
        words: Character offsets [start, end) of every word.
        mentions: Words [start, end) of each mention, with the name of its entity in the document.
        document: Number of its document in the file.
    """

    place: str
    text: str
    words: tuple[Span, ...]
    mentions: tuple[tuple[Words, str], ...]
    document: int


@dataclass(frozen=True, kw_only=True)
class MentionPairsTask(EdgeTask):
    """Pairs of mentions with `yes` if they refer to the same entity, and `no` otherwise.

    The pairs are those of edge probing: any two mentions of a sentence, the first of them first. Reads the
    column of coreference of CoNLL-2012, and treebanks whose field `Entity` of MISC marks entities, as
    UD_English-GUM. If the names of files give no splits, documents are not divided.

    Attributes:
        within: `sentence`, or `passage` for runs of whole sentences of a document.
        longest: Maximum number of words of a passage; a longer sentence is a passage of its own.
        negatives: Number of pairs that do not refer to the same entity, for each pair of the same text that
            does, drawn at random; None keeps all.
    """

    within: Within = "sentence"
    longest: Annotated[int, AtLeast(2)] = 100
    negatives: Annotated[float, Range(0, open_low=True)] | None = None

    format: ClassVar[str] = "coreference"
    endings: ClassVar[tuple[str, ...]] = (".conllu", *ONTONOTES_ENDINGS)

    def texts(self, path: Path, split: str | None) -> Iterator[EdgeText]:
        """Yield the sentences or passages of a file; see `EdgeTask.texts`."""
        for _, members in groupby(self._sentences(path, split), key=lambda sentence: sentence.document):
            document = list(members)
            group = document[0].text
            passages = passages_of(document, self.longest if self.within == "passage" else 0)
            for passage in map(_joined, passages):
                edges = self._pairs(passage)
                yield EdgeText(passage.place, split, passage.text, passage.words, tuple(edges), group)

    def _sentences(self, path: Path, split: str | None) -> Iterator[MentionText]:
        if path.name.lower().endswith(ONTONOTES_ENDINGS):
            for rows in read_ontonotes(path, self._files.hint, self.name):
                spans = mention_spans(rows.column(COREFERENCE), rows.places)
                mentions = tuple(((span.start, span.end), span.label) for span in spans)
                yield MentionText(rows.place, *joined(rows.forms(FORM)), mentions, rows.document)
            return
        for sentence in read_conllu(path, split, self._files.hint):
            found = tuple(((each.first, each.last + 1), each.entity) for each in mentions_of(sentence))
            yield MentionText(sentence.place, *words_of(sentence, "words"), found, sentence.document)

    def _pairs(self, passage: MentionText) -> list[Edge]:
        entities: dict[Words, set[str]] = {}
        for span, entity in passage.mentions:
            entities.setdefault(span, set()).add(entity)
        pairs = list(combinations(sorted(entities), 2))
        same = [pair for pair in pairs if entities[pair[0]] & entities[pair[1]]]
        others = [pair for pair in pairs if not entities[pair[0]] & entities[pair[1]]]
        kept = set(same) | set(self._drawn_negatives(others, len(same), passage.text))
        positive = set(same)
        return [Edge((YES if pair in positive else NO,), *pair) for pair in pairs if pair in kept]

    def _drawn_negatives(
        self, pairs: Sequence[tuple[Words, Words]], positives: int, text: str
    ) -> Sequence[tuple[Words, Words]]:
        if self.negatives is None:
            return pairs
        ordered = sorted(pairs, key=lambda pair: stable_number(self.seed, f"{pair}", text))
        return ordered[: round(self.negatives * positives)]


def _joined(sentences: Sequence[MentionText]) -> MentionText:
    """Return sentences as one text, with a blank between two."""
    text, words, mentions = "", list[Span](), list[tuple[Words, str]]()
    for sentence in sentences:
        start, at = len(text) + bool(text), len(words)
        text = f"{text} {sentence.text}" if text else sentence.text
        words += [(start + first, start + last) for first, last in sentence.words]
        mentions += [((at + first, at + last), entity) for (first, last), entity in sentence.mentions]
    first = sentences[0]
    return MentionText(first.place, text, tuple(words), tuple(mentions), first.document)
