"""Many masks at once, begun in the middle, give what every mask gives alone in whole passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

from probing.ablations.evaluate import Answers, MaskedEvaluator
from probing.ablations.reference import reference_means
from probing.ablations.shortcut import find_shortcut
from probing.errors import ProbingError
from probing.models.masking import How, MeanOutputs, masked
from probing.objectives.classifier import Classifier
from probing.objectives.language import Language
from probing.objectives.objective import Evaluator, Objective
from probing.objectives.readout import Readout
from tests import tiny
from tests.objectives.made import ready_of, small, words

pytestmark = pytest.mark.slow

USES: dict[str, tuple[Callable[[Path], Path], Objective, str]] = {
    "readout of bert": (tiny.make_bert, Readout(), "first"),
    "readout of bert, mean": (tiny.make_bert, Readout(), "mean"),
    "readout of gpt2": (tiny.make_gpt2, Readout(), "last"),
    "readout of gpt2, max": (tiny.make_gpt2, Readout(), "max"),
    "readout of t5": (tiny.make_t5, Readout(), "mean"),
    "classifier": (tiny.make_classifier, Classifier(), "first"),
    "lm masked": (tiny.make_masked, Language(), "first"),
    "lm causal": (tiny.make_causal, Language(), "first"),
    "lm grouped-query": (tiny.make_llama, Language(), "first"),
    "lm bart": (tiny.make_bart, Language(), "first"),
    "lm t5": (tiny.make_t5, Language(), "first"),
}


def _ready(use: str, folder: Path, **options: str) -> Evaluator:
    make, objective, pooling = USES[use]
    return ready_of(make(folder), objective, small(), pooling=pooling, **options)  # type: ignore[arg-type]


def _alone(
    ready: Evaluator, masks: np.ndarray[tuple[int, int], np.dtype[np.bool_]], how: How, means: MeanOutputs
) -> Answers:
    """Every mask on its own, in whole passes over all examples, one batch after the other."""
    found = []
    for mask in masks:
        kept = torch.from_numpy(mask)[None]
        parts = []
        for batch in ready.batches("test"):
            with torch.no_grad(), masked(ready.model, ready.heads, kept, how, means):
                output = ready.run(batch)
            parts.append((batch.rows, output.loss.numpy(), output.answer.numpy()))
        rows, loss, answer = (np.concatenate(part) for part in zip(*parts, strict=True))
        found.append((loss[np.argsort(rows)], answer[np.argsort(rows)]))
    losses, answers = (np.stack(part) for part in zip(*found, strict=True))
    return Answers(np.sort(rows), losses, answers)


@pytest.mark.parametrize("use", USES)
def test_masks_together_are_masks_alone(use: str, tmp_path: Path) -> None:
    ready = _ready(use, tmp_path)
    n = len(ready.heads)
    masks = np.ones((n + 4, n), dtype=bool)
    masks[1 + np.arange(n), np.arange(n)] = False
    masks[-2:] = np.random.default_rng(0).random((2, n)) < 0.5
    masks[-3] = False
    means = reference_means(ready, 20)
    for how in ("zero", "mean"):
        expected = _alone(ready, masks, how, means)
        for shortcuts in (True, False):
            found = MaskedEvaluator(ready, how, means, threads=1, shortcuts=shortcuts).answers("test", masks)
            np.testing.assert_array_equal(found.rows, expected.rows)
            np.testing.assert_allclose(found.loss, expected.loss, rtol=2e-4, atol=1e-5)
            assert (found.answer == expected.answer).mean() > 0.999
        assert (np.abs(found.loss[1:] - found.loss[0]).max(1) > 0).all()
    with torch.inference_mode():
        assert find_shortcut(ready) is not None


@pytest.mark.parametrize("use", ["readout of bert", "classifier", "lm causal"])
def test_uniform_attention_is_evaluated_too(use: str, tmp_path: Path) -> None:
    ready = _ready(use, tmp_path, attention="eager")
    masks = np.ones((3, len(ready.heads)), dtype=bool)
    masks[1, 0], masks[2, 1:5] = False, False
    found = MaskedEvaluator(ready, "uniform", threads=1).answers("test", masks)
    expected = _alone(ready, masks, "uniform", {})
    np.testing.assert_allclose(found.loss, expected.loss, rtol=2e-4, atol=1e-5)
    zero = MaskedEvaluator(ready, threads=1).answers("test", masks)
    np.testing.assert_allclose(zero.loss[0], found.loss[0], rtol=1e-4)
    assert np.abs(zero.loss[1:] - found.loss[1:]).max() > 1e-5


@pytest.mark.parametrize("pooling", ["first", "last", "mean", "max"])
@pytest.mark.parametrize("tokens", [8, 96])
def test_words_of_one_token_do_not_mislead_about_those_of_several(
    pooling: str, tokens: int, tmp_path: Path
) -> None:
    """In a batch of words of one token their first, last and mean are the same."""
    task = words()
    ready = ready_of(tiny.make_bert(tmp_path), Readout(), task, pooling=pooling, tokens=tokens)  # type: ignore[arg-type]
    masks = ~np.eye(len(ready.heads), dtype=bool)
    found = MaskedEvaluator(ready, threads=1).answers("test", masks)
    expected = _alone(ready, masks, "zero", {})
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-4, atol=1e-6)
    shortcut = find_shortcut(ready)
    assert shortcut is not None
    assert (shortcut._lone is not None) is (pooling in ("first", "last"))


def test_a_head_that_has_its_layer_to_itself_is_its_only_one_already(tmp_path: Path) -> None:
    """Of one head a layer, only-one is the whole model; of two, only-one is without the other."""
    for heads in (1, 2):
        folder = tmp_path / str(heads)
        _bert(folder, heads)
        ready = ready_of(folder, Readout(), small())
        masks = np.ones((1 + 2 * heads, 2 * heads), dtype=bool)
        masks[1:] = ~np.eye(2 * heads, dtype=bool)
        without = MaskedEvaluator(ready, threads=1).answers("test", masks)
        only = np.ones_like(masks)
        for head in range(2 * heads):
            first = head // heads * heads
            only[1 + head, first : first + heads] = False
            only[1 + head, head] = True
        alone = MaskedEvaluator(ready, threads=1).answers("test", only)
        if heads == 1:
            np.testing.assert_array_equal(alone.loss[1:], alone.loss[[0, 0]])
        else:
            np.testing.assert_array_equal(alone.loss[1:], without.loss[[2, 1, 4, 3]])
            assert np.abs(alone.loss[1:] - alone.loss[0]).max() > 1e-6


def _bert(folder: Path, heads: int) -> None:
    config = BertConfig(
        vocab_size=len(tiny.WORDS) + 5, hidden_size=16, num_hidden_layers=2, num_attention_heads=heads,
        intermediate_size=16, max_position_embeddings=64, initializer_range=0.3,
    )  # fmt: skip
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    tiny._word_tokenizer(64).save_pretrained(folder)


def test_gates_that_are_no_mask_cannot_be_uniform(tmp_path: Path) -> None:
    ready = _ready("readout of bert", tmp_path, attention="eager")
    with pytest.raises(ProbingError, match="uniform"):
        MaskedEvaluator(ready, "uniform", threads=1).answers("dev", np.full((2, len(ready.heads)), 0.5))
