"""What tests read off the documents: code blocks, commands in blocks and in prose, links and headings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        ROOT / "outputs" / "README.md",
        *(
            path
            for folder in ("conf", "probing", "experiments")
            for path in (ROOT / folder).rglob("README.md")
        ),
    ]
)
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND_SPAN = re.compile(r"`((?:probing|python)(?:\s[^`]+)?)`")
_ASSIGNMENT = re.compile(r"[A-Z]+=")


@dataclass(frozen=True)
class Block:
    """A code block.

    Attributes:
        language: The word after the fence.
        name: The path that the block is the content of; "" for none.
        text: Its lines.
    """

    language: str
    name: str
    text: str


def name_of(path: Path) -> str:
    """Return the path of a document within the project."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[Block]:
    """Return the code blocks of a document that are in a language."""
    found = (Block(*match.groups()) for match in _BLOCK.finditer(path.read_text(encoding="utf-8")))
    return [block for block in found if block.language == language]


def prose(path: Path) -> str:
    """Return a document without its code blocks."""
    return _BLOCK.sub("", path.read_text(encoding="utf-8"))


def commands(path: Path) -> list[tuple[str, ...]]:
    """Return the words of every command of a document, those between backquotes in prose included."""
    lines = [line for block in blocks(path, "bash") for line in block.text.splitlines()]
    lines += [" ".join(span.split()) for span in _COMMAND_SPAN.findall(prose(path))]
    return [command for line in lines for command in _commands_of(line)]


def _commands_of(line: str) -> Iterator[tuple[str, ...]]:
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), "&&"]:
        if word != "&&":
            words.append(word)
            continue
        while words and _ASSIGNMENT.match(words[0]):
            words.pop(0)
        if words:
            yield tuple(words)
        words = []


def links(path: Path) -> list[str]:
    """Return the targets of a document's links and pictures that are within the project."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(path))
    return [target for target in found if not target.startswith(("http:", "https:"))]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub names them."""
    headings = (line.lstrip("# ") for line in prose(path).splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
