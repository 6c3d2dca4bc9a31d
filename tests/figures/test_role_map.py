"""The map of roles: a stripe for each role of a head, its letter, and a legend of the roles that occur."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from probing.errors import ProbingError
from probing.figures.role_map import draw_role_map
from probing.results.behaviours import LETTERS
from probing.results.schema import as_frame
from probing.results.text.role_text import roles_summary, roles_text
from tests.figures.frames import texts

ROLES = {(0, 0): "positional previous_token", (0, 1): "", (1, 0): "induction first_token", (1, 1): "broad"}


def frame(layers: int = 2, heads: int = 2, **columns: object) -> pd.DataFrame:
    """Two scores of every head."""
    rows: list[dict[str, object]] = [
        {
            "model": "tiny", "task": "grammar/tense", "analysis": "roles", "granularity": "head", "seed": 0,
            "baseline": "none", "metric": "share", "variant": variant, "layer": layer, "head": head,
            "n_heads": 1, "n_dev": 20, "value": 0.25 + 0.1 * layer + 0.2 * head, "value_low": 0.2,
            "value_high": 0.7, "chance": 0.1, "threshold": threshold, "main": True,
            "roles": ROLES.get((layer, head), ""), **columns,
        }
        for variant, threshold in (("positional", 0.3), ("confidence", None))
        for layer in range(layers)
        for head in range(heads)
    ]  # fmt: skip
    return as_frame(rows)


def test_a_cell_has_a_stripe_and_a_letter_for_each_role(tmp_path: Path) -> None:
    picture = draw_role_map(frame(), tmp_path / "map")
    axes = next(axes for axes in picture.axes if axes.get_label() == "grid")
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert len(boxes) == 2 + 1 + 2 + 1
    assert sorted(text.get_text() for text in axes.texts) == ["B", "F", "I", "L", "P"]
    assert len({to_hex(box.get_facecolor()) for box in boxes}) == 6
    assert picture.files is not None
    shown = texts(picture.files.svg)
    assert "I induction" in shown
    assert "no role" in shown
    assert "S syntactic" not in shown
    table = pd.read_csv(picture.files.csv)
    assert table["roles"].fillna("").tolist() == list(ROLES.values())


def test_many_heads_have_colours_without_letters() -> None:
    picture = draw_role_map(frame(40, 64))
    (axes,) = (axes for axes in picture.axes if axes.get_label() == "grid")
    assert not axes.texts


def test_rows_of_two_models_are_refused() -> None:
    with pytest.raises(ProbingError, match="model"):
        draw_role_map(pd.concat([frame(), frame(model="other")]))


def test_the_text_counts_heads_and_names_the_strongest() -> None:
    lines = roles_text(frame()).splitlines()
    assert lines[1].split() == [
        "positional",
        "0.30",
        "0.10",
        "3",
        "layer",
        "1",
        "head",
        "1",
        "0.55",
        "[0.20,",
        "0.70]",
    ]
    assert lines[2].split()[:2] == ["confidence", "0.10"]
    assert [line.split() for line in lines[4:7]] == [["layer", "0", "1"], ["1", "IF", "B"], ["0", "PL", "."]]
    assert roles_summary(frame()).startswith("heads of 4 with a role: positional 1, previous_token 1, ")
    assert roles_summary(frame()).endswith("; without 1")


def test_stacks_have_maps_of_their_own() -> None:
    both = pd.concat([frame(stack="encoder"), frame(stack="cross")], ignore_index=True)
    lines = roles_text(both).splitlines()
    assert {"encoder:", "cross:"} <= set(lines)
    assert len(LETTERS) == len(set(LETTERS.values()))
