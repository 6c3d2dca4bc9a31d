"""The tokenizers that SentEval's get_transfer_data.bash applies to published files, without perl and sed."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from typing import Any

from probing.datasets.fetching.sources import Convert
from probing.errors import ProbingError

# Penn Treebank tokenization by the rules of R. MacIntyre's tokenizer.sed (1995), in the same order
_BEFORE_PADDING = (
    (r'^"', "`` "),
    (r'([ (\[{<])"', r"\1 `` "),
    (r"\.\.\.", " ... "),
    (r"([,;:@#$%&])", r" \1 "),
    (r"([^.])(\.)([\])}>\"']*)[ \t]*\Z", r"\1 \2\3 "),
    (r"([?!])", r" \1 "),
    (r"([\]\[(){}<>])", r" \1 "),
    (r"--", " -- "),
)
_AFTER_PADDING = (
    (r'"', " '' "),
    (r"([^'])' ", r"\1 ' "),
    (r"'([sSmMdD]) ", r" '\1 "),
    *((rf"{ending} ", rf" {ending} ") for ending in ("'ll", "'re", "'ve", "n't", "'LL", "'RE", "'VE", "N'T")),
    (r" ([Cc])annot ", r" \1an not "),
    (r" ([Dd])'ye ", r" \1' ye "),
    (r" ([Gg])imme ", r" \1im me "),
    (r" ([Gg])onna ", r" \1on na "),
    (r" ([Gg])otta ", r" \1ot ta "),
    (r" ([Ll])emme ", r" \1em me "),
    (r" ([Mm])ore'n ", r" \1ore 'n "),
    (r" '([Tt])is ", r" '\1 is "),
    (r" '([Tt])was ", r" '\1 was "),
    (r" ([Ww])anna ", r" \1an na "),
    (r"  *", " "),
    (r"^ *", ""),
)
_PENN = [
    [(re.compile(pattern), replacement) for pattern, replacement in rules]
    for rules in (_BEFORE_PADDING, _AFTER_PADDING)
]
_LAST_PERIOD = re.compile(r"([^\s.])\.$")


@lru_cache(maxsize=100_000)
def penn(line: bytes) -> bytes:
    """Return the Penn Treebank tokens of one line in any encoding that extends ASCII."""
    text = line.decode("latin-1")
    for pattern, replacement in _PENN[0]:
        text = pattern.sub(replacement, text)
    text = f" {text} "
    for pattern, replacement in _PENN[1]:
        text = pattern.sub(replacement, text)
    return text.encode("latin-1")


def visible(line: bytes) -> bytes:
    """Return all bytes but tabs as printable ASCII, as `cat -v` writes them; é in Latin-1 becomes M-i."""
    return b"".join(_VISIBLE[byte] for byte in line)


def _show(byte: int) -> bytes:
    meta, low = (b"M-", byte - 128) if byte >= 128 else (b"", byte)
    if byte == ord("\t"):
        return b"\t"
    if low < 32 or low == 127:
        return meta + b"^" + bytes([low ^ 64])
    return meta + bytes([low])


_VISIBLE = [_show(byte) for byte in range(256)]


def moses(columns: tuple[int, ...], *, lower: bool = False, header: bool = False, keep: int = 0) -> Convert:
    """Return a converter that applies the Moses tokenizer for English to columns of a tab-separated file.

    Args:
        columns: Columns to tokenize, from 0.
        lower: Whether to write these columns in lower case.
        header: Whether the first line is a header, which stays as it is.
        keep: Number of columns to keep; 0 for all.

    Returns:
        The converter. It raises ProbingError if the package `sacremoses` is missing, and
        UnicodeDecodeError if a line is not UTF-8.
    """
    return partial(_moses, columns=columns, lower=lower, header=header, keep=keep)


def _moses(
    lines: Iterable[bytes], *, columns: tuple[int, ...], lower: bool, header: bool, keep: int
) -> Iterator[bytes]:
    tokenizer = _tokenizer()
    for number, line in enumerate(lines):
        if header and number == 0:
            yield line.rstrip(b"\r")
            continue
        fields = line.decode("utf-8").rstrip("\r").split("\t")
        for column in columns:
            if column < len(fields):
                tokens = str(tokenizer.tokenize(fields[column], return_str=True, escape=False))
                # the current script always splits off the last period; the package does not
                tokens = _LAST_PERIOD.sub(r"\1 .", tokens)
                fields[column] = tokens.lower() if lower else tokens
        yield "\t".join(fields[: keep or None]).encode()


def _tokenizer() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("sacremoses").MosesTokenizer(lang="en")
    except ImportError as error:
        raise ProbingError(
            "the published files are not tokenised, and the Moses tokenizer is missing; "
            "pip install sacremoses, or give task.root=..., SentEval's data folder"
        ) from error


def penn_visible(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Convert MR, CR, SUBJ or MPQA as the script does: visible bytes, then Penn Treebank tokens."""
    return (penn(visible(line)) for line in lines)


def unquoted(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Convert TREC as the script does: without ` and '."""
    return (line.translate(None, b"`'") for line in lines)


def snli(column: int) -> Convert:
    """Return a converter that keeps one column of SNLI, without the header and pairs without an agreed label.

    Args:
        column: 0 for the label; 5 or 6 for the sentences, which become Penn Treebank tokens.
    """
    return partial(_snli, column=column)


def _snli(lines: Iterable[bytes], column: int) -> Iterator[bytes]:
    for number, line in enumerate(lines):
        fields = line.rstrip(b"\r").split(b"\t")
        if number and fields[0] != b"-":
            yield fields[column] if column == 0 else penn(fields[column])
