"""Constituency trees with featured words as leaves, and their spelling."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from probing.datasets.grammar.vocabulary import VOWELS, Lexeme, Verb

PUNCTUATION = (",", ".")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A word with its Penn tag; in a skeleton the word is still missing.

    Attributes:
        tag: Penn tag, which shows number (NN, NNS) and tense (VBD, VBZ, VBP).
        slot: The grammar's symbol, `V.tr`.
        word: The form in lower case, except for names; "" in a skeleton.
        lexeme: The noun or verb that it is a form of.
        allows: For a noun, the classes that make sense in its place; for a verb, the classes of its
            subject and object.
    """

    tag: str
    slot: str
    word: str = ""
    lexeme: Lexeme | None = None
    allows: tuple[str, ...] = ()

    @property
    def depth(self) -> int:
        """Number of levels: only its tag."""
        return 1

    @property
    def size(self) -> int:
        """Number of tokens, always 1."""
        return 1

    def leaves(self) -> Iterator[Leaf]:
        """Yield the leaf itself."""
        yield self

    def bracketed(self) -> str:
        """Return the leaf in treebank format, `(NN dog)`."""
        return f"({self.tag} {self.word})"

    def fits(self, lexeme: Lexeme) -> bool:
        """Return whether another noun or verb would make sense here."""
        if isinstance(lexeme, Verb):
            return lexeme.takes(self.allows[0], self.allows[1])
        return lexeme.kind in self.allows

    def with_lexeme(self, lexeme: Lexeme) -> Leaf:
        """Return the same place filled with another noun or verb in the same form."""
        return Leaf(self.tag, self.slot, lexeme.form(self.tag), lexeme, self.allows)


@dataclass(frozen=True, slots=True)
class Tree:
    """A constituent.

    Attributes:
        label: Penn label, "NP".
        role: The grammar's finer symbol, "rel" of `SBAR.rel`.
        children: From left to right.
    """

    label: str
    role: str
    children: tuple[Tree | Leaf, ...]

    @property
    def depth(self) -> int:
        """Number of levels from this constituent down to the deepest tag, both included."""
        return 1 + max([child.depth for child in self.children])

    @property
    def size(self) -> int:
        """Number of tokens, punctuation included."""
        return sum([child.size for child in self.children])

    def leaves(self) -> Iterator[Leaf]:
        """Yield the words from left to right."""
        for child in self.children:
            if isinstance(child, Leaf):
                yield child
            else:
                yield from child.leaves()

    def bracketed(self) -> str:
        """Return the tree in treebank format, `(NP (DT the) (NN dog))`."""
        return f"({self.label} {' '.join(child.bracketed() for child in self.children)})"

    def first(self, *labels: str) -> Tree | None:
        """Return the first child constituent that has one of the labels."""
        for child in self.children:
            if isinstance(child, Tree) and child.label in labels:
                return child
        return None

    def with_leaf(self, position: int, leaf: Leaf) -> Tree:
        """Return the same tree with another word at a position of its yield."""
        children = list(self.children)
        for index, child in enumerate(children):
            if position < child.size:
                children[index] = leaf if isinstance(child, Leaf) else child.with_leaf(position, leaf)
                break
            position -= child.size
        return Tree(self.label, self.role, tuple(children))


def words(tree: Tree) -> list[str]:
    """Return the words in lower case, except for names, with `a` or `an` chosen by the next word."""
    found = [leaf.word for leaf in tree.leaves()]
    for index in range(len(found) - 1):
        if found[index] == "a" and found[index + 1][0] in VOWELS and found[index + 1] != "useful":
            found[index] = "an"
    return found


def spell(tokens: list[str]) -> str:
    """Return the sentence: tokens joined by spaces, the first one capitalised."""
    return " ".join([tokens[0][0].upper() + tokens[0][1:], *tokens[1:]])
