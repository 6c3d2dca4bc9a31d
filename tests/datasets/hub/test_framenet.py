"""FrameNet's roles from Open-SESAME's files: pairs of spans with the names of frame elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

import probing
from probing.datasets.hub import FrameNetTask
from probing.datasets.hub.framenet import Role, read_roles
from probing.errors import ProbingError
from probing.tasks.target import Classes

pytestmark = pytest.mark.slow

NAMES = ("fn1.7.fulltext.train.syntaxnet.conll", "fn1.7.dev.syntaxnet.conll", "fn1.7.test.syntaxnet.conll")


def block(words: Sequence[tuple[str, str, str]], sentence: int = 0) -> str:
    """Lines of a target: each word, its lexical unit or `_`, and its frame element.

    The fields are those of `CoNLL09Element` in Open-SESAME: ID, FORM, LEMMA, PLEMMA, POS, PPOS, SENT, PFEAT,
    HEAD, PHEAD, DEPREL, PDEPREL, LU, FRAME, ROLE.
    """
    return "\n".join(
        f"{at}\t{word}\t_\t{word}\tNN\tNN\t{sentence}\t_\t_\t0\t_\tdep\t{unit}\t"
        f"{'_' if unit == '_' else 'Frame'}\t{role}"
        for at, (word, unit, role) in enumerate(words, start=1)
    )


def clause(number: int, verb: str = "sees", giver: str = "Agent", time: str = "Time") -> str:
    return block(
        [
            ("the", "_", f"B-{giver}"),
            (f"farmer{number}", "_", f"I-{giver}"),
            (verb, f"{verb}.v", "O"),
            ("today", "_", f"S-{time}"),
        ],
        number,
    )


def write(folder: Path, texts: Sequence[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(NAMES, texts, strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def clauses(n: int, first: int = 0) -> str:
    return "\n\n".join(clause(number) for number in range(first, first + n)) + "\n\n"


def test_a_role_is_the_target_and_a_stretch_of_words(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    words = [
        ("b'Ann'", "_", "S-Donor"),
        ("b'gave'", "give_up.v", "O"),
        ('b"it\'s"', "_", "B-Theme"),
        ("b'\\xc3\\xa9t\\xc3\\xa9'", "_", "I-Theme"),
        ("b'up'", "give_up.v", "O"),
        ("b'today'", "_", "B-Time"),
        ("b'now'", "_", "B-Time"),
    ]
    path.write_text(block(words) + "\n\n" + clause(7))
    roles = list(read_roles(path))
    text = "Ann gave it's été up today now"
    assert [role.text for role in roles] == [text] * 4 + ["the farmer7 sees today"] * 2
    assert [
        (role.label, role.text[role.start : role.end], role.text[role.second_start : role.second_end])
        for role in roles
    ] == [
        ("Donor", "gave", "Ann"),
        ("Theme", "gave", "it's été"),
        ("Time", "gave", "today"),
        ("Time", "gave", "now"),
        ("Agent", "sees", "the farmer7"),
        ("Time", "sees", "today"),
    ]
    assert [role.line for role in roles] == [1] * 4 + [9] * 2
    assert Role._fields[1:] == ("text", "start", "end", "second_start", "second_end", "label")


@pytest.mark.parametrize("inside", ["", "fn1.7"])
def test_the_task_has_a_pair_of_spans_for_every_role(inside: str, tmp_path: Path) -> None:
    write(tmp_path / inside, [clauses(30), clauses(10, 100), clauses(10, 200)])
    task = FrameNetTask(name="hub/framenet", path=tmp_path).build()
    assert Counter(task.split.tolist()) == {"train": 60, "dev": 20, "test": 20}
    assert isinstance(task.target, Classes)
    assert task.target.names == ("Agent", "Time")
    assert task.partners is not None
    assert task.features == "concat"
    for unit, partner, label in zip(task.units, task.partners, task.target.shown(), strict=True):
        assert unit.text == partner.text
        assert unit.span is not None
        assert partner.span is not None
        assert unit.text[slice(*unit.span)] == "sees"
        assert unit.text[slice(*partner.span)] == (
            "today" if label == "Time" else unit.text.split(" sees")[0]
        )
    assert task.source.startswith("FrameNet 1.7")


def test_the_most_frequent_elements_of_train_are_classes(tmp_path: Path) -> None:
    rare = "\n\n".join(clause(number, giver="Rare", time="Scarce") for number in range(50, 54))
    unseen = clause(300, giver="Unseen")
    texts = [clauses(30) + rare + "\n\n", clauses(9, 100) + unseen, clauses(10, 200) + unseen]
    write(tmp_path, texts)
    two = FrameNetTask(path=tmp_path, elements=2).build()
    assert two.target.names == ("Agent", "Time")  # type: ignore[union-attr]
    every = FrameNetTask(path=tmp_path, elements=None).build()
    assert every.target.names == ("Agent", "Rare", "Scarce", "Time")  # type: ignore[union-attr]
    assert len(every) == 60 + 8 + 19 + 21


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\tthe\t_\n", r"train\.syntaxnet\.conll, line 1: 3 fields instead of 15; give Open-SESAME's files"),
        (clauses(1) + block([("a", "_", "O")]), r"line 6: no word has a lexical unit"),
    ],
)
def test_other_files_are_named_with_their_line(text: str, message: str, tmp_path: Path) -> None:
    write(tmp_path, [text, clauses(3), clauses(3)])
    with pytest.raises(ProbingError, match=message):
        FrameNetTask(path=tmp_path).build()


def test_files_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProbingError, match=r"no such file or directory; give task\.path=<a folder with fn1"):
        FrameNetTask(path=tmp_path).build()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ProbingError, match=r"liyucheng/FrameNet_v17: fn1\.7/.* cannot be fetched") as caught:
        FrameNetTask().build()
    assert "\n" not in str(caught.value)


def test_a_commit_in_the_cache_of_the_hub_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "89" * 20
    repository = tmp_path / "datasets--liyucheng--FrameNet_v17"
    write(repository / "snapshots" / commit / "fn1.7", [clauses(30), clauses(10), clauses(10)])
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_CACHE", str(tmp_path))
    task = FrameNetTask().build()
    assert task.source.endswith(f"liyucheng/FrameNet_v17, revision {commit}")


def test_a_run_ends_in_a_grid(tmp_path: Path, tiny_bert: Path) -> None:
    write(tmp_path / "fn", [clauses(30), clauses(10, 100), clauses(10, 200)])
    frame = probing.run(
        [
            "task=hub/framenet", f"task.path={tmp_path / 'fn'}", "model=hf", f"model.name={tiny_bert}",
            f"paths.root={tmp_path / 'out'}", "extract.device=cpu", "pooling=mean", "task.limit=16",
        ]
    )  # fmt: skip
    assert set(frame["task"]) == {"hub/framenet"}
    assert set(frame["n_test"]) == {16}
