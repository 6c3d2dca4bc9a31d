"""Treebanks that are wrong in some way."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

from tests.datasets.bad.case import CSV, Bad, folder


def word(number: str, form: str, head: str, *, relation: str = "dep") -> str:
    """A line of CoNLL-U."""
    return "\t".join((number, form, form, "NOUN", "NN", "_", head, relation, "_", "_")) + "\n"


CONLLU = word("1", "Dogs", "2") + word("2", "see", "0") + word("3", "cats", "2") + "\n"


def treebanks() -> Iterator[Bad]:
    """Cases of CoNLL-U and bracketed trees."""
    for name, text, said in (
        ("cycle", word("1", "a", "2") + word("2", "b", "1") + word("3", "c", "0"),
         ", line 5: the heads form a cycle"),
        ("itself", word("1", "a", "1") + word("2", "b", "0"), ", line 5: the heads form a cycle"),
        ("head out of range", word("1", "a", "7"), ", line 5: head 7 is not a word"),
        ("negative head", word("1", "a", "-1"), ", line 5: head .*-1"),
        ("no root", word("1", "a", "2") + word("2", "b", "1"), ", line 5: no word .* is its root"),
        ("two roots", word("1", "a", "0") + word("2", "b", "0"), ", line 6: a second root"),
        ("head that is no number", word("1", "a", "x"), ", line 5: head 'x' is not a number"),
        ("a field too few", word("1", "a", "0").replace("\t_\n", "\n"), ", line 5: 9 columns"),
        ("a field too many", word("1", "a", "0").replace("\n", "\t_\n"), ", line 5: 11 columns"),
        ("no tabs", "1 a a NOUN NN _ 0 dep _ _\n", ", line 5: no tabs"),
        ("no form", word("1", "", "0"), ", line 5: the word has no form"),
        ("an id twice", word("1", "a", "0") + word("1", "b", "1"), ", line 6: duplicate id 1"),
        ("an id left out", word("2", "a", "0"), ", line 5: id 2 where 1 should be"),
        ("an id that is none", word("x", "a", "0"), ", line 5: 'x' is not a valid ID"),
        ("an open range", "1-3\tab" + "\t_" * 8 + "\n" + word("1", "a", "0"), ", line 6: a multiword"),
        ("latin-1", word("1", "caf\xe9", "0").encode("latin-1"), ", line 5: not utf-8 text"),
        ("null byte", word("1", "a\0", "0"), ", line 5: not utf-8 text"),
    ):  # fmt: skip
        content = CONLLU.encode() + (text if isinstance(text, bytes) else text.encode())
        yield Bad(
            f"conllu: {name}",
            "task=treebank/upos task.path={}/a.conllu",
            rf"a\.conllu{said}",
            {"a.conllu": content},
        )
    for name, content, said in (
        ("empty file", b"", ": the file is empty"),
        ("comments only", b"# a\n\n# b\n", ": the file contains no sentence"),
        ("gzip", gzip.compress(CONLLU.encode()), ": a gzip file"),
        ("utf-16", CONLLU.encode("utf-16"), ", line 1: not utf-8 text"),
        ("forms left out", re.sub("Dogs|see|cats", "_", CONLLU).encode(), ": every form is _"),
        ("one class", CONLLU.encode(), ": no class|: .*few"),
    ):  # fmt: skip
        yield Bad(
            f"conllu: {name}",
            "task=treebank/upos task.path={}/a.conllu",
            rf"a\.conllu{said}",
            {"a.conllu": content},
        )
    yield Bad(
        "conllu: without features",
        "task=treebank/subj_number task.path={}/a.conllu",
        r"a\.conllu: no word has a FEATS",
        {"a.conllu": CONLLU},
    )
    yield Bad(
        "conllu: too few",
        "task=treebank/length task.path={}/a.conllu",
        r"a\.conllu: no class has",
        {"a.conllu": CONLLU},
    )
    yield Bad(
        "treebank: folder without",
        "task=treebank/tense task.path={}",
        r"neither \.conllu nor \.mrg",
        {"a.csv": CSV},
    )
    yield Bad(
        "treebank: another kind",
        "task=treebank/tense task.path={}/a.csv",
        r"a\.csv: unknown treebank format",
        {"a.csv": CSV},
    )
    yield Bad("treebank: missing", "task=treebank/tense task.path={}/a.mrg", r"a\.mrg: no such file", {})
    yield Bad(
        "treebank: a folder called mrg",
        "task=treebank/tense task.path={}/a.mrg",
        r"a\.mrg: the folder contains neither",
        {"a.mrg": folder},
    )
    good = "(S (NP (NN dog)) (VP (VBD ran)))\n"
    for name, tree, said in (
        ("not closed", f"{good}(S (NP (NN dog))\n{good}", ", line 2: unbalanced .* before line 3"),
        ("closed twice", f"{good}{good[:-1]})\n{good}", ", line 2: unbalanced .* one closes"),
        ("not opened", f"{good}{good[1:]}{good}", ", line 2: unbalanced .* one closes"),
        ("no tag", f"{good}(S (NP dog) (VP the dog))\n", ", line 2: a word in VP has no tag"),
        ("no label", f"{good}(S ((NN dog)) (VBD ran))\n", ", line 2: a constituent has no label"),
        ("no word", f"{good}(S (NP) (VBD ran))\n", ", line 2: NP has no word"),
        ("too deep", good + "(S " * 300 + "(NN a)" + ")" * 300, ", line 2: a tree of more than 200 levels"),
        ("no tree", "no tree at all", ": the file contains no sentence"),
        ("empty", "", ": the file is empty"),
        ("too few", good, ": .*task treebank/tense|: .*too few"),
    ):  # fmt: skip
        yield Bad(f"mrg: {name}", "task=treebank/tense task.path={}/a.mrg", rf"a\.mrg{said}", {"a.mrg": tree})
