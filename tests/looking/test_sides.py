"""The decoder and the cross-attention of an encoder-decoder model, looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.text import Text
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

import probing
from probing.errors import ProbingError
from probing.figures.picture import Picture
from probing.looking.outcome import Look
from tests.looking.conftest import SENTENCE, options
from tests.looking.test_maps import by_loops
from tests.tiny import make_bart, make_t5

pytestmark = pytest.mark.slow


def texts_of(picture: Picture) -> list[str]:
    """All words of a picture."""
    return [found.get_text() for found in picture.findobj(Text)]


def read(folder: Path, root: Path, stack: str, text: str = SENTENCE) -> Look:
    return probing.look(text, options(folder, root), stack=stack)


@pytest.mark.parametrize("make", [make_t5, make_bart])
@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
def test_maps_are_those_that_the_model_returns(
    stack: str, make: Callable[[Path], Path], tmp_path: Path
) -> None:
    folder = make(tmp_path / "model")
    text = "the farmers' dogs walk near-by ."
    look = read(folder, tmp_path, stack, text)
    (found,) = look.reads
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = tokenizer(text, return_tensors="pt").input_ids
    shifted = model.prepare_decoder_input_ids_from_labels(ids)
    with torch.no_grad():
        output = model(input_ids=ids, decoder_input_ids=shifted, output_attentions=True)
    assert list(found.maps) == ["attention", "value-weighted"]
    for layer, weights in enumerate(output[f"{stack}_attentions"]):
        np.testing.assert_allclose(found.maps["attention"].layers[layer], weights[0], atol=1e-6)
    tokens = tuple(tokenizer.convert_ids_to_tokens(ids[0]))
    words = ("[CLS]", "the", "farmers", "'", "dogs", "walk", "near", "-", "by", ".", "[SEP]")
    if stack == "decoder":  # it reads its start token first, and does not read the last token
        tokens, words = ("<start>", *tokens[:-1]), ("<start>", *words[:-1])
    assert found.tokens.labels == tokens
    assert found.words is not None
    assert found.words.labels == words
    groups = [np.flatnonzero(row).tolist() for row in found.words.members]
    assert sorted(token for group in groups for token in group) == list(range(len(tokens)))
    for layer, weights in found.maps["attention"].layers.items():
        merged = found.maps["attention"].merged(found.words)[layer]
        np.testing.assert_allclose(merged, by_loops(weights, groups), atol=1e-6)
        np.testing.assert_allclose(merged.sum(-1), 1, atol=1e-5)


def test_pages_and_pictures_say_what_attends_to_what(tmp_path: Path) -> None:
    folder = make_bart(tmp_path / "model")
    look = read(folder, tmp_path, "cross")
    assert "cross-attention heads" in repr(look)
    assert '"query":"decoder predicts"' in look.html().replace('": "', '":"')
    lines = texts_of(look.draw("lines"))
    assert {"cross-attention layer 0 head 0", "decoder predicts", "encoder reads"} <= set(lines)
    for view, title in (("matrix", "cross-attention layer 0 head 0"), ("model", "all cross-attention heads")):
        written = texts_of(look.draw(view))
        assert title in written
        assert "rows are what the decoder predicts" in " ".join(written)
    assert {"attends", "is attended to"} <= set(texts_of(read(folder, tmp_path, "decoder").draw("lines")))


def test_the_command_of_a_picture_names_the_stack(tmp_path: Path) -> None:
    folder = make_bart(tmp_path / "model")
    look = probing.look("the dog", options(folder, tmp_path), stack="decoder")
    assert "stack=decoder" in look.commands[0]


def test_dependencies_are_found_in_every_stack(treebank: Path, tmp_path: Path) -> None:
    given = [*options(make_t5(tmp_path / "model"), tmp_path), f"task.path={treebank}"]
    for stack, later in (("encoder", 0), ("decoder", 1), ("cross", 0)):
        look = probing.look(overrides=given, sentence=0, stack=stack, view="arcs")
        arcs, words = look.arcs[0]["attention"], look.reads[0].words
        assert words is not None
        own = [words.labels[place] for place in arcs.words]
        assert own == ["the", "old", "farmer", "sold", "ahorse", "."]
        assert arcs.words[0] == 1 + later  # after [CLS], or after the start token and [CLS]
        assert {layer: found.shape for layer, found in arcs.found["dependent"].items()} == {
            0: (4, 6),
            1: (4, 6),
        }


def test_what_has_no_such_stack_is_refused(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(ProbingError, match=r"stack=cross: .* has one stack of layers; leave out stack="):
        read(tiny_bert, tmp_path, "cross")
    with pytest.raises(ProbingError, match=r"stack=decodr is unknown; did you mean decoder"):
        read(tiny_bert, tmp_path, "decodr")
    given = [*options(make_t5(tmp_path / "t5"), tmp_path), "task=grammar/tense"]
    with pytest.raises(ProbingError, match=r"stack=decoder: the examples of a task are vectors of the enc"):
        probing.look(overrides=given, stack="decoder")
