"""Tokenisation of texts, and pairs of texts, within the model's limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from probing.errors import ProbingError
from probing.tasks.task import Unit

if TYPE_CHECKING:  # counting texts needs no tokenizer
    from tokenizers import Encoding
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

TextPair = tuple[str, str | None]
START = "<start>"
"""The piece at which a decoder starts."""


def source_of(unit: Unit) -> TextPair:
    """Return the model's input for a unit: its text, and the second text if there is one."""
    return unit.text, unit.second


def characters(source: TextPair) -> int:
    """Return the length of an input in characters."""
    text, second = source
    return len(text) + len(second or "")


def distinct_characters(units: Iterable[Unit]) -> int:
    """Return the characters that a model reads for some units; spans of one text share its reading."""
    return sum(map(characters, {source_of(unit) for unit in units}))


@dataclass(frozen=True)
class Tokens:
    """One input of the model, without padding.

    Attributes:
        ids: One number for each token, by the name of the tokenizer's output.
        kept: The tokens with their characters; None if the tokenizer does not report them.
        whole: The same before truncation; None if nothing was truncated.
        cut: Whether the input was truncated.
    """

    ids: dict[str, list[int]]
    kept: Encoding | None
    whole: Encoding | None = None
    cut: bool = False

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.ids["input_ids"])


def tokenize(
    tokenizer: PreTrainedTokenizerBase, sources: Sequence[TextPair], max_length: int | None
) -> list[Tokens]:
    """Tokenise texts, joining pairs as the tokenizer does. The longer text of a pair is truncated first.

    Raises:
        ProbingError: If the limit is too small for two texts, or the tokenizer fails.
    """
    tokens = _encode(tokenizer, sources)
    if max_length is None:
        return tokens
    long = [row for row, item in enumerate(tokens) if len(item) > max_length]
    _check_room(tokenizer, [sources[row] for row in long], max_length)
    for row, item in zip(long, _encode(tokenizer, [sources[row] for row in long], max_length), strict=True):
        tokens[row] = replace(item, whole=tokens[row].kept, cut=True)
    return tokens


def _check_room(tokenizer: PreTrainedTokenizerBase, long: Sequence[TextPair], max_length: int) -> None:
    if any(second is not None for _, second in long):
        needed = tokenizer.num_special_tokens_to_add(pair=True) + 2
        if max_length < needed:
            raise ProbingError(
                f"extract.max_length is {max_length}; two texts in one input need at least {needed} tokens"
            )


def _encode(
    tokenizer: PreTrainedTokenizerBase, sources: Sequence[TextPair], max_length: int | None = None
) -> list[Tokens]:
    found: dict[TextPair, Tokens] = {}
    for pairs in (False, True):  # one call takes either texts or pairs
        alike = [source for source in sources if (source[1] is not None) is pairs]
        if alike:
            found |= zip(alike, _call(tokenizer, alike, max_length), strict=True)
    return [found[source] for source in sources]


def _call(
    tokenizer: PreTrainedTokenizerBase, sources: Sequence[TextPair], max_length: int | None
) -> Iterator[Tokens]:
    options: dict[str, Any] = {"padding": False, "return_attention_mask": False, "verbose": False}
    if max_length is not None:
        options |= {"truncation": "longest_first", "max_length": max_length}
    if sources[0][1] is not None:
        options["text_pair"] = [second for _, second in sources]
    try:
        encoded = tokenizer([text for text, _ in sources], **options)
    except Exception as error:  # fast tokenizers raise nothing narrower
        raise ProbingError(
            f"{tokenizer.name_or_path}: its tokenizer cannot read texts such as {sources[0][0][:60]!r} "
            f"({str(error).strip().partition(chr(10))[0]}); fetch the model again, or choose another"
        ) from error
    kept = encoded.encodings if tokenizer.is_fast else [None] * len(sources)
    for row in range(len(sources)):
        yield Tokens({name: ids[row] for name, ids in encoded.items()}, kept[row])
