"""Trees of a bracketed file; brackets in the text between them do not belong to a tree."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from probing.datasets.lines import read_lines
from probing.errors import ProbingError

# no sentence has this many levels; a few hundred would exceed Python's recursion limit
DEEPEST = 200
_BRACKET = re.compile(r"[()]")
# a constituent opens another right after its label; (C) and (see below) do not
_OPENS = re.compile(r"\(\s*([^\s()]*)\s*\(")
# a word and its tag that are a sentence by themselves
_WORD = re.compile(r"\(\s*[^\s()a-z]+[^\S\n]+[^\s()]+\s*\)[^\S\n]*$", re.MULTILINE)
_FIRST_IN_LINE = re.compile(r"^[^\S\n]*\)", re.MULTILINE)
# the end of a constituent: a word with its tag in capitals, then another closing bracket
_END = re.compile(r"\(\s*[^\s()a-z]+\s+[^\s()]+\s*\)\s*\)")


def trees_of(path: Path, hint: str) -> Iterator[tuple[int, str]]:
    """Yield each tree and the line where it starts; text between trees, with its brackets, is skipped.

    Args:
        path: The file, UTF-8.
        hint: The remedy if the file is missing.

    Raises:
        ProbingError: If the brackets of a tree are unbalanced, or the file cannot be read.
    """
    text = "\n".join(line for _, line in read_lines(path, "utf-8", hint, blank=True))
    return _Text(path, text).trees()


@dataclass(frozen=True)
class _Text:
    path: Path
    text: str

    def trees(self) -> Iterator[tuple[int, str]]:
        depth = start = done = 0
        for match in _BRACKET.finditer(self.text):
            if not depth:
                if match[0] == ")" or not self._is_tree(match.start()):
                    continue
                start = match.start()
                self._check_between(done, start)
            depth += 1 if match[0] == "(" else -1
            if depth > DEEPEST:
                raise self._error(start, f"a tree of more than {DEEPEST} levels; fix its brackets")
            if not depth:
                done = match.end()
                yield self._line(start), self.text[start:done]
        if depth:
            # trees start at the margin, so one inside another shows where a bracket is missing
            inner = self.text.find("\n(", start)
            until = f"before line {self._line(inner + 1)}" if inner > 0 else "in this file"
            raise self._error(start, f"unbalanced brackets; the tree that starts here is not closed {until}")
        self._check_between(done, len(self.text))

    @cached_property
    def _ends(self) -> list[int]:
        return [match.start() for match in re.finditer("\n", self.text)]

    def _line(self, at: int) -> int:
        return bisect(self._ends, at - 1) + 1

    def _error(self, at: int, what: str) -> ProbingError:
        return ProbingError(f"{self.path}, line {self._line(at)}: {what}")

    def _is_tree(self, at: int) -> bool:
        """Return whether a bracket outside of trees opens one; within a line it needs a label in capitals."""
        before = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        alone = not before.strip() or before.rstrip().endswith(")")
        opens = _OPENS.match(self.text, at)
        if opens:
            return alone or not any(letter.islower() for letter in opens[1])
        return alone and _WORD.match(self.text, at) is not None

    def _check_between(self, start: int, end: int) -> None:
        """Reject text between two trees that contains the rest of a tree.

        Raises:
            ProbingError: If a line starts with a closing bracket, or an end of a constituent has no start.
        """
        between = self.text[start:end]
        if ")" not in between:
            return
        first = _FIRST_IN_LINE.search(between)
        if first is None and not (between.count(")") > between.count("(") and _END.search(between)):
            return
        at = start + (first.end() - 1 if first else _unopened(between))
        raise self._error(at, "unbalanced brackets; one closes that was never opened")


def _unopened(text: str) -> int:
    """Return the place of the first closing bracket that has no opening one."""
    depth = 0
    for match in _BRACKET.finditer(text):
        depth += 1 if match[0] == "(" else -1
        if depth < 0:
            return match.start()
    return text.rfind(")")
