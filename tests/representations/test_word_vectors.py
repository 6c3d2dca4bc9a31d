"""Vectors of words from files, and from the input embeddings of a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from probing.errors import ProbingError
from probing.models.loading import LoadedModel
from probing.representations.word_vectors import input_embeddings, read_word_vectors
from tests.attention import eager_model

LINES = "the 1 2\n. . . 5 6\nnew york 3 4\n"


def test_vectors_are_read_by_spelling_then_in_lower_case_and_others_are_zeros(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(LINES, encoding="utf-8")
    found = read_word_vectors(path, ["the", "The", "cat", ". . .", "new york"])
    assert found.tolist() == [[1, 2], [1, 2], [0, 0], [5, 6], [3, 4]]
    path.write_text("3 2\n" + LINES, encoding="utf-8")
    np.testing.assert_array_equal(read_word_vectors(path, ["the"]), [[1, 2]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the 1 2\ncat 3 x\n", r"line 2: .*x"),
        ("the 1 2\ncat\n", r"line 2: 0 numbers instead of 2"),
        ("a 1 2\n", r"has none of the 2 words"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProbingError, match=message):
        read_word_vectors(path, ["the", "cat"])
    with pytest.raises(ProbingError, match=r"absent\.txt"):
        read_word_vectors(tmp_path / "absent.txt", ["the"])


def test_input_embeddings_are_means_over_pieces(tiny_bert: Path) -> None:
    from transformers import AutoTokenizer

    model, tokenizer = eager_model(tiny_bert), AutoTokenizer.from_pretrained(tiny_bert)
    loaded = LoadedModel(model, tokenizer, None)
    table = model.get_input_embeddings().weight.detach().double()  # type: ignore[operator]
    ids = tokenizer("dog cat", add_special_tokens=False)["input_ids"]
    found = torch.from_numpy(input_embeddings(loaded, ["dog", "cat", "dog cat"]))
    torch.testing.assert_close(found[:2], table[torch.tensor(ids)])
    torch.testing.assert_close(found[2], table[torch.tensor(ids)].mean(0))
    assert input_embeddings(loaded, ["dog", ""])[1].tolist() == [0] * table.shape[1]
