"""Target words whose forms each occur in one split only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from probing.datasets.treebank.facts import Marked
from probing.datasets.treebank.held_out import stable_number
from probing.datasets.treebank.pool import Pooled, SentenceExample
from probing.tasks.task import SPLITS

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}
# maximum share of a form in its class
LARGEST = 0.05
# lengths that differ by less than this are matched with each other
BIN = 2


def by_form(marked: Sequence[tuple[Pooled, Marked]], seed: int) -> Iterator[SentenceExample]:
    """Return examples of all files, each in the split of its target word's form.

    SentEval leaves out targets that are rare or very frequent in its large corpus. A treebank is too small
    for that, so here a frequent form is limited to a twentieth of its class. Classes are matched by length.

    Args:
        marked: Sentences with their target words.
        seed: Seed of the splits.
    """
    examples = list(_without_excess(_examples(marked)))
    counts: dict[str, Counter[str]] = {}
    for example in examples:
        counts.setdefault(example.form, Counter())[example.label] += 1
    # frequent forms first, so that rare ones even out the sizes of the splits
    forms = sorted(
        counts, key=lambda form: (-counts[form].total().bit_length(), stable_number(seed, "form", form), form)
    )
    split_of = dict(zip(forms, allot([counts[form] for form in forms]), strict=True))
    return (replace(example, split=split_of[example.form]) for example in examples)


def allot(groups: Sequence[Counter[str]], options: Sequence[Sequence[str]] | None = None) -> list[str]:
    """Assign each group to the split that is furthest below its share of the group's classes.

    Args:
        groups: Number of examples of each class in each group.
        options: Splits that each group may go to; None allows all.

    Returns:
        The split of each group.
    """
    totals: Counter[str] = Counter()
    for group in groups:
        totals.update(group)
    held = {split: Counter[str]() for split in SPLITS}
    chosen = []
    for number, group in enumerate(groups):
        fullness = {
            split: sum(n * held[split][label] / totals[label] for label, n in group.items()) / SHARES[split]
            for split in (SPLITS if options is None else options[number])
        }
        split = min(fullness, key=lambda name: fullness[name])
        held[split].update(group)
        chosen.append(split)
    return chosen


def _examples(marked: Iterable[tuple[Pooled, Marked]]) -> Iterator[SentenceExample]:
    for item, target in marked:
        form = item.sentence.words[target.word].form.lower()
        yield replace(item.example(target.label, item.length // BIN), form=form)


def _without_excess(examples: Iterable[SentenceExample]) -> Iterator[SentenceExample]:
    """Yield the first examples of each form, at most a twentieth of its class."""
    found = list(examples)
    totals = Counter(example.label for example in found)
    taken: Counter[tuple[str, str]] = Counter()
    for example in found:
        taken[example.form, example.label] += 1
        if taken[example.form, example.label] <= max(2, LARGEST * totals[example.label]):
            yield example
