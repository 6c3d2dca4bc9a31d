"""CoNLL-U files, parsed by the `conllu` library, with a check that sentences are trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from probing.datasets.lines import read_lines
from probing.datasets.treebank.sentence import Sentence, Word
from probing.errors import ProbingError

Lines = list[tuple[int, str]]
Token = dict[str, Any]
FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
FORM = FIELDS.index("form")
FIX = "fix the line or leave the sentence out"

# text that the library puts before the reason
_FAILED = re.compile(r"^Failed parsing field '\w+': ")
_SPACES = re.compile(" {2,}")


class _Notes(NamedTuple):
    """The fields of MISC that are read."""

    space: bool
    entity: str


def read_conllu(path: Path, split: str | None, hint: str) -> Iterator[Sentence]:
    """Read the sentences of a CoNLL-U file.

    The parts of a multiword token are words that share the token. Empty nodes and enhanced dependencies are
    skipped. A file may leave out columns by `_`, heads included.

    Args:
        path: The file, UTF-8.
        split: Split of all its sentences.
        hint: The remedy if the file is missing.

    Raises:
        ProbingError: With file and line, if the file is not CoNLL-U or a sentence is not a tree.
    """
    from conllu import parse_token_and_metadata
    from conllu.exceptions import ParseException

    parsers = _field_parsers()
    masked = None
    for document, lines in _blocks(path, hint):
        try:
            rows = parse_token_and_metadata("\n".join(line for _, line in lines), FIELDS, parsers)
        except ParseException as error:
            number, reason = _bad_line(lines, parsers)
            raise ProbingError(f"{path}, line {number}: {reason or error}; {FIX}") from error
        sentence = replace(_sentence(rows, [number for number, _ in lines], path, split), document=document)
        masked = masked is not False and set(sentence.tokens) == {"_"}
        yield sentence
    if masked:
        raise ProbingError(f"{path}: every form is _; restore the text with the treebank's own script")


def _blocks(path: Path, hint: str) -> Iterator[tuple[int, Lines]]:
    """Yield the number of the document and the numbered lines of each sentence, without comments."""
    lines: Lines = []
    last = document = 0
    for number, line in read_lines(path, "utf-8", hint):
        # `read_lines` skips an empty line, which leaves a gap in the numbers
        if number > last + 1 and lines:
            yield document, lines
            lines = []
        last = number
        document += line.startswith("# newdoc")
        if not line.startswith("#"):
            # the library would take two spaces for the end of a column
            lines.append((number, _SPACES.sub(" ", line)))
    if lines:
        yield document, lines


def _field_parsers() -> dict[str, Callable[[list[str], int], Any]]:
    """Return the parsers of the columns; they are cached because most values recur."""
    from conllu.exceptions import ParseException
    from conllu.parser import parse_dict_value, parse_id_value, parse_int_value

    key = cache(parse_id_value)
    given = cache(lambda value: "" if value == "_" else value)
    features = cache(lambda value: {k: v or "" for k, v in (parse_dict_value(value) or {}).items()})
    notes = cache(_notes)

    @cache
    def head(value: str) -> int | None:
        try:
            return parse_int_value(value)
        except ParseException as error:
            raise ParseException(f"head {value!r} is not a number") from error

    def number(row: list[str], at: int) -> object:
        if len(row) != len(FIELDS):
            raise ParseException(f"{len(row)} columns where CoNLL-U has {len(FIELDS)}, separated by tabs")
        if not row[FORM].strip():
            raise ParseException("the word has no form")
        return key(row[at])

    parsers: dict[str, Callable[[list[str], int], Any]] = {
        "id": number,
        "head": lambda row, at: head(row[at]),
        "feats": lambda row, at: features(row[at]),
        "deps": lambda row, at: None,
        "misc": lambda row, at: notes(row[at]),
    }
    return parsers | dict.fromkeys(("lemma", "upos", "xpos", "deprel"), lambda row, at: given(row[at]))


def _notes(value: str) -> _Notes:
    """Parse the column MISC."""
    fields = value.split("|")
    entity = next((field.removeprefix("Entity=") for field in fields if field.startswith("Entity=")), "")
    return _Notes("SpaceAfter=No" not in fields, entity)


def _bad_line(lines: Lines, parsers: dict[str, Callable[[list[str], int], Any]]) -> tuple[int, str]:
    """Return the number of the first line that the library rejects, and the reason."""
    from conllu import parse_token_and_metadata
    from conllu.exceptions import ParseException

    for number, line in lines:
        try:
            parse_token_and_metadata(line, FIELDS, parsers)
        except ParseException as error:
            if "\t" not in line:
                return number, "no tabs, which separate the columns of CoNLL-U"
            return number, _FAILED.sub("", str(error)).rstrip(".")
    return lines[0][0], ""


def _sentence(rows: Sequence[Token], numbers: list[int], path: Path, split: str | None) -> Sentence:
    """Build a sentence from its tokens and words.

    Raises:
        ProbingError: If ids or heads are wrong.
    """
    tokens: list[str] = []
    spaces: list[bool] = []
    words: list[Word] = []
    lines: list[int] = []
    inside = 0
    for number, row in zip(numbers, rows, strict=True):
        key, form = row["id"], row["form"]
        if isinstance(key, tuple):
            if key[1] == "-":
                inside = _range(key, inside, len(words), f"{path}, line {number}")
                tokens.append(form)
                spaces.append(row["misc"].space)
            continue
        if key != len(words) + 1:
            raise ProbingError(_wrong_id(key, len(words), f"{path}, line {number}"))
        if key > inside:
            tokens.append(form)
            spaces.append(row["misc"].space)
        head = row["head"]
        words.append(
            Word(
                form,
                row["lemma"],
                row["upos"],
                row["xpos"],
                row["feats"],
                None if head is None else head - 1,
                row["deprel"],
                len(tokens) - 1,
                row["misc"].entity,
            )
        )
        lines.append(number)
    if not words or inside > len(words):
        raise ProbingError(f"{path}, line {numbers[-1]}: a multiword token lacks some of its words; {FIX}")
    _check_tree([word.head for word in words], lines, path)
    return Sentence(f"{path}, line {numbers[0]}", split, tuple(tokens), tuple(spaces), tuple(words))


def _range(key: tuple[int, str, int], inside: int, done: int, place: str) -> int:
    """Return the last word of a multiword token that starts here."""
    first, _, last = key
    if first != done + 1 or first <= inside:
        raise ProbingError(f"{place}: multiword token {first}-{last} does not come before its words; {FIX}")
    return last


def _wrong_id(key: int | None, done: int, place: str) -> str:
    if key == 1:
        return f"{place}: duplicate id 1; put an empty line between sentences"
    if key is not None and 1 <= key <= done:
        return f"{place}: duplicate id {key}; {FIX}"
    return f"{place}: id {'_' if key is None else key} where {done + 1} should be; {FIX}"


def _check_tree(heads: list[int | None], lines: list[int], path: Path) -> None:
    """Reject heads that do not form a tree; a sentence without any heads is accepted.

    Raises:
        ProbingError: With the line of the first wrong head.
    """
    if heads.count(None) == len(heads):
        return
    for head, line in zip(heads, lines, strict=True):
        if head is None or not -1 <= head < len(heads):
            shown = "_" if head is None else head + 1
            raise ProbingError(f"{path}, line {line}: head {shown} is not a word of the sentence; {FIX}")
    roots = [line for head, line in zip(heads, lines, strict=True) if head == -1]
    if not roots:
        raise ProbingError(f"{path}, line {lines[0]}: no word of the sentence is its root (head 0); {FIX}")
    if len(roots) > 1:
        raise ProbingError(f"{path}, line {roots[1]}: a second root (head 0) in the sentence; {FIX}")
    _check_cycles([head if head is not None else -1 for head in heads], lines, path)


def _check_cycles(heads: list[int], lines: list[int], path: Path) -> None:
    """Follow each word's governors to one that is known to lead to the root."""
    good = {-1}
    for start, line in enumerate(lines):
        at = start
        trail: set[int] = set()
        while at not in good:
            if at in trail:
                raise ProbingError(f"{path}, line {line}: the heads form a cycle; {FIX}")
            trail.add(at)
            at = heads[at]
        good |= trail
