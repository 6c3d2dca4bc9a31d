"""The page in a real browser: it draws, links, filters and compares, and asks the network for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy.stats import spearmanr
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

import probing
from probing.results.effects import effect
from tests.figures import found
from tests.page.results import rows, score_of, top_rows, write

MINUS, RHO = "\N{MINUS SIGN}", "\N{GREEK SMALL LETTER RHO}"
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TASKS = ("test/alpha", "test/beta_with_a_name_as_long_as_names_are", "test/gamma<b>bold</b>")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three tasks by heads, one by layers and on control labels, a run of top heads, a damaged file."""
    root = tmp_path_factory.mktemp("several")
    for shift, task in enumerate(TASKS):
        config = {"task": {"name": task}, "seed": 1111, "note": "<i>not markup</i>"}
        write(root, rows(task, shift=shift), {"config": config, "created": "2026-01-01"})
    write(root, rows(TASKS[0], baseline="control", shift=9))
    write(root, rows(TASKS[0], heads=None, p_adjusted=0.01))
    write(root, top_rows(TASKS[0]))
    damaged = write(root, rows("test/damaged"))
    damaged.write_bytes(b"PAR1")
    return probing.report(root)


@pytest.fixture
def page(browser: WebDriver, several: Path) -> WebDriver:
    return opened(browser, several)


def opened(browser: WebDriver, path: Path) -> WebDriver:
    """The page, drawn; what the browser noted before is forgotten."""
    noted(browser, "browser")
    noted(browser, "performance")
    browser.get(path.resolve().as_uri())
    wait(browser, lambda: script(browser, "return document.documentElement.dataset.drawn"))
    return browser


def wait(browser: WebDriver, condition: Callable[[], Any]) -> Any:  # noqa: ANN401
    return WebDriverWait(browser, 30, poll_frequency=0.05).until(lambda _: condition())


def script(browser: WebDriver, code: str, *arguments: object) -> Any:  # noqa: ANN401
    return browser.execute_script(code, *arguments)


def noted(browser: WebDriver, kind: str) -> list[dict[str, Any]]:
    """What the browser has noted since it was last asked."""
    entries: list[dict[str, Any]] = browser.get_log(kind)  # type: ignore[no-untyped-call]
    return entries


def find(page: WebDriver, selector: str) -> WebElement:
    return page.find_element(By.CSS_SELECTOR, selector)


def all_texts(page: WebDriver, selector: str) -> list[str]:
    return [element.text for element in page.find_elements(By.CSS_SELECTOR, selector)]


def titles(page: WebDriver) -> list[str]:
    return all_texts(page, "#grids .card h3")


def drawn_values(page: WebDriver, selector: str) -> list[list[float]]:
    """What plotly was given to draw, once it is drawn."""
    code = "const plot = document.querySelector(arguments[0] + ' .draw'); return plot.data && plot.data[0].z"
    values: list[list[float]] = wait(page, lambda: script(page, code, selector))
    return values


def pick(page: WebDriver, field: str, *values: str) -> None:
    """Leave only some values of a field ticked, by clicks."""
    details = find(page, f"#pickers details[data-field='{field}']")
    details.find_element(By.TAG_NAME, "summary").click()
    details.find_element(By.XPATH, ".//button[text()='none']").click()
    for box in details.find_elements(By.CSS_SELECTOR, "input"):
        if box.get_attribute("value") in values:
            box.click()
    details.find_element(By.TAG_NAME, "summary").click()


def focus(page: WebDriver, selector: str) -> WebElement:
    element = find(page, selector)
    script(page, "arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", element)
    return element


def announced(page: WebDriver) -> str:
    return str(find(page, "#live").get_attribute("textContent"))


def errors(browser: WebDriver) -> list[str]:
    return [
        entry["message"] for entry in noted(browser, "browser") if entry["level"] in {"SEVERE", "WARNING"}
    ]


def requests(browser: WebDriver) -> list[str]:
    """The addresses that were asked for, but for the page's own and those within it."""
    events = (json.loads(entry["message"])["message"] for entry in noted(browser, "performance"))
    asked = (e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent")
    return [
        url for url in asked if not url.startswith(("data:", "blob:")) and not url.endswith("report.html")
    ]


def test_every_grid_is_drawn_with_the_scores_of_its_file(page: WebDriver) -> None:
    assert sorted(titles(page)) == sorted([*TASKS, TASKS[0]])
    z = drawn_values(page, "#grids .card:nth-child(1)")
    assert z == [[pytest.approx(score_of(r, c), abs=1e-5) for c in range(4)] for r in range(3)]
    assert (
        len(script(page, "return document.querySelector('#grids .card .draw').querySelectorAll('image')"))
        == 1
    )


def test_it_scrolls_through_without_an_error_or_a_request(browser: WebDriver, several: Path) -> None:
    page = opened(browser, several)
    for section in page.find_elements(By.CSS_SELECTOR, "main > section"):
        script(page, "arguments[0].scrollIntoView()", section)
    wait(page, lambda: script(page, "return document.getElementById('profile').data"))
    assert errors(page) == []
    assert requests(page) == []


def test_the_tooltip_tells_all_about_the_cell_that_is_pointed_at(page: WebDriver) -> None:
    plot = focus(page, "#grids .card:nth-child(1) .map")
    drawn_values(page, "#grids .card:nth-child(1)")
    cells = plot.find_element(By.CSS_SELECTOR, ".over")
    width = cells.size["width"]

    def pointed() -> str:  # from another cell, since the tooltip goes where the page still scrolls
        for away in (-int(width / 4), 0):
            ActionChains(page).move_to_element_with_offset(cells, int(width / 8) + away, 0).perform()
        return find(page, "#tip").text

    label = wait(page, pointed)
    test, control = score_of(1, 2), score_of(1, 2, 9)
    assert "layer 1, head 2" in label
    assert f"test {test:.1%}".replace("%", " %") in label
    assert f"[{100 * test - 5:.1f}, {100 * test + 5:.1f}]" in label
    assert f"dev {100 * test - 1:.1f} %" in label
    assert "majority 50.0 %" in label
    assert f"selectivity {100 * (test - control):+.1f} points".replace("-", MINUS) in label


def offset(page: WebDriver, within: str) -> float:
    """How far the cursor is from where plotly drew the last column."""
    code = """
        const at = (name) => document.querySelector(arguments[0] + name).getBoundingClientRect();
        return at(' .cursor').right - at(' .nsewdrag').right"""
    return float(script(page, code, within))


def test_arrow_keys_move_one_cursor_through_all_grids_and_say_where_it_is(page: WebDriver) -> None:
    drawn_values(page, "#grids .card:nth-child(3)")
    plot = focus(page, "#grids .card:nth-child(3) .map")
    plot.send_keys("b")
    best = announced(page)
    assert find(page, "#tip").text.splitlines() == best.split("; ")
    plot.send_keys(Keys.HOME, Keys.PAGE_DOWN)
    assert announced(page).startswith("layer 0, head 0; test ")
    plot.send_keys(Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert announced(page).startswith("layer 1, head 1; test ")
    plot.send_keys(Keys.END, Keys.ARROW_RIGHT)  # an edge holds
    assert announced(page).startswith("layer 1, head 3; test ")
    marks = script(
        page,
        "return [...document.querySelectorAll('#grids .map .cursor')]"
        ".map(mark => [mark.hidden, mark.style.left, mark.style.top])",
    )
    of_heads = [mark for mark in marks if mark[1] == "75%"]
    assert wait(page, lambda: abs(offset(page, "#grids .card")) < 2)
    script(page, "document.getElementById('difference').scrollIntoView()")
    drawn_values(page, "#difference")
    assert wait(page, lambda: abs(offset(page, "#difference")) < 2)
    assert len(of_heads) == 3
    assert {(hidden, top[:5]) for hidden, _, top in of_heads} == {(False, "33.33")}
    assert [False, "0%", of_heads[0][2]] in marks  # a whole layer
    plot.send_keys("B")
    assert announced(page) == best
    plot.send_keys(Keys.ESCAPE)
    assert not find(page, "#tip").is_displayed()


def test_enter_opens_the_configuration_behind_the_cell_and_escape_returns(page: WebDriver) -> None:
    plot = focus(page, "#grids .card:nth-child(1) .map")
    plot.send_keys(Keys.HOME, Keys.PAGE_DOWN, Keys.ENTER)
    dialog = find(page, "#details")
    assert dialog.is_displayed()
    assert find(page, "#details-title").text.startswith("layer 0, head 0 · test/alpha")
    assert "name: test/alpha" in find(page, "#config").text
    assert "note: <i>not markup</i>" in find(page, "#config").text
    assert "50.0 %" in find(page, "#facts").text
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()
    assert page.switch_to.active_element == plot


def test_names_are_text_and_never_markup(page: WebDriver) -> None:
    assert TASKS[2] in titles(page)
    assert not page.find_elements(By.CSS_SELECTOR, "main b, main i")


def test_pickers_leave_what_is_picked(page: WebDriver) -> None:
    pick(page, "task", TASKS[1], TASKS[2])
    assert sorted(titles(page)) == sorted(TASKS[1:])
    pick(page, "task", *TASKS)
    pick(page, "baseline", "control")
    assert titles(page) == [TASKS[0]]
    assert find(page, "#shown").text == "1 of 6 results shown: 1 of 5 grids, 0 of 1 curve"
    pick(page, "baseline")
    assert titles(page) == []
    assert find(page, "#none").is_displayed()
    pick(page, "baseline", "none")
    pick(page, "granularity", "layer")
    assert len(drawn_values(page, "#grids .card")[0]) == 1


def test_the_table_says_what_the_numbers_support_and_sorts(page: WebDriver) -> None:
    pick(page, "granularity", "head")
    body = all_texts(page, "#support tbody tr")
    assert len(body) == 3
    near = sum(score_of(r, c) - 0.05 <= 0.5 for r in range(3) for c in range(4))
    best = max((score_of(r, c), r, c) for r in range(3) for c in range(4))
    assert f"layer {best[1]}, head {best[2]}" in body[0]
    assert f"{100 * best[0]:.1f} % [{100 * best[0] - 5:.1f}, {100 * best[0] + 5:.1f}]" in body[0]
    assert f"{near} of 12" in body[0]
    assert "cells not above guessing" in all_texts(page, "#support thead th")
    heading = "#support thead th:nth-child(3)"
    find(page, f"{heading} button").click()
    assert find(page, heading).get_attribute("aria-sort") == "descending"
    scores = [float(text.split(" %")[0]) for text in all_texts(page, "#support tbody td:nth-child(3)")]
    assert scores == sorted(scores, reverse=True)


def test_two_grids_are_compared_as_scipy_compares_them(page: WebDriver) -> None:
    a, b = ([score_of(r, c, shift) for r in range(3) for c in range(4)] for shift in (0, 1))
    for name, task in (("a", TASKS[0]), ("b", TASKS[1])):
        select = Select(find(page, f"#{name}"))
        select.select_by_visible_text(f"{task} · tiny · heads")
    says = find(page, "#agreement").text
    assert "12 cells in common" in says
    assert f"{RHO} {spearmanr(a, b).statistic:.3f}" in says
    assert f"B {MINUS} A: {100 * (sum(b) - sum(a)) / 12:+.1f} points".replace("-", MINUS) in says
    focus(page, "#difference .map")
    z = drawn_values(page, "#difference")
    assert [value for row in z for value in row] == pytest.approx(
        [y - x for x, y in zip(a, b, strict=True)], abs=2e-5
    )
    find(page, "#swap").click()
    assert (
        f"B {MINUS} A: {100 * (sum(a) - sum(b)) / 12:+.1f} points".replace("-", MINUS)
        in find(page, "#agreement").text
    )
    select = Select(find(page, "#a"))
    select.select_by_visible_text(next(o.text for o in select.options if "whole layers" in o.text))
    assert "no cell in common" in find(page, "#agreement").text


def test_top_heads_are_a_list_and_a_curve(page: WebDriver) -> None:
    ranked = sorted(((score_of(r, c), r, c) for r in range(3) for c in range(4)), reverse=True)
    first = all_texts(page, "#top tbody tr:first-child td")
    assert first[:3] == ["1", f"layer {ranked[0][1]}, head {ranked[0][2]}", f"{100 * ranked[0][0]:.1f} %"]
    plot = find(page, "#curves .plot")
    script(page, "arguments[0].scrollIntoView({block: 'center'})", plot)
    names = wait(
        page, lambda: script(page, "return arguments[0].data && arguments[0].data.map(t => t.name)", plot)
    )
    wanted = {
        "top heads, test",
        "top heads, dev",
        "random heads",
        "permuted labels",
        "last layer (2)",
        "best layer (1)",
    }
    assert wanted < set(names)
    find(page, "#curves summary").click()
    assert all_texts(page, "#curves tbody tr:first-child td")[2] == "62.0 %"


def test_a_damaged_file_is_named_on_the_page(page: WebDriver) -> None:
    assert "tiny.test-damaged.head." in find(page, "#damaged").text


def test_dark_and_light_are_a_button_and_the_systems_choice(page: WebDriver) -> None:
    drawn_values(page, "#grids .card")
    paper = "return getComputedStyle(document.body).backgroundColor"
    ink = "return document.querySelector('#grids .draw .xtick text').style.fill"
    light = (script(page, paper), script(page, ink))
    assert find(page, "#theme").text == "Switch to dark"
    find(page, "#theme").click()
    assert find(page, "#theme").text == "Switch to light"
    assert find(page, "#theme").get_attribute("aria-pressed") == "true"
    wait(page, lambda: script(page, ink) != light[1])
    assert script(page, paper) != light[0]
    find(page, "#theme").click()
    system = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", system)
    wait(page, lambda: script(page, "return document.documentElement.dataset.theme") == "dark")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_the_page_says_what_it_counts(page: WebDriver) -> None:
    assert find(page, "#about").text.startswith("6 results of 6 runs in ")
    assert find(page, "#shown").text == "5 of 6 results shown: 4 of 5 grids, 1 of 1 curve"
    find(page, "#counted summary").click()
    said = find(page, "#counted").text
    for words in ("A run is one result file.", "A result is a grid", "counts the results that have it"):
        assert words in said
    find(page, "#pickers details[data-field='task'] summary").click()
    counts = all_texts(page, "#pickers details[data-field='task'] .count")
    assert counts == ["results", "4", "1", "1"]
    heads = [score_of(r, c) - 0.05 <= 0.5 for r in range(3) for c in range(4)]
    assert f"{sum(heads)} of 12 heads not above the majority, 50.0 %" in cards(page)[0]
    assert any("best of 3 layers" in text for text in cards(page))


@pytest.fixture
def phone(browser: WebDriver, several: Path) -> Iterator[WebDriver]:
    """The page in a window of the width of a phone."""
    size = {"width": 385, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield opened(browser, several)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_on_a_phone_every_control_is_within_the_window(phone: WebDriver) -> None:
    edges = """
        const kinds = ['button', 'select', 'summary', 'input'].map((kind) => `main ${kind}`);
        const there = [...document.querySelectorAll(`#theme, ${kinds}`)];
        const shown = there.filter((one) => one.checkVisibility() && !one.closest('.scroll'));
        return shown.map((one) => {
          const { left, right } = one.getBoundingClientRect();
          return [one.textContent, left, right];
        });"""
    there = script(phone, "return document.documentElement.clientWidth")
    controls = script(phone, edges)
    assert len(controls) > 20
    assert [control for control in controls if control[1] < 0 or control[2] > there] == []


def test_on_a_phone_the_lists_of_values_open_within_the_window(phone: WebDriver) -> None:
    inside = """
        const box = arguments[0].querySelector('fieldset').getBoundingClientRect();
        return box.left >= 0 && box.right <= document.documentElement.clientWidth"""
    pickers = phone.find_elements(By.CSS_SELECTOR, "#pickers details")
    assert len(pickers) >= 3
    for details in pickers:
        summary = details.find_element(By.TAG_NAME, "summary")
        summary.click()
        assert wait(phone, partial(script, phone, inside, details))
        wide, shown = script(
            phone, "const d = document.documentElement; return [d.scrollWidth, d.clientWidth]"
        )
        assert wide <= shown
        summary.click()


def test_on_a_phone_tables_scroll_inside_their_box(phone: WebDriver) -> None:
    box = "const box = document.querySelector('#support').parentElement; "
    wide, there = script(phone, box + "return [box.scrollWidth, box.clientWidth]")
    assert wide > there
    assert script(
        phone, "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


@pytest.mark.parametrize("width", [385, 400, 1000, 2200])
def test_nothing_is_wider_than_the_window(browser: WebDriver, several: Path, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    page = opened(browser, several)
    script(page, "document.getElementById('profile').scrollIntoView()")
    wait(page, lambda: script(page, "return document.getElementById('profile').data"))
    wide, there = script(page, "const d = document.documentElement; return [d.scrollWidth, d.clientWidth]")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= there


SMALL: dict[str, Any] = {"model": "tiny", "task": "test/small"}


@pytest.fixture(scope="module")
def analyses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid of probes beside all that analyses find about the same heads."""
    root = tmp_path_factory.mktemp("analyses")
    made = (found.importance, found.ablation, found.gates, found.entropy, found.prune)
    for rows_ in (rows(), *(make(**SMALL) for make in made), found.masking(12, **SMALL)):
        write(root, rows_)
    return probing.report(root)


def chosen(page: WebDriver, select: str, *words: str) -> None:
    """Choose the first option that has all words."""
    options = Select(find(page, select))
    text = next(o.text for o in options.options if all(f" {word} ·" in f" {o.text} ·" for word in words))
    options.select_by_visible_text(text)


def cards(page: WebDriver) -> list[str]:
    return all_texts(page, "#grids .card")


def test_analyses_and_variants_are_picked_and_shown_in_their_unit(browser: WebDriver, analyses: Path) -> None:
    page = opened(browser, analyses)
    pick(page, "analysis", "ablation")
    pick(page, "variant", "leave_one_out")
    pick(page, "metric", "accuracy")
    assert len(cards(page)) == 1
    assert "Δ accuracy (points)" in cards(page)[0]
    assert f"largest effect: layer 1, head 1: {MINUS}4.2 points [{MINUS}6.0, {MINUS}2.4]" in cards(page)[0]
    ablation = found.of(found.ablation(), "leave_one_out", metric="accuracy")
    z = drawn_values(page, "#grids .card")
    assert [value for row in z for value in row] == pytest.approx(
        (100 * ablation["value"]).tolist(), abs=1e-3
    )
    ends = script(
        page,
        "const t = document.querySelector('#grids .draw').data[0]; return [t.zmin, t.zmax, t.colorscale[2]]",
    )
    assert ends[0] == -ends[1]  # no difference is the middle of the colours
    plot = focus(page, "#grids .card .map")
    plot.send_keys("b")
    said = announced(page).split("; ")
    assert said[:3] == [
        "layer 1, head 1", f"Δ accuracy: {MINUS}4.2 points [{MINUS}6.0, {MINUS}2.4]", "rank 1 of 12",
    ]  # fmt: skip
    plot.send_keys(Keys.ENTER)
    assert "full model" in find(page, "#facts").text
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    pick(page, "analysis", "gates")
    pick(page, "metric", "gate")
    pick(page, "variant", "gate")
    pick(page, "penalty", "0.01")
    assert "gates open" in cards(page)[0]
    assert errors(page) == []


def test_a_probe_and_an_importance_are_compared_by_rank_alone(browser: WebDriver, analyses: Path) -> None:
    page = opened(browser, analyses)
    test = [score_of(r, c) for r in range(3) for c in range(4)]
    ablation = found.of(found.ablation(), "leave_one_out", metric="accuracy")
    chosen(page, "#a", "probe")
    chosen(page, "#b", "without this head", "accuracy")
    need = effect(ablation).tolist()
    says = find(page, "#agreement").text
    assert f"{RHO} {spearmanr(test, need).statistic:.3f}".replace("-", "-") in says
    assert "They share no scale" in says
    assert "mean difference" not in says
    focus(page, "#difference .map")
    ranks = [pd.Series(numbers).rank(ascending=False) for numbers in (test, need)]
    z = drawn_values(page, "#difference")
    assert [value for row in z for value in row] == (ranks[0] - ranks[1]).tolist()
    assert "ranks" in find(page, "#difference-title").text
    shapes = "return document.getElementById('scatter').layout.shapes.length"
    script(page, "document.getElementById('scatter').scrollIntoView({block: 'center'})")
    points = "const host = document.getElementById('scatter'); return host.data && host.data[0].y"
    assert wait(page, lambda: script(page, points)) == pytest.approx([100 * n for n in need], abs=1e-3)
    assert script(page, shapes) == 0  # no line of equals
    chosen(page, "#a", "alone in its layer", "accuracy")
    assert "mean difference" in find(page, "#agreement").text
    assert "points" in find(page, "#agreement").text
    assert errors(page) == []


def test_another_metric_has_its_own_colours_and_no_difference(browser: WebDriver, tmp_path: Path) -> None:
    write(tmp_path, rows("test/a"))
    write(tmp_path, rows("test/b", shift=2))
    graded = rows("test/c", shift=4, metric="pearson", majority=0.0)
    graded = graded.assign(test=graded["test"] - 0.6, test_low=graded["test_low"] - 0.6)
    write(tmp_path, graded.assign(test_high=graded["test_high"] - 0.6))
    write(tmp_path, rows("test/a", shift=6, limit=20, n_train=20))
    write(tmp_path, rows("test/a", shift=8, inner=True))
    page = opened(browser, probing.report(tmp_path))
    assert len(cards(page)) == 4  # but for what another run made on its way
    ends = "const t = document.querySelector(arguments[0] + ' .draw').data[0]; return [t.zmin, t.zmax]"
    number = 1 + next(place for place, text in enumerate(cards(page)) if "Pearson" in text)
    focus(page, f"#grids .card:nth-child({number}) .map")
    z = [value for row in drawn_values(page, f"#grids .card:nth-child({number})") for value in row]
    assert script(page, ends, f"#grids .card:nth-child({number})") == pytest.approx(
        [min(z), max(z)], abs=1e-5
    )
    low, high = script(page, ends, "#grids .card:nth-child(1)")
    assert 0.4 <= low < high <= 0.9
    assert "2 colour scales" in find(page, "#scales").text
    below = int((graded["test_high"] - 0.6 < 0).sum())
    assert f"{below} of them below it" in cards(page)[number - 1] or not below
    marks = script(
        page, "return document.querySelector(arguments[0]).data[1].marker.symbol",
        f"#grids .card:nth-child({number}) .draw",
    )  # fmt: skip
    assert marks.count("triangle-down") == int((graded["test_high"] - 0.6 < 0).sum())
    chosen(page, "#a", "test/b")
    chosen(page, "#b", "test/c")
    says = find(page, "#agreement").text
    assert "They share no scale, so only their ranks are compared" in says
    assert "mean difference" not in says
    assert "ranks" in find(page, "#difference-title").text
    pick(page, "limit", "20")
    assert len(cards(page)) == 1
    assert "n 20 train, 50 dev, 50 test; limit 20" in cards(page)[0]
    assert errors(page) == []


def test_masking_and_pruning_are_tables_and_all_sections_are_without_errors(
    browser: WebDriver, analyses: Path
) -> None:
    page = opened(browser, analyses)
    for section in page.find_elements(By.CSS_SELECTOR, "main > section"):
        script(page, "arguments[0].scrollIntoView()", section)
    assert len(all_texts(page, "#reports .card")) == 3
    pick(page, "analysis", "masking")
    assert all_texts(page, "#reports tbody tr:first-child td")[:2] == ["12", "83.2 %"]
    assert not find(page, "#none").is_displayed()
    assert not find(page, "#profile-section").is_displayed()
    pick(page, "analysis", "importance", "entropy")
    assert not find(page, "#support-section").is_displayed()
    body = all_texts(page, "#found tbody tr")
    assert len(body) == 7
    assert any("layer 1, head 1" in text and "0.0234 nats" in text for text in body)
    chosen(page, "#top-grid", "per example")
    assert all_texts(page, "#top tbody tr:first-child td")[:3] == ["1", "layer 1, head 1", "0.0234 nats"]
    assert errors(page) == []


def test_an_empty_folder_says_what_to_run(browser: WebDriver, tmp_path: Path) -> None:
    page = opened(browser, probing.report(tmp_path))
    assert find(page, "#empty").is_displayed()
    assert not find(page, "#main").is_displayed()
    assert f"probing paths.root={tmp_path}" in find(page, "#try").text
    assert errors(page) == []


def test_one_result_has_nothing_to_pick_or_compare(browser: WebDriver, tmp_path: Path) -> None:
    write(tmp_path, rows())
    page = opened(browser, probing.report(tmp_path))
    assert titles(page) == ["test/small"]
    assert not page.find_elements(By.CSS_SELECTOR, "#pickers details")
    assert not find(page, "#compare-section").is_displayed()
    assert errors(page) == []


def test_of_several_hundred_grids_only_those_in_sight_are_drawn(browser: WebDriver, tmp_path: Path) -> None:
    one = rows(layers=2, heads=2)
    write(tmp_path, pd.concat([one.assign(task=f"test/{number:03d}") for number in range(300)]))
    page = opened(browser, probing.report(tmp_path))
    count = "return document.querySelectorAll('#grids .js-plotly-plot').length"
    assert len(titles(page)) == 300
    assert 0 < script(page, count) < 60
    last = page.find_elements(By.CSS_SELECTOR, "#grids .map")[-1]
    script(page, "arguments[0].scrollIntoView()", last)
    wait(page, lambda: script(page, "return arguments[0].querySelector('.draw').data", last))
    assert script(page, count) < 120
    find(page, "#pickers input[type=search]").send_keys("test/04")
    assert titles(page) == [f"test/{number:03d}" for number in range(40, 50)]
    assert errors(page) == []
