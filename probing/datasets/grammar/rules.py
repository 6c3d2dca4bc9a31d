"""The context-free grammar, as data, and the tags that may be adjacent in its sentences.

A symbol is `label.role`, followed by a mark for the features that it inherits. Features are the number of
the clause or noun phrase, the tense of the clause, the form of its verb (finite, base, ing), and the
number of the thing that two coordinate clauses share:

    VP=      number, tense and form of the parent
    NP#      number of the parent
    S~       tense of the parent
    NP$      number of the shared thing, tense of the parent
    VP!ing   number and tense of the parent, and that form
    NP       all features drawn again
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

# Parent, number if one is required, weight with "+" if the rule makes a sentence grow, and symbols.
GRAMMAR = """
ROOT        32  NP.subj# VP= .
ROOT        7   NP.subj# ADVP.often VP= .
ROOT        5   ADVP.opening , NP.subj# VP= .
ROOT        3   ADVP.opening NP.subj# VP= .
ROOT        8   PP.front , NP.subj# VP= .
ROOT        6   PP.front , NP.subj# ADVP.often VP= .
ROOT        8   SBAR.adv~ , NP.subj# VP= .
ROOT        7   S.ing= , NP.subj# VP= .
ROOT        9   S~ , CC.S S~ .
ROOT        7   CC.open NP.subj# VP= .
ROOT        6   CC.open ADVP.opening , NP.subj# VP= .
ROOT        6   CC.open PP.front , NP.subj# VP= .
ROOT        6   VP!base .
S           8   NP.subj# VP=
S           1   NP.subj# ADVP.often VP=
S.ing       1   VP.light!ing
S.to        1   TO VP!base
SBAR.adv    1   IN.adv S~
SBAR.that   1   IN.that S~
SBAR.rel    1   WHNP S.srel#
SBAR.orel   1   WHNP S.orel
WHNP        1   WP
S.srel      1   VP=
S.orel      1   NP.subj# VP.orel=
VP.orel     4   V.tr
VP.orel     1+  V.tr PP
VP          3   V.intr
VP          3   V.intr ADVP.manner
VP          3+  V.intr PP
VP          1+  V.intr SBAR.adv~
VP          8   V.tr NP
VP          3   V.tr NP ADVP.manner
VP          3+  V.tr NP PP
VP          1+  V.tr NP SBAR.adv~
VP          2   V.cop ADJP
VP          2   V.dit NP.to NP.given
VP          2   V.dit NP.given PP.to
VP          2+  V.that SBAR.that~
VP          2+  V.to S.to=
VP          1+  VP.light= CC VP.light=
VP.light    3   V.intr PP
VP.light    2   V.intr ADVP.manner
VP.light    5   V.tr NP.base
VP.light    1+  V.tr NP.base PP
NP.subj     12  NP.base#
NP.subj sg  2   NNP
NP.subj sg  1   PRP.sg
NP.subj pl  1   PRP.pl
NP.subj     4+  NP.base# PP
NP.subj     3+  NP.base# SBAR.rel#
NP.subj     2+  NP.base# SBAR.orel
NP.subj     1+  NP.base# VP.light!ing
NP.subj pl  1+  NP.base CC NP.base
NP          12  NP.base#
NP          4+  NP.base# PP
NP          1+  NP.base# SBAR.rel#
NP          3+  NP.base# SBAR.orel
NP pl       1+  NP.base CC NP.base
NP.to       1   NP.base#
NP.given    4   NP.base#
NP.given    2+  NP.base# PP
NP.base     8   DT N
NP.base     6   DT JJ N
NP.base     1   DT JJ JJ N
NP.base pl  1   JJ N
NP.base     1.2 NP.poss N
NP.base     0.5 NP.poss JJ N
NP.poss     1   DT N POS
PP          1   IN NP
PP.front    1   IN NP
PP.to       1   IN.to NP.to
ADJP        2   JJ
ADJP        1   RB.degree JJ
ADVP.manner 4   RB.manner
ADVP.manner 1   RB.degree RB.manner
ADVP.often  1   RB.often
ADVP.opening 1  RB.opening
PAIR        1   S.cause~ , CC S.effect~ .
S.cause     5   NP.agent# VP.cause=
VP.cause    4   V.tr NP.shared$
VP.cause    1   V.tr NP.shared$ PP
VP.cause    1   V.tr NP.shared$ ADVP.manner
S.cause     1   NP.pro# VP.cause=
NP.pro sg   1   PRP.sg
NP.pro pl   1   PRP.pl
NP.agent    5   NP.base#
NP.agent sg 1   NNP
NP.agent    2+  NP.base# PP
NP.agent    1+  NP.base# SBAR.rel#
NP.shared   2   DT N
NP.shared   2   DT JJ N
NP.shared   1+  NP.base# PP
S.effect    4   NP.agent# VP.effect=
S.effect    2   NP.again$ VP.after$
VP.effect   3   V.tr NP.again$
VP.effect   3   V.tr NP.again$ PP
VP.effect   2   V.tr NP.again$ ADVP.manner
VP.after    2   V.intr
VP.after    2   V.intr PP
VP.after    2   V.intr ADVP.manner
NP.again    3   PRP.again
NP.again    2   DT.again N.again
"""
SYMBOL = re.compile(r"([A-Z]+|[,.])(?:\.(\w+))?(!base|!ing|[=#~$]?)")


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol on the right of a rule: its name (`NP.subj`), label and role, and the features it inherits."""

    name: str
    label: str
    role: str
    inherits: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One production.

    Attributes:
        parent: The symbol on the left.
        number: "sg" or "pl" if the rule requires it, otherwise "".
        weight: Relative frequency among the rules of `parent`.
        grows: Whether it can nest without end and must therefore become rarer with depth.
        children: The symbols on the right.
    """

    parent: str
    number: str
    weight: float
    grows: bool
    children: tuple[Symbol, ...]


def read_symbol(text: str) -> Symbol:
    """Read a symbol such as `NP.subj#`."""
    match = SYMBOL.fullmatch(text)
    if match is None:
        raise ValueError(f"not a grammar symbol: {text}")
    label, role, inherits = match.group(1), match.group(2) or "", match.group(3)
    return Symbol(f"{label}.{role}" if role else label, label, role, inherits)


def read_rule(line: str) -> Rule:
    """Read one line of `GRAMMAR`."""
    parent, *rest = line.split()
    number = rest.pop(0) if rest[0] in ("sg", "pl") else ""
    weight = rest.pop(0)
    children = tuple(read_symbol(text) for text in rest)
    return Rule(parent, number, float(weight.rstrip("+")), weight.endswith("+"), children)


RULES = tuple(read_rule(line) for line in GRAMMAR.strip().splitlines())
PARENTS = frozenset(rule.parent for rule in RULES)


@cache
def rules_of(symbol: str, number: str) -> tuple[Rule, ...]:
    """Return the productions of a symbol that its number allows."""
    return tuple(rule for rule in RULES if rule.parent == symbol and rule.number in ("", number))


@cache
def edges(symbol: str, end: int) -> frozenset[str]:
    """Return terminal labels that the yield of a symbol may begin (end 0) or finish (end -1) with."""
    if symbol not in PARENTS:
        return frozenset([terminal(symbol)])
    found: set[str] = set()
    todo, seen = [symbol], {symbol}
    while todo:
        parent = todo.pop()
        for rule in RULES:
            if rule.parent == parent:
                name = rule.children[end].name
                if name not in PARENTS:
                    found.add(terminal(name))
                elif name not in seen:
                    seen.add(name)
                    todo.append(name)
    return frozenset(found)


def terminal(name: str) -> str:
    """Return the label of a terminal symbol, `V` for `V.tr`."""
    return name if name in (",", ".") else name.split(".", maxsplit=1)[0]


@cache
def neighbours() -> frozenset[tuple[str, str]]:
    """Return pairs of terminal labels that may be adjacent in some sentence of the grammar."""
    return frozenset(
        (left, right)
        for rule in RULES
        for first, second in zip(rule.children, rule.children[1:], strict=False)
        for left in edges(first.name, -1)
        for right in edges(second.name, 0)
    )
