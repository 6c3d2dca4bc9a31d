"""The choice in conf/task for the files of edge probing: a text with labelled spans on every line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from probing.datasets.edge.edge_task import EdgeTask
from probing.datasets.edge.edge_text import Edge, EdgeText, Words
from probing.datasets.lines import read_text
from probing.datasets.table.records import json_records
from probing.errors import ProbingError


@dataclass(frozen=True, kw_only=True)
class JsonTargetsTask(EdgeTask):
    """Files in the JSON format of edge probing (Tenney et al., 2019), which the library jiant reads.

    A line is an object with `text` and a list of `targets`. A target has `span1`, or `span1` and `span2`,
    each [start, end) in words between whitespace, and `label`, which is a label or a list of any number of
    labels, as of semantic proto-roles. `info` and all other members are ignored. The format is described in
    `probing/README.md` of jiant, whose scripts make such files from OntoNotes, SPR1, SPR2, DPR, SemEval 2010
    and the Universal Dependencies.
    """

    format: ClassVar[str] = "edge probing, JSON lines"
    endings: ClassVar[tuple[str, ...]] = (".jsonl", ".json", ".ndjson")

    def texts(self, path: Path, split: str | None) -> Iterator[EdgeText]:
        """Yield the texts of a file; see `EdgeTask.texts`."""
        content = read_text(path, "utf-8", self._files.hint)
        for line, record in json_records(content, path):
            yield text_of(record, f"{path}, line {line}", split)


def text_of(record: Mapping[str, Any], place: str, split: str | None) -> EdgeText:
    """Return a text with its targets.

    Args:
        record: The object of a line.
        place: File and line, for messages.
        split: Split of the file.

    Raises:
        ProbingError: With file, line and target, if a member is missing or wrong.
    """
    text, targets = record.get("text"), record.get("targets")
    if not isinstance(text, str) or not text.strip():
        raise ProbingError(f'{place}: "text" is {text!r}; give the words of a text')
    if not isinstance(targets, list):
        raise ProbingError(f'{place}: "targets" is {targets!r}; give a list of targets with span1 and label')
    words = text.split()
    edges = [_edge(target, f"{place}, target {at}", len(words)) for at, target in enumerate(targets)]
    return EdgeText.of_words(place, split, words, edges)


def _edge(target: Any, place: str, words: int) -> Edge:  # noqa: ANN401
    if not isinstance(target, dict):
        raise ProbingError(f"{place}: not a JSON object; give one with span1 and label")
    second = None if target.get("span2") is None else _span(target["span2"], "span2", place, words)
    return Edge(
        _labels(target.get("label"), place), _span(target.get("span1"), "span1", place, words), second
    )


def _span(value: Any, name: str, place: str, words: int) -> Words:  # noqa: ANN401
    numbers = value if isinstance(value, list) else []
    whole = [number for number in numbers if isinstance(number, int) and not isinstance(number, bool)]
    if len(numbers) != 2 or len(whole) != 2:
        raise ProbingError(f"{place}: {name} is {value!r}; give [start, end], the end after the last word")
    start, end = whole
    if not 0 <= start < end <= words:
        raise ProbingError(
            f"{place}: {name} is {value!r} in a text of {words} words; words are counted from 0, and the "
            "end is the word after the span"
        )
    return start, end


def _labels(value: Any, place: str) -> tuple[str, ...]:  # noqa: ANN401
    values = value if isinstance(value, list) else [value]
    for each in values:
        if isinstance(each, bool) or not isinstance(each, str | int) or each == "":
            raise ProbingError(f"{place}: label is {value!r}; give a text, or a list of texts")
    return tuple(dict.fromkeys(map(str, values)))
