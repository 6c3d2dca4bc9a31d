"""The page has all numbers, asks for nothing, and escapes what a text contains."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import probing
from probing.looking.look_page import STEPS, packed
from probing.looking.outcome import Look
from tests.looking.conftest import options

pytestmark = pytest.mark.slow


def data_of(look: Look) -> dict[str, Any]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', look.html(), re.DOTALL)
    data: dict[str, Any] = json.loads(found)
    return data


def test_weights_come_back_to_the_steps_of_their_scale(looked: Look) -> None:
    for number, text in enumerate(data_of(looked)["texts"]):
        read = looked.reads[number]
        own = text["maps"]["attention"]
        for unit, pieces in (("tokens", read.tokens), ("words", read.words)):
            assert pieces is not None
            n = len(pieces)
            assert text["levels"][unit]["labels"] == list(pieces.labels)
            numbers = np.frombuffer(base64.b64decode(own[unit]), "<u2").reshape(3, 4, n, n)
            merged = read.maps["attention"].merged(pieces)
            expected = np.stack([merged[layer] for layer in (0, 1, 2)])
            np.testing.assert_allclose(numbers * own["top"][unit] / STEPS, expected, atol=0.5 / STEPS + 1e-7)


def test_other_weights_of_words_are_not_cut_off_at_those_of_tokens(tiny_bert: Path, tmp_path: Path) -> None:
    look = probing.look("a farmer's'n'dog's .", options(tiny_bert, tmp_path))
    (read,), (text,) = look.reads, data_of(look)["texts"]
    own, maps = text["maps"]["value-weighted"], read.maps["value-weighted"]
    assert own["top"]["words"] > 1.01 * own["top"]["tokens"]
    for unit, pieces in (("tokens", read.tokens), ("words", read.words)):
        assert pieces is not None
        merged = maps.merged(pieces)
        expected = np.stack(list(merged.values()))
        numbers = np.frombuffer(base64.b64decode(own[unit]), "<u2").reshape(expected.shape)
        step = own["top"][unit] / STEPS
        np.testing.assert_allclose(numbers * step, expected, atol=0.5 * step + 1e-6)


def test_a_weight_above_the_scale_is_its_end(looked: Look) -> None:
    maps = looked.reads[0].maps["attention"]
    above = type(maps)({0: np.full((1, 12, 12), 1.0001, dtype=np.float32)}, attention=True)
    tokens = looked.reads[0].tokens
    assert above.top(tokens) == 1
    numbers = np.frombuffer(base64.b64decode(packed(above.merged(tokens), above.top(tokens))), "<u2")
    assert (numbers == STEPS).all()


def test_the_page_is_whole_and_the_same_again(looked: Look, tmp_path: Path) -> None:
    html = looked.html()
    assert html == looked.html()
    assert looked.write(tmp_path / "look.html").read_bytes() == html.encode()
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", html)
    assert "http://" not in html.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in html
    assert "default-src 'none'" in html


def test_texts_are_data_and_never_markup(looked: Look) -> None:
    assert "<b>dog" not in looked.html()
    assert data_of(looked)["texts"][1]["text"] == "The <b>dog</b> sees."


def test_arcs_are_a_row_for_each_head(parsed: Look) -> None:
    arcs = data_of(parsed)["texts"][0]["arcs"]["attention"]
    assert arcs["heads"] == [2, 2, 3, -1, 3, 3]
    found = parsed.arcs[0]["attention"].found
    for direction in ("dependent", "governor"):
        assert arcs["found"][direction] == [
            row for layer in range(3) for row in found[direction][layer].tolist()
        ]


def test_a_notebook_shows_the_page_in_a_frame(looked: Look) -> None:
    frame = looked._repr_html_()
    assert frame.startswith('<iframe srcdoc="&lt;!doctype html&gt;')
    assert frame.count('"') == 4
