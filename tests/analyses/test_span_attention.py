"""Attention between spans as a run: tables of pairs, planted and random heads, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import probing
from probing.analyses.analysis import Methods
from probing.analyses.granularity import Granularity
from probing.analyses.span_attention import SpanAttentionAnalysis
from probing.errors import ProbingError
from probing.results.text.relations import beyond_chance, relations_text
from probing.tasks.task import Task
from tests.tiny import WORDS

COLUMNS = ("start", "end", "second_start", "second_end")


def table(count: int = 240) -> pd.DataFrame:
    """Texts of nine words with a span of two words, a span of one word, and one of two labels."""
    generator = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for row in range(count):
        words = generator.choice(WORDS, 9).tolist()
        starts = np.cumsum([0, *(len(word) + 1 for word in words)])
        first, second = (0, 5) if row % 2 else (6, 2)
        rows.append({
            "text": " ".join(words), "label": ("agent", "theme")[row // 3 % 2],
            "start": starts[first], "end": starts[first + 2] - 1,
            "second_start": starts[second], "second_end": starts[second + 1] - 1,
            "split": ("train", "dev", "test")[row % 3],
        })  # fmt: skip
    return pd.DataFrame(rows)


def run(root: Path, model: Path, data: pd.DataFrame, *more: str) -> pd.DataFrame:
    return probing.run([
        f"paths.root={root}", "model=hf", f"model.name={model}", "extract.threads=1", "task=table",
        "task.split=split", *(f"task.{name}={name}" for name in COLUMNS), "analysis=span_attention", *more,
    ], data=data)  # fmt: skip


def test_values_are_the_attention_of_plain_transformers(tmp_path: Path, tiny_bert: Path) -> None:
    data = table()
    rows = run(tmp_path, tiny_bert, data)
    assert set(rows["variant"]) == {"all", "agent", "theme"}
    assert len(rows) == 3 * 2 * 12
    model = AutoModel.from_pretrained(tiny_bert, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    found = []
    for row in data[data["split"] == "test"].itertuples():
        encoded = tokenizer(row.text, return_tensors="pt")
        first, second = (
            [at for at in range(1, 10) if start <= encoded.token_to_chars(at).start < end]
            for start, end in ((row.start, row.end), (row.second_start, row.second_end))
        )
        with torch.no_grad():
            layers = torch.cat(model(**encoded, output_attentions=True).attentions)
        found.append(
            [layers[:, :, first][..., second].sum(3).mean(2), layers[:, :, second][..., first].sum((2, 3))]
        )
    for place, direction in enumerate(("from_first", "from_second")):
        wanted = torch.stack([pair[place] for pair in found]).double().mean(0)
        own = rows[(rows["variant"] == "all") & (rows["direction"] == direction)]
        np.testing.assert_allclose(own["value"].astype(float), wanted.flatten(), atol=1e-6)


def test_a_random_model_prefers_no_span(tmp_path: Path, tiny_bert: Path) -> None:
    rows = run(tmp_path, tiny_bert, table())
    assert beyond_chance(rows)[0].empty
    text = relations_text(rows)
    assert text.splitlines()[0].split() == [
        "label", "n", "best", "head", "direction", "attention", "elsewhere", "p",
    ]  # fmt: skip
    assert "none of 2 relations is given more attention than the same distances elsewhere" in text
    assert ((rows["value_low"] <= rows["value"]) & (rows["value"] <= rows["value_high"])).all()
    ranked = rows[rows["rank"] == 1]
    assert (ranked.groupby("variant")["main"].sum() == 1).all()


def test_rare_labels_are_left_out(tmp_path: Path, tiny_bert: Path) -> None:
    data = table()
    test = data.index[(data["split"] == "test") & (data["label"] == "theme")]
    rows = run(tmp_path, tiny_bert, data.drop(test[5:]))
    assert set(rows["variant"]) == {"all", "agent"}
    with pytest.raises(ProbingError, match=r"no label has analysis\.least=1000 pairs"):
        run(tmp_path, tiny_bert, data, "analysis.least=1000")


def test_examples_that_are_not_two_spans_are_refused(small_task: Task) -> None:
    methods = Methods(None, None, Granularity("head"))  # type: ignore[arg-type]
    with pytest.raises(ProbingError, match=r"are not two spans of one text.*task\.second_start"):
        SpanAttentionAnalysis().check(small_task, methods)
