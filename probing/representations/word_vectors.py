"""Frozen vectors of words: from a text file such as those of GloVe, or the input embeddings of a model."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.io.lazy import torch

if TYPE_CHECKING:
    from probing.models.loading import LoadedModel

log = logging.getLogger(__name__)
_HEADER = 2
"""Fields of the first line of a file in the format of word2vec: numbers of words and of dimensions."""


def read_word_vectors(path: Path, words: Sequence[str]) -> NDArray[np.float64]:
    """Read the vectors of some words from a text file: a word and its numbers on each line, between spaces.

    A word that the file lacks takes the vector of its lower-case spelling, and zeros if the file lacks that
    too. A first line with the numbers of words and dimensions is skipped.

    Args:
        path: The file, UTF-8.
        words: Different words.

    Returns:
        float64 (words, d).

    Raises:
        ProbingError: With file and line, if the file cannot be read or lines have different lengths.
    """
    wanted = {*words, *(word.lower() for word in words)}
    found: dict[str, NDArray[np.float64]] = {}
    dim = 0
    try:
        with path.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                fields = line.rstrip().split(" ")
                if number == 1 and len(fields) == _HEADER:
                    continue
                dim = dim or len(fields) - 1
                # a few words of GloVe contain spaces, so the numbers are counted from the end
                word = " ".join(fields[:-dim]) if dim else ""
                if not word:
                    raise ProbingError(
                        f"{path}, line {number}: {len(fields) - 1} numbers instead of {dim or 'any'}; give a "
                        "word and its numbers on each line, separated by single spaces"
                    )
                if word in wanted:
                    found.setdefault(word, _numbers(fields[-dim:], path, number))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise ProbingError(
            f"{path}: {reason}; give analysis.words=embeddings, or a file of vectors"
        ) from error
    known = sum(word in found or word.lower() in found for word in words)
    log.info("%s: vectors of %d of %d different words, the others are zeros", path, known, len(words))
    if not known:
        raise ProbingError(f"{path}: has none of the {len(words)} words of the task; give another file")
    nothing = np.zeros(dim)
    return np.stack([found.get(word, found.get(word.lower(), nothing)) for word in words])


def _numbers(fields: Sequence[str], path: Path, line: int) -> NDArray[np.float64]:
    try:
        return np.array(fields, dtype=np.float64)
    except ValueError as error:
        raise ProbingError(f"{path}, line {line}: {error}; correct or remove the line") from error


def input_embeddings(loaded: LoadedModel, words: Sequence[str]) -> NDArray[np.float64]:
    """Return the model's own input embeddings of words, the mean over the pieces of each.

    A word is cut into pieces as after a space. A word without a piece has zeros.

    Args:
        loaded: Model and tokenizer.
        words: Words.

    Returns:
        float64 (words, d).
    """
    table = loaded.model.get_input_embeddings().weight.detach()  # type: ignore[operator]
    spaced = [f" {word}" for word in words]
    pieces = loaded.tokenizer(spaced, add_special_tokens=False)["input_ids"] if spaced else []
    found = [
        table[torch.tensor(own, device=table.device)].double().mean(0).cpu().numpy()
        if own
        else np.zeros(table.shape[1])
        for own in pieces
    ]
    return np.stack(found)
