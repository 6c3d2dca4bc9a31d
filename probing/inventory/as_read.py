"""Examples as the model reads them: tokens, truncation, and the tokens that a vector comes from.

Only this module needs transformers, and it imports it when a tokenizer is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from probing.config.convert import make
from probing.errors import ProbingError
from probing.inventory.task_examples import Example
from probing.io.lazy import leave_out_torch
from probing.models.digests import TOKENIZER, digest_files, matching
from probing.models.model_choice import ModelConfig
from probing.models.model_files import ModelFiles, find_files
from probing.representations.spans import span_tokens
from probing.representations.tokens import Tokens, source_of, tokenize
from probing.tasks.task import Unit

if TYPE_CHECKING:
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase

_LONGEST = 100_000  # tokenizers without a limit report one of about 1e30
_MOST = 60
"""Number of tokens that are shown of a long text."""


@dataclass(frozen=True)
class TextReader:
    """The tokenizer of a model, with its limit.

    Attributes:
        tokenizer: The tokenizer.
        limit: Number of tokens after which a text is truncated; None if there is no limit.
        changed: Whether its files differ from those of the run.
    """

    tokenizer: PreTrainedTokenizerBase
    limit: int | None
    changed: bool


def text_reader(model: Mapping[str, Any], request: Mapping[str, Any]) -> TextReader:
    """Load the tokenizer of a run.

    Args:
        model: The stored configuration of the model.
        request: The stored request for vectors.

    Raises:
        ProbingError: If the model is not there any more.
        Exception: Of many kinds, if its tokenizer cannot be loaded.
    """
    files = find_files(make(ModelConfig, {k: v for k, v in model.items() if k != "_target_"}, "model"))
    if files.gguf is None and not files.config.trust_remote_code:
        leave_out_torch()
    from probing.models.tokenizer import load_tokenizer

    tokenizer = load_tokenizer(files)
    then = dict(request.get("model") or {}).get("tokenizer")
    now = digest_files(matching(files.tokenizer_folder, TOKENIZER))
    return TextReader(tokenizer, _limit(files, tokenizer, request.get("max_length")), then not in (None, now))


def _limit(files: ModelFiles, tokenizer: PreTrainedTokenizerBase, requested: object) -> int | None:
    """Return the smallest limit of the run, the tokenizer and the configuration of the model."""
    settings = {**files.settings, **(files.settings.get("text_config") or {})}
    stated = [requested, tokenizer.model_max_length]
    stated += [settings.get(name) for name in ("max_position_embeddings", "n_positions")]
    known = [int(limit) for limit in stated if isinstance(limit, int | float) and 0 < limit < _LONGEST]
    return min(known, default=None)


def example_text(example: Example, reader: TextReader | None, pooling: str | None) -> list[str]:
    """Describe one example in lines of text.

    Args:
        example: The example.
        reader: The tokenizer; None shows the texts alone.
        pooling: Pooling of the tokens; None if no vector is pooled.
    """
    lines = [f"{example.split}, label {example.label}"]
    for unit in example.units:
        lines += [f"  {name:<7}{text}" for name, text in _facts(unit, reader, pooling)]
    return lines


def _facts(unit: Unit, reader: TextReader | None, pooling: str | None) -> Iterator[tuple[str, str]]:
    yield "text", _line(unit.text)
    if unit.second is not None:
        yield "second", _line(unit.second)
    if unit.span is not None:
        start, end = unit.span
        yield "span", f"{_line(unit.text[start:end])!r}, characters {start} to {end}"
    if reader is None:
        return
    try:
        (tokens,) = tokenize(reader.tokenizer, [source_of(unit)], reader.limit)
    except ProbingError as error:
        yield "tokens", str(error)
        return
    names = _names(reader.tokenizer, tokens)
    cut = _whole(tokens, reader)
    yield "tokens", f"{_joined(names)} ({len(names)}{cut})"
    if pooling is not None:
        yield "vector", _read(unit, names, tokens, pooling)


def _read(unit: Unit, names: list[str], tokens: Tokens, pooling: str) -> str:
    """Return which tokens the vector of a unit comes from."""
    own = np.ones(len(names), dtype=bool)
    if unit.span is not None:
        if tokens.kept is None:
            return "unknown, since the tokenizer does not say which characters a token has"
        marked, lost = span_tokens(unit.text, [unit.span], tokens.kept, tokens.whole)
        if lost[0]:
            return "none: the span was cut off with the end of its text, or has no token"
        own = marked[0]
    places = np.flatnonzero(own).tolist()
    of = f"the {len(places)} tokens of the span" if unit.span is not None else f"all {len(places)} tokens"
    if len(places) == 1:
        return f"{names[places[0]]} (token {places[0]}, the only one)"
    if pooling in ("first", "last"):
        place = places[0 if pooling == "first" else -1]
        return f"{names[place]} (token {place}, the {pooling} of {of})"
    chosen = f": {_joined([names[place] for place in places])}" if unit.span is not None else ""
    return f"{'mean' if pooling == 'mean' else 'maximum'} over {of}{chosen}"


def _names(tokenizer: PreTrainedTokenizerBase, tokens: Tokens) -> list[str]:
    return [_line(str(name)) for name in tokenizer.convert_ids_to_tokens(tokens.ids["input_ids"])]


def _whole(tokens: Tokens, reader: TextReader) -> str:
    """Return what was truncated, for after a number of tokens."""
    if not tokens.cut:
        return ""
    before = f" of {len(tokens.whole.ids)}" if tokens.whole is not None else ""
    return f"{before}, truncated to the limit of {reader.limit}"


def _joined(names: list[str]) -> str:
    if len(names) <= _MOST:
        return " ".join(names)
    return " ".join([*names[: _MOST // 2], "[...]", *names[-_MOST // 2 :]])


def _line(text: str) -> str:
    """Return a text on one line, with its spaces unchanged."""
    return text.replace("\r", "\\r").replace("\n", "\\n")
