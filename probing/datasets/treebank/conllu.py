"""CoNLL-U files, parsed by the `conllu` library and checked to be trees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from probing.datasets.lines import read_lines
from probing.datasets.treebank.sentence import Sentence, Word
from probing.errors import ProbingError

Lines = list[tuple[int, str]]
Row = dict[str, Any]
FIELDS = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
FORM = FIELDS.index("form")
MEND = "mend the line or leave the sentence out"
# what the library says before the reason
_FAILED = re.compile(r"^Failed parsing field '\w+': ")
_SPACES = re.compile(" {2,}")


def read_conllu(path: Path, split: str | None, hint: str) -> Iterator[Sentence]:
    """Read the sentences of a CoNLL-U file.

    The parts of a multiword token are words that share the token; empty nodes and the enhanced
    dependencies are passed over. A file may leave columns out by `_`, heads included.

    Args:
        path: The file, UTF-8.
        split: Of all its sentences.
        hint: What to do if the file is not there.

    Raises:
        ProbingError: With file and line, if the file is no CoNLL-U or a sentence is no tree.
    """
    from conllu import parse_token_and_metadata
    from conllu.exceptions import ParseException

    parsers = _field_parsers()
    masked = None
    for lines in _blocks(path, hint):
        try:
            rows = parse_token_and_metadata("\n".join(line for _, line in lines), FIELDS, parsers)
        except ParseException as error:
            number, reason = _bad_line(lines, parsers)
            raise ProbingError(f"{path}, line {number}: {reason or error}; {MEND}") from error
        sentence = _sentence(rows, [number for number, _ in lines], path, split)
        masked = masked is not False and set(sentence.tokens) == {"_"}
        yield sentence
    if masked:
        raise ProbingError(f"{path}: every form is _; put the text in with the treebank's own script")


def _blocks(path: Path, hint: str) -> Iterator[Lines]:
    """The numbered lines of each sentence, without comments."""
    lines: Lines = []
    last = 0
    for number, line in read_lines(path, "utf-8", hint):
        # an empty line is passed over by `read_lines`, and leaves a gap in the numbers
        if number > last + 1 and lines:
            yield lines
            lines = []
        last = number
        if not line.startswith("#"):
            # two spaces would be a column's end to the library
            lines.append((number, _SPACES.sub(" ", line)))
    if lines:
        yield lines


def _field_parsers() -> dict[str, Callable[[list[str], int], Any]]:
    """How the library reads each column; most values come again and again, and are read once."""
    from conllu.exceptions import ParseException
    from conllu.parser import parse_dict_value, parse_id_value, parse_int_value

    key = cache(parse_id_value)
    given = cache(lambda value: "" if value == "_" else value)
    features = cache(lambda value: {k: v or "" for k, v in (parse_dict_value(value) or {}).items()})
    tight = cache(lambda value: "SpaceAfter=No" in value.split("|"))

    @cache
    def head(value: str) -> int | None:
        try:
            return parse_int_value(value)
        except ParseException as error:
            raise ParseException(f"head {value!r} is no number") from error

    def number(row: list[str], at: int) -> object:
        if len(row) != len(FIELDS):
            raise ParseException(f"{len(row)} columns where CoNLL-U has {len(FIELDS)} between tabs")
        if not row[FORM].strip():
            raise ParseException("the word has no form")
        return key(row[at])

    parsers: dict[str, Callable[[list[str], int], Any]] = {
        "id": number,
        "head": lambda row, at: head(row[at]),
        "feats": lambda row, at: features(row[at]),
        "deps": lambda row, at: None,
        "misc": lambda row, at: tight(row[at]),
    }
    return parsers | dict.fromkeys(("lemma", "upos", "xpos", "deprel"), lambda row, at: given(row[at]))


def _bad_line(lines: Lines, parsers: dict[str, Callable[[list[str], int], Any]]) -> tuple[int, str]:
    """Number of the first line that the library refuses, and why."""
    from conllu import parse_token_and_metadata
    from conllu.exceptions import ParseException

    for number, line in lines:
        try:
            parse_token_and_metadata(line, FIELDS, parsers)
        except ParseException as error:
            if "\t" not in line:
                return number, "no tabs, which CoNLL-U has between columns"
            return number, _FAILED.sub("", str(error)).rstrip(".")
    return lines[0][0], ""


def _sentence(rows: Sequence[Row], numbers: list[int], path: Path, split: str | None) -> Sentence:
    """Put tokens and words together.

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
                spaces.append(not row["misc"])
            continue
        if key != len(words) + 1:
            raise ProbingError(_wrong_id(key, len(words), f"{path}, line {number}"))
        if key > inside:
            tokens.append(form)
            spaces.append(not row["misc"])
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
            )
        )
        lines.append(number)
    if not words or inside > len(words):
        raise ProbingError(f"{path}, line {numbers[-1]}: a multiword token lacks some of its words; {MEND}")
    _check_tree([word.head for word in words], lines, path)
    return Sentence(f"{path}, line {numbers[0]}", split, tuple(tokens), tuple(spaces), tuple(words))


def _range(key: tuple[int, str, int], inside: int, done: int, place: str) -> int:
    """The last word of a multiword token that starts here."""
    first, _, last = key
    if first != done + 1 or first <= inside:
        raise ProbingError(f"{place}: multiword token {first}-{last} does not stand before its words; {MEND}")
    return last


def _wrong_id(key: int | None, done: int, place: str) -> str:
    if key == 1:
        return f"{place}: duplicate id 1; put an empty line between sentences"
    if key is not None and 1 <= key <= done:
        return f"{place}: duplicate id {key}; {MEND}"
    return f"{place}: id {'_' if key is None else key} where {done + 1} should be; {MEND}"


def _check_tree(heads: list[int | None], lines: list[int], path: Path) -> None:
    """Refuse heads that make no tree; a sentence that has none at all may pass.

    Raises:
        ProbingError: With the line of the first wrong head.
    """
    if heads.count(None) == len(heads):
        return
    for head, line in zip(heads, lines, strict=True):
        if head is None or not -1 <= head < len(heads):
            shown = "_" if head is None else head + 1
            raise ProbingError(f"{path}, line {line}: head {shown} is no word of the sentence; {MEND}")
    roots = [line for head, line in zip(heads, lines, strict=True) if head == -1]
    if not roots:
        raise ProbingError(f"{path}, line {lines[0]}: no word of the sentence is its root (head 0); {MEND}")
    if len(roots) > 1:
        raise ProbingError(f"{path}, line {roots[1]}: a second root (head 0) in the sentence; {MEND}")
    _check_cycles([head if head is not None else -1 for head in heads], lines, path)


def _check_cycles(heads: list[int], lines: list[int], path: Path) -> None:
    """Follow each word's governors until one that is known to lead to the root."""
    good = {-1}
    for start, line in enumerate(lines):
        at = start
        trail: set[int] = set()
        while at not in good:
            if at in trail:
                raise ProbingError(f"{path}, line {line}: the heads run in a circle; {MEND}")
            trail.add(at)
            at = heads[at]
        good |= trail
