"""Sentences made by rule, in both formats at once, whose labels are obvious."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from probing.datasets.treebank.files import read_treebank
from probing.datasets.treebank.sentence import Sentence

NUMBER = {"singular": ("Sing", "NN"), "plural": ("Plur", "NNS")}
TENSE = {"past": ("Past", "VBD"), "present": ("Pres", "VBP")}


@dataclass(frozen=True)
class Clause:
    """`the <subject> [of the house]* <verb> the <object>`; a house is one level deeper than the last.

    Attributes:
        subject: Noun and its number.
        verb: Verb and its tense.
        obj: Noun and its number.
        houses: How many phrases `of the house` there are.
    """

    subject: tuple[str, str] = ("dogs", "plural")
    verb: tuple[str, str] = ("chased", "past")
    obj: tuple[str, str] = ("cat", "singular")
    houses: int = 0

    def rows(self, start: int, head: int, relation: str, capital: bool) -> list[list[str]]:
        """CoNLL-U rows whose ids begin at `start`; the verb depends on `head`."""
        verb = start + 2 + 3 * self.houses
        noun, at = start + 1, start + 2
        rows = [
            row(start, "The" if capital else "the", "DET", "DT", noun, "det"),
            row(noun, self.subject[0], "NOUN", NUMBER[self.subject[1]][1], verb, "nsubj", self._number(0)),
        ]
        for _ in range(self.houses):
            rows += [
                row(at, "of", "ADP", "IN", at + 2, "case"),
                row(at + 1, "the", "DET", "DT", at + 2, "det"),
                row(at + 2, "house", "NOUN", "NN", noun, "nmod", "Number=Sing"),
            ]
            noun, at = at + 2, at + 3
        tense, tag = TENSE[self.verb[1]]
        return [
            *rows,
            row(verb, self.verb[0], "VERB", tag, head, relation, f"Tense={tense}|VerbForm=Fin"),
            row(verb + 1, "the", "DET", "DT", verb + 2, "det"),
            row(verb + 2, self.obj[0], "NOUN", NUMBER[self.obj[1]][1], verb, "obj", self._number(1)),
        ]

    def brackets(self, capital: bool) -> str:
        """The same as a bracketed tree, with traces that are not to be seen."""
        the = "The" if capital else "the"
        noun = f"(NP (DT {the}) ({NUMBER[self.subject[1]][1]} {self.subject[0]}))"
        inner = "(NP (DT the) (NN house))"
        for _ in range(self.houses - 1):
            inner = f"(NP (NP (DT the) (NN house)) (PP (IN of) {inner}))"
        subject = (
            f"(NP-SBJ-1 {noun} (PP (IN of) {inner}))" if self.houses else noun.replace("NP", "NP-SBJ", 1)
        )
        verb = f"({TENSE[self.verb[1]][1]} {self.verb[0]})"
        obj = f"(NP (DT the) ({NUMBER[self.obj[1]][1]} {self.obj[0]}) (SBAR (-NONE- *T*-1)))"
        return f"(S {subject} (VP {verb} {obj}))"

    def _number(self, which: int) -> str:
        return f"Number={NUMBER[(self.subject, self.obj)[which][1]][0]}"


def row(
    number: int, form: str, upos: str, xpos: str, head: int, relation: str, feats: str = "_"
) -> list[str]:
    """The ten columns of a word."""
    return [str(number), form, form.lower(), upos, xpos, feats, str(head), relation, "_", "_"]


def block(rows: Sequence[Sequence[str]]) -> str:
    """A sentence of CoNLL-U."""
    return "\n".join("\t".join(columns) for columns in rows) + "\n"


def simple(clause: Clause) -> tuple[str, str]:
    """One clause and a full stop, as CoNLL-U and as a tree."""
    rows = clause.rows(1, 0, "root", capital=True)
    verb = rows[-3][0]
    stop = row(len(rows) + 1, ".", "PUNCT", ".", int(verb), "punct")
    return block([*rows, stop]), f"( {clause.brackets(True)[:-1]} (. .)))"


def joined(first: Clause, second: Clause) -> tuple[str, str]:
    """Two clauses, `, and` between them, and a full stop, as CoNLL-U and as a tree."""
    one = first.rows(1, 0, "root", capital=True)
    root = int(one[-3][0])
    at = len(one) + 1
    two = second.rows(at + 2, root, "conj", capital=False)
    head = int(two[-3][0])
    rows = [
        *one,
        row(at, ",", "PUNCT", ",", head, "punct"),
        row(at + 1, "and", "CCONJ", "CC", head, "cc"),
        *two,
        row(at + 2 + len(two), ".", "PUNCT", ".", root, "punct"),
    ]
    tree = f"( (S {first.brackets(True)} (, ,) (CC and) {second.brackets(False)} (. .)))"
    return block(rows), tree


def write(path: Path, sentences: Sequence[tuple[str, str]]) -> Path:
    """A treebank in the format that the file's name says."""
    which = 0 if path.suffix == ".conllu" else 1
    path.write_text("\n".join(sentence[which] for sentence in sentences) + "\n", encoding="utf-8")
    return path


def read(path: Path, *sentences: tuple[str, str]) -> tuple[Sentence, ...]:
    """Write a treebank and read it."""
    return read_treebank(write(path, sentences))


def clauses(n: int, seed: int = 0) -> list[Clause]:
    """Clauses of all labels and depths; nouns and verbs tell their own number and tense."""
    rng = Random(seed)
    made = []
    for _ in range(n):
        numbers = rng.choices(list(NUMBER), k=2)
        tense = rng.choice(list(TENSE))
        nouns = [f"{rng.choice('bdfgklmn')}{rng.choice('aeiou')}rk{'s' * (w == 'plural')}" for w in numbers]
        verb = f"{rng.choice('bdfgklmn')}{rng.choice('aeiou')}lp{'ed' * (tense == 'past')}"
        made.append(Clause((nouns[0], numbers[0]), (verb, tense), (nouns[1], numbers[1]), rng.randrange(4)))
    return made
