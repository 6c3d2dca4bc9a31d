"""Time to open the page of a look in a browser: 12 x 12 heads, 60 tokens, until the picture is drawn.

    python experiments/benchmarks/look_page.py

The time is measured by the browser, from the start of navigation, for every view that a single text has.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from selenium.webdriver.support.ui import WebDriverWait
from transformers import BertConfig, BertModel

import probing
from experiments.benchmarks.report import write_report
from tests.page.browser import open_browser
from tests.tiny import WORDS, make_bert

LAYERS = HEADS = 12
_DRAWN = "return document.documentElement.dataset.drawn"
VIEWS = ("model", "layer", "matrix", "lines")


def main() -> None:
    """Write the page of a random model, open it in each view several times, and report the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--root", type=Path, default=Path("outputs"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(Path(folder) / "model", options.tokens)
        words = [WORDS[place % len(WORDS)] for place in range(options.tokens - 2)]
        given = ["model=hf", f"model.name={model}", f"paths.root={folder}"]
        started = time.perf_counter()
        looked = probing.look(" ".join(words), given, layer=0, head=0)
        read = time.perf_counter() - started
        assert len(looked.reads[0].tokens) == options.tokens
        started = time.perf_counter()
        page = looked.write(Path(folder) / "look.html")
        written, size = time.perf_counter() - started, page.stat().st_size
        drawn = {view: open_page(page, view, Path(folder), options.rounds) for view in VIEWS}
    figures = {
        "heads": f"{LAYERS} x {HEADS}",
        "tokens": options.tokens,
        "page_megabytes": round(size / 1e6, 2),
        "seconds_to_read": round(read, 2),
        "seconds_to_write": round(written, 2),
        "milliseconds_until_drawn": {view: statistics.median(times) for view, times in drawn.items()},
        "rounds": drawn,
    }
    write_report(options.root, "look_page", figures)


def make_model(folder: Path, tokens: int) -> Path:
    """Save a random BERT of 12 layers of 12 heads of size 8, with a tokenizer whose words are tokens."""
    make_bert(folder, positions=tokens)
    config = BertConfig(
        vocab_size=len(WORDS) + 5,
        hidden_size=8 * HEADS,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=96,
        max_position_embeddings=tokens,
        initializer_range=0.2,  # attention that differs between words
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    return folder


def open_page(page: Path, view: str, folder: Path, rounds: int) -> list[int]:
    """Open the page in a fresh browser of 1400 x 1000 pixels several times.

    Returns:
        Milliseconds from navigation until the picture is drawn, of each round.
    """
    found = []
    for number in range(rounds):
        with open_browser(folder / f"profile-{view}-{number}") as browser:
            browser.get(f"{page.resolve().as_uri()}#view={view}&layer=5&head=5")
            until = WebDriverWait(browser, 30).until(lambda opened: opened.execute_script(_DRAWN))
            found.append(int(until))
    return found


if __name__ == "__main__":
    main()
