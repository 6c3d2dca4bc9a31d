"""The rarest word of each text, by the counts of a corpus (Voita et al. 2019)."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from probing.errors import ProbingError
from probing.tasks.task import Unit

_WORD = re.compile(r"\w+|[^\w\s]")
Spans = tuple[tuple[int, int], ...]


def words_of(unit: Unit) -> Spans:
    """Return the character offsets of the words of a unit's text, those of the unit if it states them.

    Others are runs of letters and digits, and single marks of punctuation.
    """
    return unit.words or tuple(found.span() for found in _WORD.finditer(unit.text))


def word_counts(units: Iterable[Unit]) -> Counter[str]:
    """Return the number of occurrences of each word in distinct texts, regardless of case."""
    texts = {unit.text: unit for unit in units}
    return Counter(
        unit.text[start:end].casefold() for unit in texts.values() for start, end in words_of(unit)
    )


def with_rarest(units: Iterable[Unit], counts: Mapping[str, int]) -> list[Unit]:
    """Return units with words, each with the span of the word that has the smallest count, the first of ties.

    A word that is not counted has the count 0.
    """
    found = []
    for unit in units:
        words = words_of(unit)
        often = [counts.get(unit.text[start:end].casefold(), 0) for start, end in words]
        found.append(replace(unit, words=words, span=words[often.index(min(often))]))
    return found


def read_corpus(path: str) -> Sequence[Unit]:
    """Return the lines of a text file, UTF-8.

    Raises:
        ProbingError: If it cannot be read.
    """
    lines = _content(path).decode(errors="replace").splitlines()
    return [Unit(line) for line in lines if line.strip()]


def corpus_digest(path: str) -> str:
    """Return a digest of a corpus, for the key of a result.

    Raises:
        ProbingError: If it cannot be read.
    """
    return hashlib.sha256(_content(path)).hexdigest()[:16]


def _content(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ProbingError(
            f"analysis.corpus={path}: {error.strerror}; give a text file, or null for the train texts"
        ) from error
