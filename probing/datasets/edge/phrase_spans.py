"""The choice in conf/task for constituents: spans with the labels of their phrases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from probing.datasets.edge.bracket_columns import tree_of_cells
from probing.datasets.edge.conll_rows import FORM, ONTONOTES_ENDINGS, PARSE, read_ontonotes
from probing.datasets.edge.edge_task import EdgeTask
from probing.datasets.edge.edge_text import Edge, EdgeText, Words
from probing.datasets.treebank.brackets import read_brackets
from probing.datasets.treebank.constituents import functions, leaves, plain
from probing.datasets.treebank.sentence import Phrase
from probing.errors import ProbingError

Chains = Literal["all", "highest", "lowest"]
"""All phrases that span the same words, as an S above a VP, or only one of them."""


@dataclass(frozen=True, kw_only=True)
class PhraseSpansTask(EdgeTask):
    """Constituents with their labels: every phrase above the parts of speech.

    Reads bracketed trees as of the Penn Treebank, and the column of parses of CoNLL-2012. Traces, and nodes
    that parsers put above a sentence (`TOP`, `ROOT`), are left out.

    Attributes:
        functions: Whether function tags are part of a label: NP-SBJ is then different from NP.
        chains: The phrases that count where several span the same words. `all` gives each of them a target,
            as in edge probing, so that a probe cannot be right about all of them.
    """

    functions: bool = False
    chains: Chains = "all"

    format: ClassVar[str] = "constituents"
    endings: ClassVar[tuple[str, ...]] = (".mrg", ".txt", ".ptb", ".parse", *ONTONOTES_ENDINGS)

    def texts(self, path: Path, split: str | None) -> Iterator[EdgeText]:
        """Yield the sentences of a file; see `EdgeTask.texts`."""
        if path.name.lower().endswith(ONTONOTES_ENDINGS):
            for rows in read_ontonotes(path, self._files.hint, self.name):
                tree = tree_of_cells(rows.column(PARSE), rows.place)
                if tree is not None:
                    yield EdgeText.of_words(rows.place, split, rows.forms(FORM), self._edges(tree))
            return
        empty = True
        for sentence in read_brackets(path, split, self._files.hint):
            empty = False
            if sentence.tree is not None:
                yield EdgeText.of_words(sentence.place, split, sentence.tokens, self._edges(sentence.tree))
        if empty:
            raise ProbingError(f"{path}: the file contains no tree; {self._files.hint}")

    def _edges(self, tree: Phrase) -> list[Edge]:
        found = [(span, self._label(phrase)) for phrase, span in phrases_of(tree) if phrase.label]
        if self.chains != "all":
            ordered = reversed(found) if self.chains == "highest" else found
            found = list(dict(ordered).items())
        return [
            Edge((label,), span) for span, label in sorted(found, key=lambda each: (each[0][0], -each[0][1]))
        ]

    def _label(self, phrase: Phrase) -> str:
        return "-".join([plain(phrase), *(functions(phrase) if self.functions else ())])


def phrases_of(tree: Phrase) -> Iterator[tuple[Phrase, Words]]:
    """Yield the phrases of a tree with their words [start, end), a phrase before those inside it."""
    places = list(leaves(tree))
    yield tree, (min(places), max(places) + 1)
    for child in tree.children:
        if isinstance(child, Phrase):
            yield from phrases_of(child)
