"""Small files of every format, and edges in the JSON format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from probing.datasets.edge.edge_text import EdgeText

CONLL_2003 = """\
-DOCSTART- -X- -X- O

{name} NNP B-NP I-PER
lives VBZ B-VP O
in IN B-PP O
New NNP B-NP I-LOC
York NNP I-NP I-LOC
{town} NNP I-NP B-LOC
. . O O

U.N. NNP B-NP I-ORG
agrees VBZ B-VP O
"""

# the words of `(her dog)` are in one mention, and `her` is in another
ONTONOTES = """\
#begin document (bc/made/{name}); part 000
bc/made/{name} 0 0 {name} NNP (TOP(S(NP*) - - - Speaker#1 (PERSON) (ARG0*) * (0)
bc/made/{name} 0 1 saw VBD (VP* see 01 1 Speaker#1 * (V*) * -
bc/made/{name} 0 2 her PRP$ (S(NP* - - - Speaker#1 * (ARG1* (ARG0* (1|(0)
bc/made/{name} 0 3 dog NN *) - - - Speaker#1 * * *) 1)
bc/made/{name} 0 4 run VB (VP*))) run 01 1 Speaker#1 (DATE* *) (V*) (2)
bc/made/{name} 0 5 -LRB- -LRB- *)) - - - Speaker#1 *) * (R-ARG1*) -

bc/made/{name} 0 0 It PRP (TOP(S(NP*) - - - Speaker#1 * (ARG0*) (1)
bc/made/{name} 0 1 barks VBZ (VP*))) bark 01 1 Speaker#1 * (V*) -

#end document
"""

NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eve", "Fred")


def ontonotes(folder: Path, splits: Sequence[str] = ("train", "development", "test")) -> Path:
    """OntoNotes as it is unpacked: folders below folders."""
    for split, start in zip(splits, range(0, 6, 2), strict=False):
        below = folder / split / "data" / "english" / "annotations" / "bc"
        below.mkdir(parents=True)
        for name in NAMES[start : start + 2]:
            (below / f"{name}.v4_gold_conll").write_text(ONTONOTES.format(name=name))
    return folder


def edges_of(text: EdgeText) -> list[tuple[str, ...]]:
    """The words of the spans of every edge, and its labels."""
    words = [text.text[start:end] for start, end in text.words]
    return [
        (
            " ".join(words[slice(*edge.span)]),
            *(() if edge.second is None else (" ".join(words[slice(*edge.second)]),)),
            *edge.labels,
        )
        for edge in text.edges
    ]


def record_of(text: EdgeText) -> dict[str, Any]:
    """A text in the JSON format of edge probing."""
    return {
        "text": text.text,
        "targets": [
            {
                "span1": list(edge.span),
                "label": list(edge.labels) if len(edge.labels) != 1 else edge.labels[0],
            }
            | ({} if edge.second is None else {"span2": list(edge.second)})
            for edge in text.edges
        ],
        "info": {"source": "made"},
    }


def write_json(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    """A file of edge probing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
