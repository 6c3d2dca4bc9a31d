"""A task card as text, for the terminal and the log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from probing.tasks.card import SplitCard, TaskCard

WIDTH = 110
# maximum number of classes and data sets to name; the rest are counted
MOST = 8
_INDENT = 12
_NAME = 30


def card_text(card: TaskCard) -> str:
    """Format a card: its name and sizes, then one fact per line.

    Args:
        card: The card to format.

    Returns:
        Several lines of at most 110 characters each.
    """
    sizes = ", ".join(f"{split.size:,} {split.name}" for split in card.splits)
    head = [f"task {card.name}: {sizes}", card.metric, card.selection]
    lines = textwrap.wrap("; ".join(head), WIDTH, subsequent_indent=" " * _INDENT)
    for name, parts in _facts(card):
        lines += _block(name, parts)
    return "\n".join(lines)


def _facts(card: TaskCard) -> Iterator[tuple[str, Sequence[str]]]:
    yield "source", [card.source or "not stated", f"licence: {card.licence}"]
    if card.units != "texts":
        yield "units", [card.units]
    if card.groups is not None:
        yield "data sets", [_largest(card.groups)]
    first = card.splits[0]
    if first.classes is not None and first.majority is None:
        yield "labels", [f"{len(first.classes)}, in {first.name} {_largest(first.classes)}"]
    elif first.classes is not None:
        yield "classes", [f"{len(first.classes)}, in {first.name} {_largest(first.classes)}"]
        yield "majority", _majority(card.splits)
    else:
        yield "scores", [_scores(split) for split in card.splits]
    yield card.length_unit, [_lengths(split) for split in card.splits]
    yield "overlap", _overlap(card)


def _largest(counts: Mapping[str, int]) -> str:
    """The largest counts in descending order, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    named = ", ".join(f"{_short(name)} ({count:,})" for name, count in ordered[:MOST])
    return named + (f" + {len(ordered) - MOST:,} more" if len(ordered) > MOST else "")


def _majority(splits: Sequence[SplitCard]) -> list[str]:
    """The largest class of train, and the accuracy of always answering it."""
    counts = splits[0].classes or {}
    largest = max(counts, key=counts.__getitem__)
    shares = [(split.name, (split.classes or {}).get(largest, 0) / split.size) for split in splits]
    return [f"always {_short(largest)}", *(f"{name} {share:.1%}" for name, share in shares)]


def _scores(split: SplitCard) -> str:
    scores = split.scores
    assert scores is not None
    return f"{split.name} {scores.low:g} to {scores.high:g}, mean {scores.mean:.2f}, sd {scores.sd:.2f}"


def _lengths(split: SplitCard) -> str:
    of = split.lengths
    return (
        f"{split.name} mean {of.mean:.1f}, median {of.median:g}, 90% from {of.low:,} to {of.high:,}, "
        f"max {of.most:,}"
    )


def _overlap(card: TaskCard) -> list[str]:
    parts = [
        f"{split.in_train:,} of {split.name} ({split.in_train / split.size:.1%}) also in train"
        for split in card.splits
        if split.in_train
    ]
    parts += [f"{split.repeated:,} repeated within {split.name}" for split in card.splits if split.repeated]
    if card.conflicts:
        parts.append(f"texts with conflicting labels: {card.conflicts:,}")
    return parts or ["none between splits, nothing repeated"]


def _short(name: str) -> str:
    """A name on one line, truncated if it is long."""
    bare = " ".join(name.split())
    return bare if len(bare) <= _NAME else f"{bare[: _NAME - 3]}..."


def _block(name: str, parts: Sequence[str]) -> list[str]:
    """The lines of a named fact; parts that fit on a line stay whole, and continuation lines are indented."""
    lines = [parts[0]]
    for part in parts[1:]:
        lines[-1] += ";"
        if _INDENT + len(lines[-1]) + len(part) + 2 <= WIDTH:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    wrapped = [piece for line in lines for piece in textwrap.wrap(line, WIDTH - _INDENT)]
    margins = [f"  {name:<{_INDENT - 2}}", *[" " * _INDENT] * (len(wrapped) - 1)]
    return [margin + line for margin, line in zip(margins, wrapped, strict=True)]
