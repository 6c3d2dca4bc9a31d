"""The JSON format of edge probing, as its authors document it, and what is wrong with a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from probing.datasets.edge.edge_text import Edge
from probing.datasets.edge.json_targets import JsonTargetsTask, text_of
from probing.errors import ProbingError
from probing.tasks.target import Classes, Labels
from tests.datasets.edge.made import edges_of, record_of, write_json

# the examples of jiant's description of the format
ROLES = {
    "text": "Ian ate strawberry ice cream",
    "targets": [
        {"span1": [1, 2], "span2": [0, 1], "label": "A0"},
        {"span1": [1, 2], "span2": [2, 5], "label": "A1"},
    ],
    "info": {"source": "PropBank"},
}
PROTO_ROLES = {
    "text": "The main reason is Google is more accessible to the global community .",
    "targets": [
        {"span1": [3, 4], "span2": [0, 3], "label": ["existed_after", "was_used"], "info": {"x": 1}},
        {"span1": [3, 4], "span2": [4, 5], "label": []},
    ],
}


def task(path: Path, **more: Any) -> JsonTargetsTask:  # noqa: ANN401
    return JsonTargetsTask(name="edge/jsonl", path=path, **more)


def folder(tmp_path: Path, record: dict[str, Any]) -> Path:
    for split in ("train", "dev", "test"):
        write_json(tmp_path / "spr" / f"spr1.{split}.json", [record, record | {"text": "A b c d e f g"}])
    return tmp_path / "spr"


def test_spans_are_words_and_become_characters(tmp_path: Path) -> None:
    made = task(folder(tmp_path, ROLES)).build()
    assert isinstance(made.target, Classes)
    assert (made.metric, made.features, len(made)) == ("accuracy", "concat", 12)
    assert made.partners is not None
    first, second = made.units[1], made.partners[1]
    assert first.text == second.text == "Ian ate strawberry ice cream"
    assert [unit.text[slice(*unit.span)] for unit in (first, second) if unit.span] == [
        "ate", "strawberry ice cream"
    ]  # fmt: skip
    assert made.target.shown()[:2] == ["A0", "A1"]
    assert made.source == "spr (edge probing, JSON lines)"


def test_a_list_of_labels_is_several_labels(tmp_path: Path) -> None:
    made = task(folder(tmp_path, PROTO_ROLES)).build()
    assert isinstance(made.target, Labels)
    assert made.metric == "micro_f1"
    assert made.target.sets()[:2] == [("existed_after", "was_used"), ()]
    with pytest.raises(ProbingError, match=r"line 1, target 0 has 2 labels, and task.labels=one needs one"):
        task(folder(tmp_path, PROTO_ROLES), labels="one").build()


def test_single_labels_can_be_decided_one_by_one_as_the_authors_do(tmp_path: Path) -> None:
    made = task(folder(tmp_path, ROLES), labels="several").build()
    assert isinstance(made.target, Labels)
    assert (made.metric, made.target.names) == ("micro_f1", ("A0", "A1"))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    for record in (ROLES, PROTO_ROLES):
        text = text_of(record, "here", None)
        assert text_of(json.loads(json.dumps(record_of(text))), "here", None) == text
    assert edges_of(text_of(ROLES, "here", None))[1] == ("ate", "strawberry ice cream", "A1")


def test_any_whitespace_separates_words_and_numbers_are_labels() -> None:
    text = text_of({"text": " a\u00a0b \t c", "targets": [{"span1": [1, 3], "label": 1}]}, "here", "dev")
    assert (text.text, text.edges) == ("a b c", (Edge(("1",), (1, 3)),))


TARGET = {"span1": [0, 1], "label": "x"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"targets": []}, '"text" is None'),
        ({"text": " ", "targets": []}, "\"text\" is ' '"),
        ({"text": "a"}, '"targets" is None'),
        ({"text": "a", "targets": [3]}, "target 0: not a JSON object"),
        ({"text": "a", "targets": [TARGET, {"label": "x"}]}, "target 1: span1 is None"),
        ({"text": "a", "targets": [{"span1": [0], "label": "x"}]}, r"target 0: span1 is \[0\]; give \[start"),
        ({"text": "a", "targets": [{"span1": [0, 1.5], "label": "x"}]}, "target 0: span1 is"),
        ({"text": "a", "targets": [{"span1": [False, 1], "label": "x"}]}, "target 0: span1 is"),
        (
            {"text": "a", "targets": [{"span1": [0, 2], "label": "x"}]},
            r"target 0: span1 is \[0, 2\] in a text of 1 words",
        ),
        (
            {"text": "a", "targets": [{"span1": [1, 1], "label": "x"}]},
            r"target 0: span1 is \[1, 1\] in a text",
        ),
        ({"text": "a", "targets": [TARGET | {"span2": [-1, 1]}]}, r"target 0: span2 is \[-1, 1\]"),
        ({"text": "a", "targets": [{"span1": [0, 1]}]}, "target 0: label is None"),
        ({"text": "a", "targets": [{"span1": [0, 1], "label": ["x", None]}]}, "target 0: label is"),
        ({"text": "a", "targets": [{"span1": [0, 1], "label": ""}]}, "target 0: label is ''"),
    ],
)
def test_a_mistake_names_file_line_and_target(record: dict[str, Any], said: str, tmp_path: Path) -> None:
    good = {"text": "a b", "targets": [TARGET]}
    path = write_json(tmp_path / "a.jsonl", [good, record])
    with pytest.raises(ProbingError, match=rf"a\.jsonl, line 2(, |: ){said}") as caught:
        task(path).build()
    assert "\n" not in str(caught.value)


def test_a_line_that_is_not_json_is_named(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.jsonl", [ROLES])
    path.write_text(path.read_text() + '\n{"text": "a",')
    with pytest.raises(ProbingError, match=r"a\.jsonl, line 3: not JSON"):
        task(path).build()


def test_one_span_and_two_do_not_mix(tmp_path: Path) -> None:
    mixed = {"text": "a b", "targets": [TARGET | {"span2": [1, 2]}, TARGET]}
    path = write_json(tmp_path / "a.jsonl", [mixed])
    with pytest.raises(ProbingError, match="target 1 lacks the second span, which others have"):
        task(path).build()
    path = write_json(tmp_path / "a.jsonl", [{"text": "a b", "targets": mixed["targets"][::-1]}])
    with pytest.raises(ProbingError, match="target 1 has a second span, others do not"):
        task(path).build()


def test_rare_labels_and_labels_that_train_lacks_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def record(*labels: Any) -> dict[str, Any]:  # noqa: ANN401
        return {"text": "a b", "targets": [{"span1": [0, 1], "label": label} for label in labels]}

    write_json(tmp_path / "train.json", [record("x", "y", "x", "y", "z")])
    write_json(tmp_path / "dev.json", [record("x", "new")])
    write_json(tmp_path / "test.json", [record("x", "z")])
    with caplog.at_level("INFO"):
        made = task(tmp_path, least_examples=2).build()
    assert isinstance(made.target, Classes)
    assert made.target.names == ("x", "y")
    assert made.target.shown() == ["x", "y", "x", "y", "x", "x"]
    assert "classes left out, rare: z (2)" in caplog.text
    assert "classes left out, never seen in train: new (1)" in caplog.text
    several = task(tmp_path, least_examples=2, labels="several").build().target
    assert isinstance(several, Labels)
    assert several.sets() == [("x",), ("y",), ("x",), ("y",), (), ("x",), (), ("x",), ()]
