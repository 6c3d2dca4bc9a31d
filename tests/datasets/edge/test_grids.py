"""Tasks of spans and pairs of spans run to a grid of heads, several labels included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import probing
from tests.datasets.edge.made import write_json
from tests.tiny import WORDS

pytestmark = pytest.mark.slow


def write(folder: Path, *, words: int = 6) -> Path:
    """Pairs of words whose labels their forms show."""
    rng = np.random.default_rng(0)
    for split, n in (("train", 100), ("dev", 30), ("test", 30)):
        records = []
        for _ in range(n):
            text = rng.choice(WORDS, size=words).tolist()
            targets = []
            for _ in range(3):
                one, two = (int(at) for at in rng.integers(0, words, 2))
                labels = [
                    name for name, word in (("first", text[one]), ("second", text[two])) if word[0] < "h"
                ]
                targets.append({"span1": [one, one + 1], "span2": [two, two + 1], "label": labels})
            records.append({"text": " ".join(text), "targets": targets})
        write_json(folder / f"{split}.json", records)
    return folder


def arguments(folder: Path, root: Path, model: Path, *more: str) -> list[str]:
    return [
        "task=edge/jsonl", f"task.path={folder}", "model=hf", f"model.name={model}", f"paths.root={root}",
        "extract.device=cpu", "extract.threads=1", "pooling=mean", *more,
    ]  # fmt: skip


def test_several_labels_of_pairs_are_scored_by_micro_f1(tmp_path: Path, tiny_bert: Path) -> None:
    ran = arguments(write(tmp_path / "data"), tmp_path / "out", tiny_bert)
    frame = probing.run([*ran, "granularity=layer"])
    assert len(frame) == 4  # with the embeddings
    assert set(frame["metric"]) == {"micro_f1"}
    assert set(frame["n_test"]) == {90}
    assert frame["test"].max() > 0.9  # both words are in the vectors, and each shows its label


def test_targets_that_the_limit_cuts_off_are_left_out_and_reported(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = arguments(write(tmp_path / "data", words=12), tmp_path / "out", tiny_bert)
    frame = probing.run([*ran, "extract.max_length=8", "granularity.layers=[0]"])
    assert "words or spans were cut off by that and have no vector" in capsys.readouterr().err
    assert 0 < frame["n_test"].iloc[0] < 90
