"""The syntax tree of a piece of code, and its leaves with their character offsets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from probing.datasets.code.languages import parser_of
from probing.datasets.joining import joined

if TYPE_CHECKING:
    from tree_sitter import Node

KEPT_TREES = 512
"""Number of trees that are kept in memory, so that each layer of a batch finds those of its texts."""


class Leaf(NamedTuple):
    """A leaf of a syntax tree.

    Attributes:
        start: Offset of its first character in the code.
        end: Offset of the character after it.
        type: Its type in the grammar: "identifier", or the characters of a keyword or an operator.
        node: Number of its node in the tree.
    """

    start: int
    end: int
    type: str
    node: int


@dataclass(frozen=True)
class CodeTree:
    """The syntax tree of a piece of code.

    Comments are left out. Docstrings are strings, so they are leaves. Leaves without a character, which
    tree-sitter adds where code is incomplete, are left out too.

    Attributes:
        code: The code.
        leaves: The leaves in the order in which they appear in the code.
        parents: Number of the parent of each node, int64 (nodes,); -1 for the root, which is node 0.
        sound: Whether the whole code could be parsed.
    """

    code: str
    leaves: tuple[Leaf, ...]
    parents: NDArray[np.int64]
    sound: bool

    def text(self, leaf: Leaf) -> str:
        """Return the characters of a leaf."""
        return self.code[leaf.start : leaf.end]

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Offsets [start, end) of every leaf in the code."""
        return tuple((leaf.start, leaf.end) for leaf in self.leaves)

    @property
    def types(self) -> tuple[str, ...]:
        """The type of every leaf."""
        return tuple(leaf.type for leaf in self.leaves)

    def joined(self) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Return the leaves joined by blanks, as Chen et al. (2022) read code, and their offsets there."""
        return joined(self.text(leaf) for leaf in self.leaves)


@lru_cache(maxsize=KEPT_TREES)
def parse(code: str, language: str) -> CodeTree:
    """Parse code.

    Args:
        code: The code; a part of a file is parsed as far as possible.
        language: Name of an installed grammar; see `parser_of`.

    Raises:
        ProbingError: If there is no such grammar.
    """
    content = code.encode("utf-8", "surrogatepass")
    root = parser_of(language).parse(content).root_node
    characters = _characters(code, len(content))
    parents, leaves = [], []
    for number, (node, parent) in enumerate(_nodes(root)):
        parents.append(parent)
        if not node.child_count and node.end_byte > node.start_byte:
            start, end = characters[[node.start_byte, node.end_byte]].tolist()
            leaves.append(Leaf(start, end, node.type, number))
    return CodeTree(code, tuple(leaves), np.array(parents, dtype=np.int64), not root.has_error)


def _nodes(root: Node) -> Iterator[tuple[Node, int]]:
    """Yield nodes from the root down and from left to right, each with the number of its parent."""
    waiting, number = [(root, -1)], 0
    while waiting:
        node, parent = waiting.pop()
        yield node, parent
        waiting += [(child, number) for child in reversed(node.children) if not is_comment(child)]
        number += 1


def is_comment(node: Node) -> bool:
    """Return whether a node is a comment, which grammars call comment, line_comment, block_comment, ..."""
    return "comment" in node.type


def _characters(code: str, size: int) -> NDArray[np.int64]:
    """Return the number of the character that starts at each byte of UTF-8; int64 (bytes + 1,)."""
    if size == len(code):
        return np.arange(size + 1)
    points = np.frombuffer(code.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = 1 + (points >= 0x80) + (points >= 0x800) + (points >= 0x10000)
    return np.append(np.repeat(np.arange(len(code)), lengths), len(code))


def pieces(code: str, language: str, kind: str) -> Iterator[str]:
    """Yield the code of the outermost nodes of a type, such as function_definition, in order.

    Lines after the first lose the indentation that the first has.

    Raises:
        ProbingError: If there is no such grammar.
    """
    content = code.encode("utf-8", "surrogatepass")
    waiting = [parser_of(language).parse(content).root_node]
    while waiting:
        node = waiting.pop()
        if node.type != kind:
            waiting += reversed(node.children)
            continue
        line = content.rfind(b"\n", 0, node.start_byte) + 1
        indent = content[line : node.start_byte]
        piece = content[node.start_byte : node.end_byte]
        if not indent.strip():
            piece = piece.replace(b"\n" + indent, b"\n")
        yield piece.decode("utf-8", "surrogatepass")
