"""Data of edge probing that are wrong in some way."""

from __future__ import annotations

from collections.abc import Iterator

from tests.datasets.bad.case import Bad
from tests.datasets.edge.made import CONLL_2003, ONTONOTES

JSON = '{"text": "a b", "targets": [{"span1": [0, 1], "label": "x"}, {"span1": [1, 3], "label": "y"}]}\n'


def edges() -> Iterator[Bad]:
    """Cases of the JSON format and of columns."""
    yield Bad(
        "edge: span outside",
        "task=edge/jsonl task.path={}/a.json",
        r"a\.json, line 1, target 1: span1 is \[1, 3\] in a text of 2 words",
        {"a.json": JSON},
    )
    yield Bad("edge: no path", "task=edge/jsonl", r"task\.path is not set; give task\.path=", {})
    yield Bad(
        "edge: another column",
        "task=edge/entities task.path={}/eng.train task.column=1",
        r"eng\.train, line 3: 'NNP' is not a tag of a span",
        {"eng.train": CONLL_2003},
    )
    yield Bad(
        "edge: open bracket",
        "task=edge/roles task.path={}",
        r"a_conll, line 6: '\*\)' closes a bracket that is not open",
        {"train/a_conll": ONTONOTES.replace("(ARG1*", "*"), "test/a_conll": ONTONOTES},
    )
    yield Bad(
        "edge: tables",
        "task=edge/constituents task.path={}",
        r"no file ends in \.mrg",
        {"a.csv": "text,label\n"},
    )
