"""Every figure is a matplotlib figure with its table and files, which a notebook shows and nothing keeps."""

from __future__ import annotations

import gc
import inspect
import io
import pickle
import sys
import weakref
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

import probing
from probing.errors import ProbingError
from probing.figures.picture import AgreementPictures, Picture
from probing.figures.pictures import draw_run, function_of
from probing.results.schema import as_frame
from tests.figures import found
from tests.figures.frames import checkpoints, frame, top_heads, written

pytestmark = pytest.mark.slow

TWO = pd.concat([frame(task="a"), frame(task="b")], ignore_index=True)
MEASURES = pd.concat([found.of(found.importance(), "per_example", normalisation=None), found.entropy()])
DRAWN: dict[str, Callable[[], Picture]] = {
    "grid": lambda: probing.draw_grid(frame()),
    "sheet": lambda: probing.draw_sheet(TWO),
    "profiles": lambda: probing.draw_profiles(frame()),
    "top_heads": lambda: probing.draw_top_heads(top_heads()),
    "correlations": lambda: probing.draw_correlations(TWO),
    "trajectories": lambda: probing.draw_trajectories(checkpoints()),
    "masking": lambda: probing.draw_masking(found.masking(12)),
    "path": lambda: probing.draw_path(found.gates()),
    "comparison": lambda: probing.draw_comparison(frame(seed=0), frame(seed=1)),
    "agreement": lambda: probing.draw_agreement(MEASURES).scatter,
    "rollout": lambda: probing.draw_rollout(["a", "b"], probing.rollout([np.full((1, 1, 2, 2), 0.5)])[0]),
}


def test_each_public_figure_is_drawn_below() -> None:
    public = {name.removeprefix("draw_") for name in dir(probing) if name.startswith("draw_")}
    assert public == set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_without_a_path_a_figure_is_returned_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    picture = DRAWN[name]()
    assert isinstance(picture, Figure)
    assert picture.files is None
    assert len(picture.table) > 0
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert not list(tmp_path.iterdir())
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_with_a_path_the_same_picture_is_written_and_its_table_is_the_csv(tmp_path: Path) -> None:
    picture = probing.draw_grid(frame(), tmp_path / "grid")
    read = pd.read_csv(written(picture).csv)
    assert read["test"].tolist() == pytest.approx(picture.table["test"].tolist())
    alone = probing.draw_grid(frame())
    assert [text.get_text() for text in alone.texts] == [text.get_text() for text in picture.texts]


def test_an_existing_file_of_an_explicit_path_is_overwritten_from_python(tmp_path: Path) -> None:
    first = written(probing.draw_grid(frame(), tmp_path / "grid")).png.read_bytes()
    assert written(probing.draw_grid(frame(test=0.9), tmp_path / "grid")).png.read_bytes() != first


def test_a_notebook_shows_the_whole_figure_in_the_style_of_the_files() -> None:
    picture = probing.draw_profiles(frame())
    with mpl.rc_context({"savefig.facecolor": "black", "figure.facecolor": "black"}):
        image = imread(io.BytesIO(picture._repr_png_()))
    corner = image[0, 0, :3]
    assert corner.tolist() == [1, 1, 1]
    # nothing is cut off: the outermost pixels are empty
    assert (image[[0, -1], :, :3] == 1).all()
    assert (image[:, [0, -1], :3] == 1).all()


def test_ipython_shows_it_without_pyplot() -> None:
    formatters = pytest.importorskip("IPython.core.formatters")
    data, _ = formatters.DisplayFormatter().format(probing.draw_grid(frame()))
    assert data["image/png"].startswith(b"\x89PNG")
    data, _ = formatters.DisplayFormatter().format(probing.draw_agreement(MEASURES))
    assert data["text/html"].count("data:image/png;base64,") == 2


def test_a_figure_that_nobody_holds_is_freed(tmp_path: Path) -> None:
    made: list[weakref.ref[Picture]] = []
    original = Picture.finish

    def finish(self: Picture, *args: object) -> Picture:
        made.append(weakref.ref(self))
        return original(self, *args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Picture, "finish", finish)
        for number in range(3):
            draw_run(frame(seed=number), tmp_path / str(number))
    gc.collect()
    assert len(made) == 3
    assert [reference() for reference in made] == [None] * 3


def test_a_figure_can_be_sent_to_another_process(tmp_path: Path) -> None:
    picture = pickle.loads(pickle.dumps(probing.draw_grid(frame(), tmp_path / "grid")))
    assert picture.files == written(probing.draw_grid(frame(), tmp_path / "grid"))
    pd.testing.assert_frame_equal(picture.table, probing.draw_grid(frame()).table)


def test_agreement_is_two_pictures_and_nine_files(tmp_path: Path) -> None:
    pictures = probing.draw_agreement(MEASURES, tmp_path / "a.png")
    assert isinstance(pictures, AgreementPictures)
    assert pictures.files is not None
    assert {path.name for path in pictures.files} == {path.name for path in tmp_path.iterdir()}
    assert len(pictures.files) == 9
    assert pictures.files[0] == tmp_path / "a.csv"
    assert pictures.table["rho"].tolist() == pytest.approx(pd.read_csv(pictures.files[0])["rho"].tolist())
    assert probing.draw_agreement(MEASURES).files is None


@pytest.mark.parametrize("body", ["probing.draw_grid(rows)", "probing.draw_grid(rows, path)"])
def test_a_function_from_outside_may_return_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    (tmp_path / "outside_picture.py").write_text(
        f"import probing\n\ndef draw(rows, path):\n    return {body}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "outside_picture", raising=False)
    files = function_of("outside_picture:draw")(frame(), tmp_path / "own", "head")
    assert [path.name for path in files] == ["own.png", "own.svg", "own.pdf", "own.csv"]
    assert all(path.is_file() for path in files)


def test_paths_are_optional_everywhere_and_columns_are_still_checked() -> None:
    for name in DRAWN:
        draw = getattr(probing, f"draw_{name}")
        assert inspect.signature(draw).parameters["path"].default is None
    with pytest.raises(ProbingError, match="draw_grid: rows"):
        probing.draw_grid(as_frame([]).drop(columns="test"))
