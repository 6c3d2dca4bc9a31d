"""Attention to classes of words as a run, against the mean by hand over plain attention."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import probing
from probing.errors import ProbingError
from tests import tiny

NOUNS = {"farmer", "farmers", "dog", "dogs", "cat", "river", "horse", "horses", "house", "houses"}
TEXTS = [" ".join((tiny.WORDS * 2)[row * 3 : row * 3 + 4 + row % 3]) for row in range(12)]


def words() -> pd.DataFrame:
    """A row for each word of twelve texts; some texts have no noun."""
    rows = []
    for number, text in enumerate(TEXTS):
        start = 0
        for word in text.split():
            kind = "noun" if word in NOUNS else "other"
            split = ("train", "dev", "test")[number % 3]
            rows.append(
                {"text": text, "start": start, "end": start + len(word), "label": kind, "split": split}
            )
            start += len(word) + 1
    return pd.DataFrame(rows)


def run(root: Path, model: Path, *more: str, data: pd.DataFrame | None = None) -> pd.DataFrame:
    arguments = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=table", "task.split=split",
                 "extract.threads=1", "analysis=token_types", *more]  # fmt: skip
    return probing.run(arguments, data=words() if data is None else data)


@pytest.mark.parametrize("make", [tiny.make_masked, tiny.make_llama, tiny.make_t5])
def test_means_are_over_texts_that_have_a_word_of_the_class(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = make(tmp_path / "model")
    spans = ["task.start=start", "task.end=end"]
    frame = run(tmp_path / "out", folder, *spans)
    whole = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    model = whole.get_encoder() if whole.config.is_encoder_decoder else whole
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for text in dict.fromkeys(words()["text"][words()["split"] == "dev"]):
        encoded = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            attentions = model(input_ids=encoded.input_ids, output_attentions=True).attentions
        weights = torch.cat(attentions, 1)[0].double().numpy()
        causal = int(np.triu(weights, 1).max() == 0)
        received = weights[:, causal:].mean(1)
        places = [
            at
            for at, (start, end) in enumerate(tokenizer(text, return_offsets_mapping=True).offset_mapping)
            if text[start:end] in NOUNS
        ]
        found += [received[:, places].max(1)] if places else []
    rows = frame[frame["variant"] == "noun"].sort_values(["layer", "head"])
    assert set(rows["n_dev"]) == {len(found)}
    np.testing.assert_allclose(rows["value"], np.mean(found, 0), rtol=1e-5)
    zero = run(tmp_path / "out", folder, *spans, "analysis.absent=zero")
    diluted = zero[zero["variant"] == "noun"].sort_values(["layer", "head"])
    np.testing.assert_allclose(diluted["value"], np.sum(found, 0) / 4, rtol=1e-5)


def test_texts_without_words_are_refused(tmp_path: Path, tiny_bert: Path) -> None:
    whole = words().drop_duplicates("text").drop(columns=["start", "end"])
    whole["label"] = ["noun", "other"] * 6
    with pytest.raises(ProbingError, match="not words in classes; use a task of words"):
        run(tmp_path, tiny_bert, data=whole)
