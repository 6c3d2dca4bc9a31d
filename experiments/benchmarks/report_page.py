"""Time to open the page of results in a browser: 50 grids of 24 x 16, until the first are drawn.

    python experiments/benchmarks/report_page.py

The time is measured by the browser, from the start of navigation. The text of the page appears much sooner.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from selenium.webdriver.support.ui import WebDriverWait

import probing
from experiments.benchmarks.report import write_report
from probing.results.schema import as_frame
from probing.results.store import ResultStore
from tests.page.browser import open_browser

LAYERS, HEADS = 24, 16


def main() -> None:
    """Write the results and the page, open it several times, and report the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.grids):
            write_grid(Path(folder), number)
        started = time.perf_counter()
        page = probing.report(folder)
        written = time.perf_counter() - started
        opened = [open_page(page, Path(folder) / f"profile-{number}") for number in range(options.rounds)]
        size = page.stat().st_size
    figures = {
        "grids": f"{options.grids} of {LAYERS} x {HEADS}",
        "page_megabytes": round(size / 1e6, 2),
        "seconds_to_write": round(written, 2),
        "milliseconds_until_text": statistics.median(text for text, _ in opened),
        "milliseconds_until_drawn": statistics.median(drawn for _, drawn in opened),
        "rounds": opened,
    }
    write_report(options.root, "report_page", figures)


def write_grid(root: Path, number: int) -> None:
    """Write one result file with every column of scores."""
    rng = np.random.default_rng(number)
    key = f"{number:016x}"
    rows: list[dict[str, object]] = []
    for layer in range(LAYERS):
        for head in range(HEADS):
            test = float(rng.uniform(0.4, 0.9))
            rows.append(
                {
                    "analysis": "probe", "model": "large", "task": f"task/{number}", "granularity": "head",
                    "pooling": "first", "probe": "logistic", "seed": 1, "baseline": "none", "layer": layer,
                    "head": head, "n_heads": 1, "metric": "accuracy", "dev": test + float(rng.normal()) / 50,
                    "test": test, "test_low": test - 0.04, "test_high": test + 0.04, "p": 0.01,
                    "p_adjusted": float(rng.uniform()), "n_train": 1000, "n_dev": 500, "n_test": 500,
                    "n_classes": 2, "majority": 0.5, "key": key,
                }
            )  # fmt: skip
    ResultStore(root / "results", key, f"large.{number}").write(as_frame(rows), {})


def open_page(page: Path, profile: Path) -> tuple[int, int]:
    """Open the page in a fresh browser of 1400 x 1000 pixels.

    Returns:
        Milliseconds from navigation until the text appears, and until the visible grids are drawn.
    """
    with open_browser(profile) as browser:
        browser.get(page.resolve().as_uri())
        drawn = "return document.documentElement.dataset.drawn"
        until = WebDriverWait(browser, 30).until(lambda found: found.execute_script(drawn))
        return int(browser.execute_script("return document.documentElement.dataset.readable")), int(until)


if __name__ == "__main__":
    main()
