"""Splits for data that have none: stratified, seeded, and stable when rows are added."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.tasks.task import SPLITS

# number of texts of every stratum that go to train before dev and test get any
KEPT = 2


def make_splits(
    texts: Sequence[str], labels: Sequence[str], shares: Sequence[float], seed: int
) -> NDArray[np.str_]:
    """Assign every text to train, dev or test, with the same share of every label in each.

    Texts are ranked within their stratum by a seeded hash of the text. The first ranks are test, the next
    are dev, and the rest are train. So the order of the rows does not matter, copies of a text stay
    together, and added rows move only the few texts that are next to a border. If a text has several labels
    (a sentence whose words are the examples), its stratum is the rarest of them.

    Args:
        texts: The text of each of n examples.
        labels: The label of each, or the bin of its score.
        shares: Shares of train, dev and test, which sum to 1; only that of dev may be 0.
        seed: Seed of the hash.

    Returns:
        str (n,), "train", "dev" or "test". Every share of every stratum is met to within one text, unless
        train needs more to keep two of its texts. Dev and test have no label that train lacks.

    Raises:
        ProbingError: If the shares are invalid or there are too few texts.
    """
    check_shares(shares)
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    text_of = np.array([numbers[text] for text in texts], dtype=np.int64)
    strata = _rarest(text_of, labels)
    hashes = np.array([_hash(seed, text) for text in numbers])
    made = np.full(len(numbers), "train", dtype="<U5")
    largest = Counter(strata.tolist()).most_common(1)[0][0] if len(strata) else ""
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        ranked = members[np.argsort(hashes[members], kind="stable")]
        borders = _borders(len(ranked), shares, _hash(seed, f"\0{stratum}"), stratum == largest)
        made[ranked[: borders[0]]] = "test"
        made[ranked[borders[0] : borders[1]]] = "dev"
    split = _back_to_train(made, text_of, np.asarray(labels))[text_of]
    for name, share in zip(SPLITS, shares, strict=True):
        if share and name not in split:
            raise ProbingError(
                f"{len(numbers)} different texts of {len(set(labels))} labels are too few to split; "
                "give the splits in a column, task.split=..."
            )
    return split


def check_shares(shares: Sequence[float]) -> None:
    """Reject invalid shares of train, dev and test.

    Raises:
        ProbingError: If they do not sum to 1, or the share of train or test is 0.
    """
    sound = len(shares) == len(SPLITS) and min(shares) >= 0 and math.isclose(sum(shares), 1, abs_tol=1e-6)
    if not (sound and shares[0] > 0 and shares[2] > 0):
        raise ProbingError(
            f"task.shares is {list(shares)}; give shares of train, dev and test that sum to 1, as in "
            "task.shares=[0.8,0.1,0.1]; only that of dev may be 0"
        )


def _rarest(text_of: NDArray[np.int64], labels: Sequence[str]) -> NDArray[np.str_]:
    """Return the rarest label of every text."""
    counts = Counter(labels)
    by_rarity = sorted(counts, key=lambda label: (counts[label], label))
    rank = {label: number for number, label in enumerate(by_rarity)}
    lowest = np.full(int(text_of.max(initial=-1)) + 1, len(by_rarity))
    np.minimum.at(lowest, text_of, [rank[label] for label in labels])
    rarest: NDArray[np.str_] = np.array(by_rarity, dtype=np.str_)[lowest]
    return rarest


def _borders(n: int, shares: Sequence[float], offset: float, largest: bool) -> tuple[int, int]:
    """Return two ranks: ranks below the first are test, and the others below the second are dev.

    The offset rounds up as often as the shares require over many small strata. The largest stratum always
    gives at least one text to every split.
    """
    test = math.floor(n * shares[2] + offset)
    held = math.floor(n * (shares[2] + shares[1]) + offset)
    if largest:
        test = max(test, 1)
        held = max(held, test + 1 if shares[1] else test)
    held = min(held, max(n - KEPT, 0))
    return min(test, held), held


def _back_to_train(
    made: NDArray[np.str_], text_of: NDArray[np.int64], labels: NDArray[np.str_]
) -> NDArray[np.str_]:
    """Move texts to train if train lacks one of their labels."""
    seen = np.unique(labels[made[text_of] == "train"])
    moved = made.copy()
    moved[text_of[~np.isin(labels, seen)]] = "train"
    return moved


def _hash(seed: int, text: str) -> float:
    """Return a number in [0, 1) that depends only on the seed and the text."""
    digest = hashlib.blake2b(f"{seed}\n{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
