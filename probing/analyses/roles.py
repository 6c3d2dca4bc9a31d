"""Roles of heads: positional, rare-token, induction and others, each a score next to its chance level."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd

from probing.analyses.analysis import Context, Methods
from probing.analyses.groups import check_unit, settings_of
from probing.analyses.layer_by_layer import LayerByLayer
from probing.analyses.rare_words import corpus_digest, read_corpus, with_rarest, word_counts, words_of
from probing.analyses.read_texts import Split, columns_of, texts_of
from probing.analyses.role_scores import (
    Columns,
    Score,
    of_copies,
    of_repeated,
    of_tokens,
    of_words,
    roles_of,
)
from probing.analyses.syntactic import Items, has_relations, of_relations, relations_of, sentences_of
from probing.representations.reductions.token_roles import TokenRoles
from probing.representations.reductions.word_roles import HighestWord, WordRoles
from probing.representations.repeated_tokens import repeated_texts
from probing.representations.request import Stack
from probing.results.behaviours import ROLES, THRESHOLDS
from probing.results.finding import Finding, Picture
from probing.results.schema import as_frame
from probing.results.text.role_text import roles_summary, roles_text
from probing.tasks.task import Task, Unit
from probing.validation.ranges import AtLeast, Range, ZeroToOne, check_ranges
from probing.validation.signs import Punctuation

if TYPE_CHECKING:
    from probing.representations.reductions.statistic import Statistic

log = logging.getLogger(__name__)
FINDING = Finding(
    measure="score of a role",
    range="from 0 to 1",
    alike=True,
    best="highest score",
    pictures=(
        Picture("roles", sweep="roles"),
        Picture("role_map", "probing.figures.role_map:draw_role_map"),
    ),
    text=roles_text,
    line=roles_summary,
)


@dataclass(frozen=True)
class RolesAnalysis(LayerByLayer):
    """Scores of every head for roles, and the roles whose threshold it reaches.

    Scores are means over queries, with 95 % intervals over texts. `chance` is the same number for uniform
    attention to the keys that a query can see; where the highest weight counts, for a highest weight at any
    of these keys. Queries are all tokens but a special one at the end, and but those that see one key only.

    - `confidence` (Voita et al. 2019): the highest weight of a token; `confidence_words`, of a word.
    - `positional` (Voita): how often the highest weight is at one relative position, column `offset`.
    - `previous_token`, `first_token`, `delimiter`: the weight of the token before; of the first token, a sink
      (Xiao et al. 2024); of later special tokens, punctuation and newlines.
    - `broad`: the entropy of a row as a share of that of uniform attention.
    - `duplicate_token`, `induction` (Olsson et al. 2022): the weight of the earlier copies of a token, and of
      the tokens after them, in random tokens that occur twice. `_highest` is how often the highest weight is
      on one of them, and `_texts` are the same weights in the task's texts.
    - `rare_token` (Voita): how often the highest weight of a word is on the rarest word of its text.
    - `nsubj`, `obj`, `amod`, `advmod` (Voita), by `direction`: how often the highest weight of a dependent is
      on its head, or that of a head on its dependent. `chance` is the rate of the most frequent `offset`. A
      head with one of them is `syntactic`. They need a task that relates words, as treebank/dependencies.

    Attributes:
        split: The examples; a text that several share is read once.
        corpus: Text file that words are counted in; None takes the train texts of the task, or those of the
            split if there are none.
        punctuation: Spellings of tokens that count as punctuation.
        reach: Largest relative position of a positional head.
        length: Tokens of a random sequence.
        sequences: Number of random sequences.
        positional: Score from which on a head is positional; the others are the same for other roles.
        previous_token: Weight of the previous token.
        duplicate_token: Weight of earlier copies.
        induction: Weight of the tokens after earlier copies.
        first_token: Weight of the first token.
        delimiter: Weight of delimiters.
        broad: Share of the entropy of uniform attention.
        rare_token: Share of words whose highest weight is on the rarest word.
        syntactic: Accuracy above that of the most frequent offset, 0.1 for 10 points.
        least: Minimum number of items of a relation.
        stack: encoder, decoder or cross of an encoder-decoder model that is read whole; "" reads its encoder.
        weighted: Whether weights are multiplied by the length of what they write, A_ij ‖v_j W_O‖ (Kobayashi
            et al. 2020), and divided by the sum of each row.
    """

    split: Split = "dev"
    corpus: str | None = None
    punctuation: Punctuation = ".,;:!?"
    reach: Annotated[int, Range(1, 64)] = 8
    length: Annotated[int, AtLeast(4)] = 50
    sequences: Annotated[int, AtLeast(2)] = 16
    positional: ZeroToOne = THRESHOLDS["positional"]
    previous_token: ZeroToOne = THRESHOLDS["previous_token"]
    duplicate_token: ZeroToOne = THRESHOLDS["duplicate_token"]
    induction: ZeroToOne = THRESHOLDS["induction"]
    first_token: ZeroToOne = THRESHOLDS["first_token"]
    delimiter: ZeroToOne = THRESHOLDS["delimiter"]
    broad: ZeroToOne = THRESHOLDS["broad"]
    rare_token: ZeroToOne = THRESHOLDS["rare_token"]
    syntactic: ZeroToOne = THRESHOLDS["syntactic"]
    least: Annotated[int, AtLeast(1)] = 100
    stack: Stack = ""
    weighted: bool = False

    def __post_init__(self) -> None:
        """Reject numbers out of their range."""
        check_ranges(self, "analysis")

    @property
    def name(self) -> str:
        """Name on the command line."""
        return "roles"

    @property
    def statistic(self) -> TokenRoles:
        """The sums over tokens."""
        return TokenRoles(self.punctuation, self.reach, self.weighted)

    def further(self, task: Task) -> Sequence[tuple[Statistic, Sequence[Unit]]]:
        """The sums over words, and the highest words of a task that relates words."""
        related = (
            [(HighestWord(self.weighted), relations_of(task, self.split)[0])] if has_relations(task) else []
        )
        return [(WordRoles(self.weighted), self._with_rarest(task)), *related]

    def check(self, task: Task, methods: Methods) -> None:
        """Refuse any granularity but single heads."""
        check_unit(self.name, methods, ("head",))
        self._texts(task, self.split)

    def depends_on(self, methods: Methods) -> Mapping[str, Any]:
        """The settings of the analysis, with the content of the corpus."""
        content = {} if self.corpus is None else {"corpus": corpus_digest(self.corpus)}
        return settings_of(self, methods) | content

    def units(self, task: Task) -> Sequence[Unit]:
        """The texts of the split, with their words."""
        return [replace(text, words=words_of(text)) for text in self._texts(task, self.split)]

    def _with_rarest(self, task: Task) -> Sequence[Unit]:
        """Return the texts of the split, each with the span of its rarest word."""
        texts = self._texts(task, self.split)
        own = self._texts(task, "train") or texts
        return with_rarest(texts, word_counts(own if self.corpus is None else read_corpus(self.corpus)))

    def _texts(self, task: Task, split: Split) -> Sequence[Unit]:
        return sentences_of(task, split) if has_relations(task) else texts_of(task, split)

    def run_part(self, context: Context, part: int) -> pd.DataFrame:
        """The scores and roles of every head of a layer.

        Raises:
            CorruptFileError: If the layer is damaged in the cache.
        """
        read = context.reading.representations
        scores = list(self._scores(context, part))
        roles = roles_of(scores, read.layout[part][0])
        same = {**context.labels, "layer": part, "n_heads": 1, f"n_{self.split}": read.size}
        return as_frame(
            [
                {**same, **row, "roles": roles[head]}
                for score in scores
                for head, row in enumerate(score.rows())
            ]
        )

    def _scores(self, context: Context, layer: int) -> Iterator[Score]:
        thresholds = {role: float(getattr(self, role)) for role in ROLES}
        columns = columns_of(context.reading.representations, layer, self.statistic)
        yield from of_tokens(columns, self.statistic, thresholds)
        if self.stack != "cross":
            yield from of_copies(columns)
            yield from self._repeated(context, layer, thresholds)
        yield from of_words(self._words(context, layer), thresholds)
        if has_relations(context.task):
            statistic = HighestWord(self.weighted)
            columns = columns_of(context.attention(statistic), layer, statistic)
            yield from of_relations(context.once(self._related), columns, self.syntactic, self.least)

    def _repeated(self, context: Context, layer: int, thresholds: Mapping[str, float]) -> Iterator[Score]:
        """Yield the scores that are read from random tokens, if the tokenizer allows them."""
        texts = context.once(self._random)
        if texts:
            repeated = context.attention(self.statistic, texts)
            yield from of_repeated(columns_of(repeated, layer, self.statistic), thresholds)

    def _related(self, context: Context) -> Items:
        return relations_of(context.task, self.split)[1]

    def _words(self, context: Context, layer: int) -> Columns:
        """Return the sums over words; a text whose rarest word is cut off is read without a target."""
        statistic = WordRoles(self.weighted)
        read = context.attention(statistic)
        columns = columns_of(read, layer, statistic)
        if len(read.missing):
            whole = columns_of(context.attention(statistic, context.once(self._cut)), layer, statistic)
            for name, values in columns.items():
                values[read.missing] = whole[name]
        return columns

    def _cut(self, context: Context) -> Sequence[Unit]:
        """Return the texts whose rarest word is cut off, without its span."""
        texts = self.units(context.task)
        return [texts[row] for row in context.attention(WordRoles(self.weighted)).missing]

    def _random(self, context: Context) -> list[Unit]:
        """Return texts of repeated random tokens; none if the tokenizer does not allow them."""
        texts = repeated_texts(context.tokenizer, self.length, self.sequences, context.seed)
        return [Unit(text) for text in texts]

    def conclude(self, context: Context, frame: pd.DataFrame) -> pd.DataFrame:
        """Log the roles that are left out, with the reason."""
        there = set(frame["variant"])
        if self.stack == "cross":
            log.info("roles: no induction and no duplicate_token in cross-attention, whose keys are those of "
                     "the encoder, so that no copy is an earlier one")  # fmt: skip
        elif "duplicate_token" not in there:
            log.warning("roles: no induction and no duplicate_token, since the tokenizer of the model does "
                        "not encode texts of random tokens to the same tokens again")  # fmt: skip
        elif "induction" not in there:
            log.info("roles: no induction, since the model sees later tokens; there the token after an "
                     "earlier copy is a relative position like any other")  # fmt: skip
        if frame["direction"].isna().all():
            log.info("roles: no syntactic heads, since the task has no relation between words with "
                     "analysis.least=%d items; use task=treebank/dependencies", self.least)  # fmt: skip
        return frame
