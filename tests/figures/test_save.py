"""What every picture has in common: its files, their bytes, and letters that can be read."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

import probing
from probing.figures.cells import ink_on
from probing.figures.save import Files, save_table
from probing.figures.style import LINES
from tests.figures import found
from tests.figures.frames import checkpoints, frame, top_heads, written

pytestmark = pytest.mark.slow

LEFT_OUT = found.of(found.ablation(), "leave_one_out", metric="accuracy")
Draw = Callable[[Path], Files]
PICTURES: dict[str, Draw] = {
    "grid": lambda path: written(probing.draw_grid(frame(), path)),
    "sheet": lambda path: written(probing.draw_sheet(pd.concat([frame(task="a"), frame(task="b")]), path)),
    "profiles": lambda path: written(probing.draw_profiles(frame(), path)),
    "top_heads": lambda path: written(probing.draw_top_heads(top_heads(), path)),
    "correlations": lambda path: written(
        probing.draw_correlations(pd.concat([frame(task="a"), frame(task="b")]), path)
    ),
    "trajectories": lambda path: written(probing.draw_trajectories(checkpoints(), path)),
    "importance": lambda path: written(probing.draw_sheet(found.importance(), path, value="value")),
    "ablation": lambda path: written(probing.draw_grid(LEFT_OUT, path, value="value")),
    "masking": lambda path: written(probing.draw_masking(found.masking(12), path)),
    "path": lambda path: written(probing.draw_path(found.gates(), path)),
    "comparison": lambda path: written(probing.draw_comparison(frame(seed=0), frame(seed=1), path)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_written_as_png_svg_pdf_and_table_with_the_same_bytes_twice(
    tmp_path: Path, name: str
) -> None:
    first = PICTURES[name](tmp_path / "one")
    assert [path.suffix for path in first] == [".png", ".svg", ".pdf", ".csv"]
    with mpl.rc_context({"pdf.fonttype": 3, "pdf.compression": 0, "font.size": 30}):
        second = PICTURES[name](tmp_path / "two")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    pdf = first.pdf.read_bytes()
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert len(pd.read_csv(first.csv)) > 0
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", first.svg.read_text())]
    assert min(sizes) >= 6
    assert all(node.text != "nan" for node in ET.parse(first.svg).iter())


def test_columns_in_which_nothing_stands_are_left_out_of_the_table(tmp_path: Path) -> None:
    path = save_table(pd.DataFrame({"layer": [0, 1], "head": [pd.NA, pd.NA]}), tmp_path / "qwen2.5")
    assert path.name == "qwen2.5.csv"
    assert path.read_text() == "layer\n0\n1\n"


def test_lines_differ_in_dashes_and_markers_too_and_stand_out_from_paper() -> None:
    assert len({dash for _, dash, _ in LINES}) == len({marker for _, _, marker in LINES}) == len(LINES)
    for colour, _, _ in LINES:
        red, green, blue = to_rgb(colour)
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.75
    assert ink_on(to_rgb("#000000")) == "#ffffff"
    assert all(one != other for (one, *_), (other, *_) in itertools.combinations(LINES, 2))


def test_a_path_may_be_a_string(tmp_path: Path) -> None:
    files = written(probing.draw_profiles(frame(), str(tmp_path / "profiles")))
    assert files.png == tmp_path / "profiles.png"
    assert all(path.exists() for path in files)


def test_a_side_that_is_no_baseline_is_named_so(tmp_path: Path) -> None:
    files = written(
        probing.draw_comparison(frame(), frame(seed=1).assign(seed=0, baseline="untrained"), tmp_path / "c")
    )
    svg = files.svg.read_text()
    assert "no baseline" in svg
    assert "the first" not in svg
