"""Train, dev and test sentences of a treebank."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b

from probing.datasets.treebank.sentence import Sentence
from probing.tasks.task import SPLITS

log = logging.getLogger(__name__)
# tenths of the sentences without a split that go to dev and test; the other eight go to train
TENTHS = ("dev", "test")


def split_sentences(sentences: Sequence[Sentence], seed: int) -> dict[str, list[Sentence]]:
    """Split sentences as the files do if those include train and test, and otherwise 8:1:1 by a hash.

    If there is no dev file, dev is a tenth of train. No sentence is in two splits, or twice in one.

    Args:
        sentences: The treebank.
        seed: Seed of the splits that are made here.

    Returns:
        Sentences by split: train, dev, test.
    """
    own = {sentence.split for sentence in sentences}
    splits = [split_of(sentence, own, seed) for sentence in sentences]
    kept: dict[str, list[Sentence]] = {split: [] for split in SPLITS}
    seen: set[str] = set()
    for wanted in ("test", "dev", "train"):
        for sentence, split in zip(sentences, splits, strict=True):
            if split == wanted and key_of(sentence) not in seen:
                seen.add(key_of(sentence))
                kept[wanted].append(sentence)
    if len(seen) < len(sentences):
        log.info("left out: %s sentences that occur more than once", f"{len(sentences) - len(seen):,}")
    return kept


def warn_of_pooling(sentences: Sequence[Sentence], name: str, *, always: bool = False) -> None:
    """Warn if sentences of dev and test files are pooled with others and split again.

    Args:
        sentences: The treebank.
        name: Name of the task.
        always: Whether the task pools all files, even if their names give train and test.
    """
    own = {sentence.split for sentence in sentences}
    why = f"task {name} pools all files"
    if not {"train", "test"} <= own:
        names = sorted(str(split) for split in own if split is not None)
        why = f"there are files of {' and '.join(names)} but not of both train and test, so they are pooled"
    elif not always:
        return
    if own & {"dev", "test"}:
        log.warning("%s and split again, 8:1:1; scores are not those of the treebank's own test", why)


def split_of(sentence: Sentence, own: Collection[str | None], seed: int, purpose: str = "split") -> str:
    """Return the split of a sentence: that of its file, or one by a hash of its tokens.

    Args:
        sentence: The sentence.
        own: The splits that the file names of the treebank give.
        seed: Seed of the hash.
        purpose: Name of the draw; draws of other names are independent.
    """
    tenth = stable_number(seed, purpose, key_of(sentence)) % 10
    made = TENTHS[tenth] if tenth < len(TENTHS) else "train"
    if not {"train", "test"}.issubset(own) or sentence.split is None:
        return made
    if "dev" not in own and sentence.split == "train" and made == "dev":
        return "dev"
    return sentence.split


def in_random_order(sentences: Iterable[Sentence], seed: int) -> list[Sentence]:
    """Return sentences in an order that depends only on their tokens, their places and the seed."""
    return sorted(sentences, key=lambda each: (stable_number(seed, "order", key_of(each)), each.place))


def key_of(sentence: Sentence) -> str:
    """Return the tokens without spaces, by which sentences are compared in both styles of text."""
    return "".join(sentence.tokens).replace(" ", "")


def stable_number(seed: int, purpose: str, text: str) -> int:
    """Return a 64-bit number that is the same on every machine and in every process."""
    return int.from_bytes(blake2b(f"{seed}\n{purpose}\n{text}".encode(), digest_size=8).digest(), "big")
