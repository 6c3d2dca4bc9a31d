"""From texts, and pairs of texts, to token ids within the model's limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from probing.errors import ProbingError
from probing.tasks.task import Unit

if TYPE_CHECKING:  # who counts texts needs no tokenizer
    from tokenizers import Encoding
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

Source = tuple[str, str | None]


def source_of(unit: Unit) -> Source:
    """What the model reads for a unit: its text, and the second text in the same input."""
    return unit.text, unit.second


def characters(source: Source) -> int:
    """The length of an input in characters."""
    text, second = source
    return len(text) + len(second or "")


@dataclass(frozen=True)
class Tokens:
    """One input of the model, not padded.

    Attributes:
        ids: By the name of the tokenizer's output one number for each token.
        kept: The tokens with their characters; None from a tokenizer that does not tell.
        whole: The same before it was cut; None where nothing was.
        cut: Whether it was.
    """

    ids: dict[str, list[int]]
    kept: Encoding | None
    whole: Encoding | None = None
    cut: bool = False

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self.ids["input_ids"])


def tokenize(
    tokenizer: PreTrainedTokenizerBase, sources: Sequence[Source], max_length: int | None
) -> list[Tokens]:
    """Tokenise texts, joining pairs as the tokenizer does; of a pair the longer one is cut first.

    Raises:
        ProbingError: If the limit leaves no room for two texts, or the tokenizer fails.
    """
    tokens = _encode(tokenizer, sources)
    if max_length is None:
        return tokens
    long = [row for row, item in enumerate(tokens) if len(item) > max_length]
    _check_room(tokenizer, [sources[row] for row in long], max_length)
    for row, item in zip(long, _encode(tokenizer, [sources[row] for row in long], max_length), strict=True):
        tokens[row] = replace(item, whole=tokens[row].kept, cut=True)
    return tokens


def _check_room(tokenizer: PreTrainedTokenizerBase, long: Sequence[Source], max_length: int) -> None:
    if any(second is not None for _, second in long):
        needed = tokenizer.num_special_tokens_to_add(pair=True) + 2
        if max_length < needed:
            raise ProbingError(
                f"extract.max_length is {max_length}; two texts in one input need at least {needed} tokens"
            )


def _encode(
    tokenizer: PreTrainedTokenizerBase, sources: Sequence[Source], max_length: int | None = None
) -> list[Tokens]:
    found: dict[Source, Tokens] = {}
    for pairs in (False, True):  # one call takes either texts or pairs
        alike = [source for source in sources if (source[1] is not None) is pairs]
        if alike:
            found |= zip(alike, _call(tokenizer, alike, max_length), strict=True)
    return [found[source] for source in sources]


def _call(
    tokenizer: PreTrainedTokenizerBase, sources: Sequence[Source], max_length: int | None
) -> Iterator[Tokens]:
    options: dict[str, Any] = {"padding": False, "return_attention_mask": False, "verbose": False}
    if max_length is not None:
        options |= {"truncation": "longest_first", "max_length": max_length}
    if sources[0][1] is not None:
        options["text_pair"] = [second for _, second in sources]
    try:
        encoded = tokenizer([text for text, _ in sources], **options)
    except Exception as error:  # the fast ones raise nothing narrower
        raise ProbingError(
            f"{tokenizer.name_or_path}: its tokenizer cannot read texts as {sources[0][0][:60]!r} "
            f"({str(error).strip().partition(chr(10))[0]}); fetch the model again, or choose another"
        ) from error
    kept = encoded.encodings if tokenizer.is_fast else [None] * len(sources)
    for row in range(len(sources)):
        yield Tokens({name: ids[row] for name, ids in encoded.items()}, kept[row])
