"""Equal numbers of examples of every class, in every split and for every key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from probing.datasets.treebank.pool import ANY, SentenceExample
from probing.errors import ProbingError
from probing.tasks.task import SPLITS

# number of examples of each class by split and key
ClassCounts = dict[tuple[str, object], Counter[str]]
Group = tuple[SentenceExample, ...]
# without given splits, the first of ten groups goes to dev and the second to test
HELD = {0: "dev", 1: "test"}


def balance(
    examples: Iterable[SentenceExample], classes: Sequence[str], sizes: Mapping[str, int | None], title: str
) -> list[SentenceExample]:
    """Draw groups of one example of each class that share a split and a key.

    Args:
        examples: Examples to draw from; one of several with the same text is kept. Groups without a split
            go to train, dev and test as 8:1:1.
        classes: Names of the classes; examples of other classes are left out.
        sizes: Maximum number of examples of each split; None takes all.
        title: Treebank and task, for messages.

    Returns:
        The examples group by group, first those of train, then those of dev and test.

    Raises:
        ProbingError: If a split has too few examples.
    """
    unique = list({example.text: example for example in examples}.values())
    groups = _groups(unique, classes)
    drawn: list[SentenceExample] = []
    for split in SPLITS:
        most = sizes[split]
        found = groups[split] if most is None else groups[split][: most // len(classes)]
        if len(found) < (2 if split == "train" else 1):
            raise ProbingError(f"{title}: {_too_few(unique, classes, split, most)}")
        drawn += [example for group in found for example in group]
    return drawn


def table_of(examples: Iterable[SentenceExample]) -> ClassCounts:
    """Count examples by split, key and class."""
    table: ClassCounts = {}
    for example in examples:
        table.setdefault((example.split, example.key), Counter())[example.label] += 1
    return table


def share(table: ClassCounts, classes: Sequence[str]) -> float:
    """Return the share of examples of each class in a balanced draw, in the split where it is the lowest."""
    totals: Counter[str] = Counter()
    drawn: Counter[str] = Counter()
    for (split, _), counts in table.items():
        totals[split] += counts.total()
        drawn[split] += min(counts[label] for label in classes)
    return min((drawn[split] / totals[split] for split in totals), default=0)


def size(table: ClassCounts) -> int:
    """Return the number of examples."""
    return sum(counts.total() for counts in table.values())


def _groups(examples: Iterable[SentenceExample], classes: Sequence[str]) -> dict[str, list[Group]]:
    """Return groups of one example of each class, by split, in the order of their first examples."""
    cells: dict[tuple[str, object], dict[str, list[SentenceExample]]] = {}
    for example in sorted(examples, key=lambda e: e.order):
        cell = cells.setdefault((example.split, example.key), {label: [] for label in classes})
        if example.label in cell:
            cell[example.label].append(example)
    groups: dict[str, list[Group]] = {split: [] for split in (*SPLITS, ANY)}
    for (split, _), cell in cells.items():
        groups[split] += zip(*cell.values(), strict=False)
    for found in groups.values():
        found.sort(key=lambda group: group[0].order)
    for rank, group in enumerate(groups[ANY]):
        split = HELD.get(rank % 10, "train")
        groups[split].append(tuple(replace(example, split=split) for example in group))
    return groups


def _too_few(
    examples: Sequence[SentenceExample], classes: Sequence[str], split: str, most: int | None
) -> str:
    if most is not None and most < 2 * len(classes):
        return f"task.n_{split}={most} is too few for {len(classes)} classes"
    counts = Counter(example.label for example in examples if example.split in (split, ANY))
    found = ", ".join(f"{counts[label]} {label}" for label in classes[:4])
    more = ", ..." if len(classes) > 4 else ""
    return (
        f"the treebank yields too few sentences to balance {split} (found {found}{more}); give a larger "
        "treebank, or widen task.shortest and task.longest"
    )
