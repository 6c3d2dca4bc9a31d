"""The page of a look in a real browser: every view is drawn, keys and pointer are followed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

import probing
from probing.looking.outcome import Look
from tests.looking.conftest import SENTENCE, options
from tests.tiny import make_gemma

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
Open = Callable[..., WebDriver]


@pytest.fixture
def opened(browser: WebDriver, tmp_path: Path) -> Open:
    """Write and open a look; what the browser noted before is forgotten."""

    def open_(look: Look, address: str = "") -> WebDriver:
        for kind in ("browser", "performance"):
            browser.get_log(kind)  # type: ignore[no-untyped-call]
        browser.get("about:blank")
        browser.get(look.write(tmp_path / "look.html").as_uri() + address)
        WebDriverWait(browser, 30, poll_frequency=0.05).until(
            lambda page: script(page, "return document.documentElement.dataset.drawn")
        )
        return browser

    return open_


def script(page: WebDriver, code: str, *arguments: object) -> Any:  # noqa: ANN401
    return page.execute_script(code, *arguments)


def text(page: WebDriver, selector: str) -> str:
    return str(page.find_element(By.CSS_SELECTOR, selector).get_attribute("textContent"))


def texts(page: WebDriver, selector: str) -> list[str]:
    return [str(each.get_attribute("textContent")) for each in page.find_elements(By.CSS_SELECTOR, selector)]


def press(page: WebDriver, *keys: str) -> None:
    page.find_element(By.TAG_NAME, "body").send_keys(*keys)


def problems(page: WebDriver) -> list[str]:
    log: list[dict[str, Any]] = page.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in log if entry["level"] in {"SEVERE", "WARNING"}]


def requests(page: WebDriver) -> list[str]:
    log: list[dict[str, Any]] = page.get_log("performance")  # type: ignore[no-untyped-call]
    events = [json.loads(entry["message"])["message"] for entry in log]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    return [
        url for url in asked if not url.startswith(("data:", "blob:", "about:")) and "look.html" not in url
    ]


def words_of(look: Look) -> Any:  # noqa: ANN401
    pieces = look.reads[0].words
    assert pieces is not None
    return pieces


def test_every_view_is_drawn_in_both_colours_without_the_network(
    opened: Open, looked: Look, parsed: Look
) -> None:
    for look in (looked, parsed):
        page = opened(look)
        views = [
            str(each.get_attribute("data-view"))
            for each in page.find_elements(By.CSS_SELECTOR, "#views button")
        ]
        assert views == list(look.views)
        for _ in range(2):
            for number, view in enumerate(views, start=1):
                press(page, str(number))
                assert (
                    page.find_element(By.CSS_SELECTOR, f"[data-view={view}]").get_attribute("aria-pressed")
                    == "true"
                )
                assert page.find_elements(By.CSS_SELECTOR, "#view svg, #view canvas")
                assert script(page, "return document.documentElement.scrollWidth <= innerWidth")
            page.find_element(By.ID, "theme").click()
        assert problems(page) == []
        assert requests(page) == []


def test_lines_are_the_weights_between_words(opened: Open, looked: Look) -> None:
    page = opened(looked.changed(view="lines"))
    weights = looked.reads[0].maps["attention"].merged(words_of(looked))[1][2]
    drawn = script(
        page,
        "return [...document.querySelectorAll('.lines line')].map((line) => "
        "[line.parentNode.dataset.i, line.dataset.j, line.getAttribute('stroke-opacity')].map(Number))",
    )
    found = np.array(drawn)
    assert len(found) == (weights >= 0.05).sum()
    np.testing.assert_allclose(
        found[:, 2], weights[found[:, 0].astype(int), found[:, 1].astype(int)], atol=6e-4
    )


def test_lines_of_other_weights_between_words_of_several_tokens_are_not_cut_off(
    opened: Open, tiny_bert: Path, tmp_path: Path
) -> None:
    look = probing.look(
        "a farmer's'n'dog's .", options(tiny_bert, tmp_path), view="lines", weights="value-weighted"
    )
    page = opened(look)
    merged = look.reads[0].maps["value-weighted"].merged(words_of(look))
    shares = merged[0][0] / max(each.max() for each in merged.values())
    drawn = script(
        page,
        "return [...document.querySelectorAll('.lines line')].map((line) => "
        "[line.parentNode.dataset.i, line.dataset.j, line.getAttribute('stroke-opacity')].map(Number))",
    )
    found = np.array(drawn)
    assert len(found) == (shares >= 0.05).sum()
    np.testing.assert_allclose(
        found[:, 2], shares[found[:, 0].astype(int), found[:, 1].astype(int)], atol=6e-4
    )


def test_faint_lines_are_darkened_by_the_scale_of_their_own_head(
    opened: Open, tiny_bert: Path, tmp_path: Path
) -> None:
    def faint(model: Any, inputs: Any) -> dict[int, torch.Tensor]:  # noqa: ANN401
        n = inputs["input_ids"].shape[1]
        weights = torch.full((model.config.num_attention_heads, n, n), 0.1)
        weights[1, 0, 0] = 4.0
        return dict.fromkeys(range(model.config.num_hidden_layers), weights)

    look = probing.look(
        "the dog sees .", options(tiny_bert, tmp_path), view="lines", head=0, maps={"faint": faint},
        weights="faint",
    )  # fmt: skip
    page = opened(look)
    assert texts(page, ".lines line") == []
    assert "up to 4.000 in all heads" in text(page, "#note")
    assert "The largest weight of this head is 0.100, so its lines are faint" in text(page, "#note")
    Select(page.find_element(By.ID, "scale")).select_by_value("own")
    opacity = script(
        page,
        "return [...document.querySelectorAll('.lines line')].map((line) => "
        "Number(line.getAttribute('stroke-opacity')))",
    )
    assert set(opacity) == {1}
    assert "up to 0.100 in this head" in text(page, "#note")
    assert "faint" not in text(page, "#note")
    assert problems(page) == []


def test_arrow_keys_move_from_head_to_head_and_the_command_follows(opened: Open, looked: Look) -> None:
    page = opened(looked.changed(view="matrix"))
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_UP)
    assert text(page, "#title") == "Layer 2, head 3 of tiny-bert"
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_UP)  # heads go round, layers end
    assert text(page, "#title") == "Layer 2, head 0 of tiny-bert"
    press(page, "w", "s", Keys.ARROW_DOWN)
    assert (
        text(page, "#command") == f"{looked.commands[0]} view=matrix layer=1 head=0 unit=tokens special=false"
    )
    assert "layer 1 head 0" in text(page, "#live")
    labels = texts(page, ".matrix text[data-query]")
    assert labels == [
        label
        for label, special in zip(looked.reads[0].tokens.labels, looked.reads[0].tokens.special, strict=True)
        if not special
    ]
    page.refresh()
    assert text(page, "#title") == "Layer 1, head 0 of tiny-bert"


def test_the_matrix_says_what_is_under_the_pointer(opened: Open, looked: Look) -> None:
    page = opened(looked.changed(view="matrix"))
    canvas = page.find_element(By.CSS_SELECTOR, ".matrix canvas")
    n = len(words_of(looked))
    size = canvas.size["width"]
    side = script(
        page, "return Number(document.querySelector('.matrix text[data-query]').getAttribute('x')) + 5"
    )
    cell = (size - 2 - side) / n
    row, column = 3, 5
    x, y = side + (column + 0.5) * cell - size / 2, side + (row + 0.5) * cell - canvas.size["height"] / 2
    ActionChains(page).move_to_element(canvas).move_to_element_with_offset(canvas, int(x), int(y)).perform()
    weight = looked.reads[0].maps["attention"].merged(words_of(looked))[1][2][row, column]
    labels = words_of(looked).labels
    assert texts(page, "#tip div") == [f"{labels[row]} → {labels[column]}", f"attention {weight:.3f}"]
    assert texts(page, ".matrix .on") == [labels[row], labels[column]]


def test_a_word_is_followed_from_the_keyboard(opened: Open, looked: Look) -> None:
    page = opened(looked.changed(view="lines"))
    press(page, "j", "j")
    labels = words_of(looked).labels
    row = looked.reads[0].maps["attention"].merged(words_of(looked))[1][2][1]
    best = int(row.argmax())
    assert text(page, "#row").startswith(f"{labels[1]} attends to {labels[best]} {row[best]:.3f} · ")
    assert texts(page, ".lines text.on") == [labels[1]]
    press(page, Keys.ESCAPE)
    assert text(page, "#row") == ""


def test_a_head_of_the_model_opens_with_a_click(opened: Open, looked: Look) -> None:
    page = opened(looked.changed(view="layer"))
    page.find_element(By.CSS_SELECTOR, ".small button[data-head='3']").click()
    assert text(page, "#title") == "Layer 1, head 3 of tiny-bert"
    assert text(page, "#view-title") == "Matrix"
    page.find_element(By.CSS_SELECTOR, "#heads rect[data-place='9']").click()
    assert text(page, "#title") == "Layer 2, head 1 of tiny-bert"


def test_arcs_are_right_and_wrong_as_counted(opened: Open, parsed: Look) -> None:
    page = opened(parsed)
    arcs = parsed.arcs[0]["attention"]
    for direction in ("dependent", "governor"):
        Select(page.find_element(By.ID, "direction")).select_by_value(direction)
        right = int(arcs.right(direction)[2][1])
        assert len(page.find_elements(By.CSS_SELECTOR, ".arcs path.right[data-w]")) == right
        assert len(page.find_elements(By.CSS_SELECTOR, ".arcs path.gold[data-w]")) == 5
        assert f"finds {right} of 5 governors" in text(page, "#says")
    assert texts(page, ".arcs text.relation")[3] == "root"


def test_examples_show_their_text_in_both_planes(opened: Open, looked: Look) -> None:
    page = opened(looked.changed(view="semantic"))
    semantic = looked.semantic
    assert semantic is not None
    assert len(page.find_elements(By.CSS_SELECTOR, ".planes svg")) == 2
    first = page.find_element(By.CSS_SELECTOR, ".planes .point[data-k='7']")
    script(
        page, "arguments[0].dispatchEvent(new MouseEvent('mouseenter', { clientX: 9, clientY: 9 }))", first
    )
    assert texts(page, "#tip div") == [semantic.labels[7], semantic.units[7][0].text]
    assert len(page.find_elements(By.CSS_SELECTOR, ".point.on")) == 2
    assert f"test accuracy {semantic.heads[1, 2].score:.3f}" in text(page, "#says")
    press(page, Keys.ARROW_LEFT)
    assert f"test accuracy {semantic.heads[1, 1].score:.3f}" in text(page, "#says")


def test_texts_are_shown_and_never_read_as_markup(opened: Open, looked: Look) -> None:
    page = opened(looked, "#view=lines&text=1")
    assert text(page, "#about") == "The <b>dog</b> sees."
    assert not page.find_elements(By.CSS_SELECTOR, "#about b")
    press(page, "n")
    assert text(page, "#about") == looked.reads[0].passage.text


def test_a_narrow_screen_scrolls_within_the_picture(opened: Open, looked: Look) -> None:
    page = opened(looked)
    size = page.get_window_size()
    try:
        page.set_window_size(420, 900)
        for number in range(1, 6):
            press(page, str(number))
            assert script(page, "return document.documentElement.scrollWidth <= innerWidth"), number
    finally:
        page.set_window_size(size["width"], size["height"])


def test_the_entropy_of_a_row_is_a_share_of_what_it_can_see(opened: Open, tmp_path: Path) -> None:
    model = make_gemma(tmp_path / "model")  # layer 0 sees a window of 4 tokens, layer 1 all earlier ones
    look = probing.look(SENTENCE, options(model, tmp_path))
    says = text(opened(look), "#heads-says")
    expected = []
    for layer, window in ((0, 4), (1, 99)):
        for head in look.reads[0].maps["attention"].layers[layer].astype(np.float64):
            nats = -(head * np.log(np.maximum(head, 1e-30))).sum(1)[1:]
            expected.append((nats / np.log(np.minimum(np.arange(2, len(head) + 1), window))).mean())
    assert f"from {min(expected):.2f} (dark) to {max(expected):.2f} (bright)" in says
