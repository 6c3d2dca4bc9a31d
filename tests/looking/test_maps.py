"""Attention that is read is the attention of the model, between tokens and between words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedModel

import probing
from probing.errors import ProbingError
from probing.looking import map_readers as of_maps
from probing.looking.maps import Maps, Read
from probing.looking.outcome import Look
from probing.looking.pieces import SPACE
from probing.models.loading import LoadedModel, load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import find_files
from tests.looking.conftest import SENTENCE, options
from tests.tiny import make_bert, make_gpt2, make_llama, make_mamba, make_t5

pytestmark = pytest.mark.slow
MAKERS = [make_bert, make_gpt2, make_llama, make_t5]


def read(folder: Path, root: Path, *texts: str, second: tuple[str, ...] = (), **more: Any) -> Look:  # noqa: ANN401
    return probing.look(texts, options(folder, root), second=second, **more)


def own_attention(folder: Path, *texts: str) -> tuple[LoadedModel, list[NDArray[np.float32]]]:
    """What transformers itself returns with `output_attentions`."""
    loaded = load_model(find_files(ModelConfig(str(folder))), device=torch.device("cpu"), attention="eager")
    inputs = loaded.tokenizer(*texts, return_tensors="pt")
    accepted = {name: value for name, value in inputs.items() if name != "token_type_ids" or len(texts) > 1}
    with torch.no_grad():
        output = loaded.model(**accepted, output_attentions=True)
    return loaded, [each[0].numpy() for each in output.attentions]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_maps_are_those_that_the_model_returns(make: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = make(tmp_path / "model")
    _, expected = own_attention(folder, SENTENCE)
    layers = read(folder, tmp_path, SENTENCE).reads[0].maps["attention"].layers
    assert list(layers) == list(range(len(expected)))
    for layer, weights in enumerate(expected):
        np.testing.assert_allclose(layers[layer], weights, atol=1e-6)


def by_loops(weights: NDArray[np.float32], groups: list[list[int]]) -> NDArray[np.float64]:
    merged = np.zeros((len(weights), len(groups), len(groups)))
    for row, queries in enumerate(groups):
        for column, keys in enumerate(groups):
            for query in queries:
                for key in keys:
                    merged[:, row, column] += weights[:, query, key] / len(queries)
    return merged


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_columns_of_a_word_are_summed_and_rows_averaged(make: Callable[[Path], Path], tmp_path: Path) -> None:
    (found,) = read(make(tmp_path / "model"), tmp_path, "The farmers' dogs walked slowly, near-by.").reads
    assert found.words is not None
    groups = [np.flatnonzero(row).tolist() for row in found.words.members]
    assert sorted(token for group in groups for token in group) == list(range(len(found.tokens)))
    for layer, weights in found.maps["attention"].layers.items():
        merged = found.maps["attention"].merged(found.words)[layer]
        np.testing.assert_allclose(merged, by_loops(weights, groups), atol=1e-6)
        np.testing.assert_allclose(merged.sum(-1), 1, atol=1e-5)


def test_words_of_byte_level_tokens_have_their_letters(tiny_gpt2: Path, tmp_path: Path) -> None:
    (found,) = read(tiny_gpt2, tmp_path, "Über den Fluß").reads
    assert found.words is not None
    # a token that is only a space is a place by itself
    assert [label for label in found.words.labels if label != SPACE] == ["Über", "den", "Fluß"]
    assert len(found.tokens) > len(found.words)


def test_both_texts_of_a_pair_have_words(tiny_bert: Path, tmp_path: Path) -> None:
    _, expected = own_attention(tiny_bert, "the dog sees", "a cat walked")
    (found,) = read(tiny_bert, tmp_path, "the dog sees", second=("a cat walked",)).reads
    np.testing.assert_allclose(found.maps["attention"].layers[0], expected[0], atol=1e-6)
    assert found.words is not None
    own = found.words.without_special()
    assert own.labels == ("the", "dog", "sees", "a", "cat", "walked")
    assert own.texts == (0, 0, 0, 1, 1, 1)


def test_a_word_that_the_limit_cuts_off_is_left_out(tiny_bert: Path, tmp_path: Path) -> None:
    given = [*options(tiny_bert, tmp_path), "extract.max_length=6"]
    (found,) = probing.look(SENTENCE, given).reads
    assert found.cut
    assert found.words is not None
    assert found.words.without_special().labels == ("the", "old", "farmer", "sold")


def test_special_tokens_are_marked(tiny_bert: Path, tmp_path: Path) -> None:
    (found,) = read(tiny_bert, tmp_path, SENTENCE).reads
    tokenizer = AutoTokenizer.from_pretrained(tiny_bert)
    names = [
        label for label, special in zip(found.tokens.labels, found.tokens.special, strict=True) if special
    ]
    assert names == [tokenizer.cls_token, tokenizer.sep_token]


def test_other_weights_come_next_to_attention(tiny_bert: Path, tmp_path: Path) -> None:
    def doubled(model: PreTrainedModel, inputs: Mapping[str, Any]) -> Mapping[int, Tensor]:
        return {layer: 2 * weights for layer, weights in of_maps.attention_maps(model, inputs).items()}

    look = read(tiny_bert, tmp_path, SENTENCE, maps={"doubled": doubled}, weights="doubled")
    (found,) = look.reads
    assert list(found.maps) == ["attention", "value-weighted", "doubled"]
    np.testing.assert_array_equal(found.maps["doubled"].layers[2], 2 * found.maps["attention"].layers[2])
    largest = max(each.max() for each in found.maps["doubled"].layers.values())
    assert found.maps["doubled"].top(found.tokens) == largest
    assert look.commands == ()
    assert '"doubled"' in look.html()


def test_the_scale_of_other_weights_ends_at_the_largest_of_its_level(tiny_bert: Path, tmp_path: Path) -> None:
    (found,) = read(tiny_bert, tmp_path, "a farmer's'n'dog's .").reads
    assert found.words is not None
    assert max(found.words.members.sum(1)) > 1
    weighted, attention = found.maps["value-weighted"], found.maps["attention"]
    groups = [np.flatnonzero(row).tolist() for row in found.words.members]
    of_words = max(by_loops(each, groups).max() for each in weighted.layers.values())
    of_tokens = max(each.max() for each in weighted.layers.values())
    assert weighted.top(found.tokens) == of_tokens
    assert weighted.top(found.words) == pytest.approx(of_words, rel=1e-6)
    assert of_words > 1.01 * of_tokens
    assert attention.top(found.tokens) == attention.top(found.words) == 1


def test_shares_are_parts_of_their_row(tiny_bert: Path, tmp_path: Path) -> None:
    (found,) = read(tiny_bert, tmp_path, SENTENCE).reads
    weighted = found.maps["value-weighted"]
    for layer, each in weighted.shares().layers.items():
        np.testing.assert_allclose(each.sum(-1), 1, atol=1e-5)
        np.testing.assert_allclose(
            each * weighted.layers[layer].sum(-1, keepdims=True), weighted.layers[layer], rtol=1e-5
        )
    nothing = Maps({0: np.zeros((1, 2, 2), dtype=np.float32)}, attention=False)
    assert (nothing.shares().layers[0] == 0).all()
    assert found.maps["attention"].shares() is found.maps["attention"]


def lacking(found: Read) -> float:
    return found.maps["attention"].lacking


def test_rows_that_sum_to_1_lack_nothing(tiny_bert: Path, tmp_path: Path) -> None:
    (found,) = read(tiny_bert, tmp_path, SENTENCE).reads
    assert lacking(found) < 1e-5


def test_a_text_with_too_many_weights_is_refused(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_maps, "LARGEST", 12 * 5 * 5)
    with pytest.raises(ProbingError, match=r"12 heads and 12 tokens .* extract.max_length=5"):
        read(tiny_bert, tmp_path, SENTENCE)
    assert (
        len(probing.look(SENTENCE, [*options(tiny_bert, tmp_path), "extract.max_length=5"]).reads[0].tokens)
        == 5
    )


def test_a_model_without_attention_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="no attention heads"):
        read(make_mamba(tmp_path / "mamba"), tmp_path, SENTENCE)


def test_weights_of_another_shape_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match=r"its odd is of shape \(2, 2\), but the text has 12 tokens"):
        read(tiny_bert, tmp_path, SENTENCE, maps={"odd": lambda model, inputs: {0: torch.ones(1, 2, 2)}})


def test_negative_weights_are_refused(tiny_bert: Path, tmp_path: Path) -> None:
    def signed(model: PreTrainedModel, inputs: Mapping[str, Any]) -> Mapping[int, Tensor]:
        return {layer: weights - 0.5 for layer, weights in of_maps.attention_maps(model, inputs).items()}

    with pytest.raises(ProbingError, match="layer 0: its signed has negative weights; return weights from 0"):
        read(tiny_bert, tmp_path, SENTENCE, maps={"signed": signed})


@pytest.mark.parametrize("kept", [slice(1), slice(0, 3)], ids=["layers", "heads"])
def test_weights_of_other_heads_are_refused(kept: slice, tiny_bert: Path, tmp_path: Path) -> None:
    def some(model: PreTrainedModel, inputs: Mapping[str, Any]) -> Mapping[int, Tensor]:
        layers = of_maps.attention_maps(model, inputs)
        return {0: layers[0]} if kept == slice(1) else {layer: each[kept] for layer, each in layers.items()}

    with pytest.raises(ProbingError, match="look: some has other layers or heads than attention; return all"):
        read(tiny_bert, tmp_path, SENTENCE, maps={"some": some})


def test_value_weighted_maps_of_other_heads_are_left_out(
    tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def first(model: PreTrainedModel, inputs: Mapping[str, Any]) -> Mapping[int, Tensor]:
        return {0: of_maps.attention_maps(model, inputs)[0]}

    (found,) = read(tiny_bert, tmp_path, SENTENCE, maps={"attention": first}).reads
    assert list(found.maps) == ["attention"]
    assert list(found.maps["attention"].layers) == [0]
    assert "no value-weighted attention: it has other layers or heads" in capsys.readouterr().err


def test_a_model_that_gives_no_attention_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(ProbingError, match="look: the model has no attention of its tokens"):
        read(tiny_bert, tmp_path, SENTENCE, maps={"attention": lambda model, inputs: {}})
