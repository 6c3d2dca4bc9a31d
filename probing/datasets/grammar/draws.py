"""Draws of the sentences of a task's splits: balanced, matched by key, and without repetitions."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from random import Random

from probing.datasets.grammar.choice import CannotFillError
from probing.datasets.grammar.fill import Filler
from probing.datasets.grammar.kinds import GrammarKind
from probing.datasets.grammar.skeleton import sample
from probing.datasets.grammar.tree import Tree, spell
from probing.errors import ProbingError

Cells = dict[Hashable, list[list[Tree]]]
TRIES = 2000


@dataclass(frozen=True, slots=True)
class GrammarExample:
    """A sentence of the task.

    Attributes:
        text: The sentence as shown to the model.
        label: Index of its class.
        split: "train", "dev" or "test".
        tree: Its gold tree; for an altered sentence, the tree before the change.
    """

    text: str
    label: int
    split: str
    tree: Tree


def draw(kind: GrammarKind, sizes: dict[str, int], seed: int, name: str) -> list[GrammarExample]:
    """Draw the requested number of sentences for each split.

    Raises:
        ProbingError: If the grammar cannot make that many different ones.
    """
    rng = Random(f"{type(kind).__name__} {seed}")
    cells = fill_cells(kind, rng)
    lexicons = kind.lexicons(seed)
    seen: set[str] = set()
    examples: list[GrammarExample] = []
    for split, size in sizes.items():
        filler = kind.filler(lexicons[split], rng)
        drawn = list(sentences(kind, filler, cells, size, seen))
        if len(drawn) < size:
            raise ProbingError(
                f"task {name}: the grammar made {len(examples) + len(drawn)} sentences and found no "
                f"new one; lower task.n_{split}={size}"
            )
        rng.shuffle(drawn)
        trees, labels = [tree for tree, _, _ in drawn], [label for _, label, _ in drawn]
        finished = kind.finish(trees, labels, rng) or [tokens for _, _, tokens in drawn]
        texts = [spell(tokens) for tokens in finished]
        examples += [
            GrammarExample(text, label, split, tree)
            for text, label, tree in zip(texts, labels, trees, strict=True)
        ]
    return examples


def fill_cells(kind: GrammarKind, rng: Random) -> Cells:
    """Return skeletons by key and class; keys that one of the classes lacks are left out."""
    cells: Cells = {}
    for _ in range(kind.pool):
        skeleton = sample(rng, kind.root, kind.richness)
        for label, key in kind.places(skeleton):
            if key not in cells:
                cells[key] = [[] for _ in kind.classes]
            cells[key][label].append(skeleton)
    return {key: cell for key, cell in cells.items() if all(cell)}


def sentences(
    kind: GrammarKind, filler: Filler, cells: Cells, size: int, seen: set[str]
) -> Iterator[tuple[Tree, int, list[str]]]:
    """Draw groups of one sentence per class that share a key; the last group may be incomplete."""
    rng = filler.choose.rng
    weights = [min(len(skeletons) for skeletons in cell) for cell in cells.values()]
    classes = range(len(kind.classes))
    for start in range(0, size, len(classes)):
        cell = rng.choices(list(cells.values()), weights)[0]
        for label in rng.sample(classes, min(len(classes), size - start)):
            found = sentence(kind, filler, cell[label], label, seen)
            if found is None:
                return
            yield found[0], label, found[1]


def sentence(
    kind: GrammarKind, filler: Filler, skeletons: list[Tree], label: int, seen: set[str]
) -> tuple[Tree, list[str]] | None:
    """Draw one new sentence, or return None."""
    for _ in range(TRIES):
        try:
            tree = kind.compose(filler, filler.choose.one(skeletons), label)
        except CannotFillError:
            continue
        tokens = kind.tokens(tree, label, filler.choose.rng) if tree else None
        if tree is None or tokens is None or spell(tokens) in seen:
            continue
        seen.add(spell(tokens))
        return tree, tokens
    return None
