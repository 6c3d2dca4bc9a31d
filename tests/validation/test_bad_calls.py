"""Wrong calls from Python: each raises a ProbingError of one line, and writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel

import probing
from probing.errors import ProbingError
from probing.results.load import Predictions
from tests.figures.frames import checkpoints, frame, top_heads

pytestmark = pytest.mark.slow

OF_FRAMES = (
    "grid", "correlations", "stability", "layer_profile", "centre_of_mass", "concentration", "measures",
    "agreement",
)  # fmt: skip
WITH_VALUES = ("grid", "correlations", "stability", "layer_profile", "centre_of_mass")
DRAWN = {
    "draw_grid": "one", "draw_sheet": "one", "draw_profiles": "one", "draw_top_heads": "top",
    "draw_correlations": "two", "draw_trajectories": "steps",
}  # fmt: skip
OTHER_PICTURES = ("draw_masking", "draw_path", "draw_agreement")
READING = (
    "load_results",
    "load_predictions",
    "load_representations",
    "load_published",
    "load_pruned",
    "report",
)
OF_MODELS = {
    "find_sites": (), "head_importance": ([],), "mask_heads": ([(0, 0)],), "prune_heads": ({0: [0]},),
    "mean_outputs": ([],), "capture": ([], print), "edit": ([], print), "save_pruned": ("saved",),
}  # fmt: skip

Call = tuple[str, tuple[Any, ...], dict[str, Any]]


class Place:
    """Stands in the table for an argument that the fixture `things` has by this name."""

    def __init__(self, name: str) -> None:
        """Remember the name."""
        self.name = name

    def __repr__(self) -> str:
        """As the table shows it."""
        return self.name


ONE, TWO, EMPTY, TOP, STEPS, MODEL, KEPT, SITES = map(
    Place, ("one", "two", "empty", "top", "steps", "model", "kept", "sites")
)
MATRIX, WITHOUT_LAYER, WITHOUT_METRIC = map(Place, ("matrix", "without_layer", "without_metric"))


def call(name: str, *args: Any, **kwargs: Any) -> Call:  # noqa: ANN401
    """One call of the table."""
    return name, args, kwargs


def of_frames() -> Iterator[Call]:
    """Calls that take rows of results."""
    for name in OF_FRAMES:
        frames: list[Any] = [None, 5, "x", [], EMPTY, WITHOUT_LAYER, pd.DataFrame({"a": [1]})]
        yield from (call(name, bad) for bad in frames)
    for name in WITH_VALUES:
        yield from (call(name, TWO, value=bad) for bad in ("model", "nope", None, ["test"], 5))
    for name in ("correlations", "stability"):
        yield from (call(name, TWO, by=bad) for bad in ("nope", None, 5, ["task"]))
    asked: list[dict[str, Any]] = [
        {"task": "x"}, {"taks": "a"}, {"task": ["a"]}, {"layer": [0]}, {"task": {"a"}}, {"layer": ONE}, {},
    ]  # fmt: skip
    yield from (call("grid", TWO, **where) for where in asked)
    yield from (call("linkage", bad) for bad in (None, TWO, pd.DataFrame(), pd.DataFrame({"a": ["x", "y"]})))
    yield from (call("clusters", MATRIX, bad) for bad in (0, 5, "2", None, 1.5))
    for bad in (None, 5, "x", EMPTY, TWO):
        yield from (call("compare", ONE, bad), call("compare", bad, ONE))
    yield from (call("compare", ONE, ONE, value="model"), call("centre_of_mass", ONE, of="x"))
    yield from (call("centre_of_mass", ONE, of=None), call("layer_profile", ONE, relative="x"))
    yield from (call("agreement", TWO, draws=bad) for bad in (0, "x", None, 1.5))
    yield from (call("agreement", TWO, seed=bad) for bad in (-1, 2**32, None))
    yield call("grid")


def of_pictures() -> Iterator[Call]:
    """Calls that draw."""
    for name in (*DRAWN, *OTHER_PICTURES):
        yield from (call(name, bad, "p") for bad in (None, 5, EMPTY, WITHOUT_METRIC))
        yield from (call(name, ONE, bad) for bad in (["p"], 5, "", b"x", "a\0b"))
    for name, rows in DRAWN.items():
        yield from (call(name, Place(rows), "p", value=bad) for bad in ("model", "nope", None, ["test"]))
    for bad in (None, 5, EMPTY):
        yield from (call("draw_comparison", ONE, bad, "p"), call("draw_comparison", bad, ONE, "p"))
    yield from (call("draw_comparison", ONE, ONE, bad) for bad in (5, ""))
    yield from (call("draw_grid", ONE, bad) for bad in ("file/p", "taken.png", "x" * 300))
    yield from (call("draw_grid", ONE, "p", order=bad) for bad in ("x", None, 1))
    yield from (call("draw_correlations", TWO, "p", by=bad) for bad in ("x", None))


def of_folders() -> Iterator[Call]:
    """Calls that read what runs have written."""
    for name in READING:
        folders: list[Any] = [None, 5, "nowhere", "", [], "file", "a\0b", b"x"]
        yield from (call(name, bad) for bad in folders)
    yield from (call("load_representations", ".", layer=bad) for bad in ("x", [0], 1.5))
    yield from (call("load_representations", ".", head=bad) for bad in ("x", True))
    yield from (call("load_representations", ".", partner=3), call("load_representations", ".", frame=None))
    yield from (call("load_representations", ".", modell="x"), call("load_predictions", ".", nope=3))
    yield from (call("report", ".", out=bad) for bad in (5, "folder", "file/x.html", ""))


def of_runs() -> Iterator[Call]:
    """Calls of `run`, and of what takes its answers."""
    bad_words = (None, "task=x", [1], 5, {"a": 1}, [None], ["a\0=1"], ["\ud800=1"], [["a"]], [b"seed=1"])
    yield from (call("run", bad) for bad in bad_words)
    yield from (call("run", ["task=table"], data=bad) for bad in ("x", 5, [1], {"a": [1]}, EMPTY))
    yield from (call("run", [], data=ONE), call("run", nope=1), call("run", ["task=table"]))
    for name in ("compare_heads", "like_best"):
        yield from (call(name, bad) for bad in (None, 5, ONE))
    for name, values in {
        "against": ("x", None, (0,), (0, 99), 5), "metric": ("x", "pearson"), "average": ("x",),
        "draws": (0, "x"), "seed": (-1,),
    }.items():  # fmt: skip
        yield from (call("compare_heads", KEPT, **{name: bad}) for bad in values)
    yield from (call("like_best", KEPT, level=bad) for bad in ("x", 2, None))
    two, three = np.zeros((2, 3), dtype=np.int64), np.zeros(3, dtype=np.int64)
    for answers, gold in (
        (None, three),
        (two, None),
        (two, three[:2]),
        (three, three),
        ([[1]], [1]),
        (two[:, :0], three[:0]),
    ):
        yield call("permutation_p", answers, gold, "accuracy")
    yield from (
        call("permutation_p", two, three, "x"),
        call("permutation_p", two, three, "accuracy", draws=0),
    )


def of_models() -> Iterator[Call]:
    """Calls that take a model."""
    for name, rest in OF_MODELS.items():
        yield from (call(name, bad, *rest) for bad in (None, 5, "x", torch.nn.Linear(2, 2)))
    for heads in (None, 5, "x", [5], [(0,)], [(0, 99)], [(99, 0)], [("a", 0)], [(-1, 0)], [(0, 1.5)], [None]):
        yield call("mask_heads", MODEL, heads)
    wrong: list[dict[str, Any]] = [
        {"how": "x"}, {"how": None}, {"how": "mean"}, {"how": "mean", "means": 3}, {"stack": "x"},
        {"how": "mean", "means": {}}, {"inputs": 3}, {"inputs": {"x": 3}},
    ]  # fmt: skip
    for settings in wrong:
        yield call("mask_heads", MODEL, [(0, 0)], **settings)
    for several in (
        None,
        5,
        "x",
        [5],
        {0: 5},
        {"a": [0]},
        {0: [99]},
        {99: [0]},
        {0: ["a"]},
        {0: None},
        {-1: [0]},
    ):
        yield call("prune_heads", MODEL, several)
    yield from (call("prune_heads", MODEL, {0: [0]}, stack=bad) for bad in ("x", 3))
    for losses in (None, 5, "x", [], [5], [lambda: 5], [lambda: torch.zeros(2)]):
        yield call("head_importance", MODEL, losses)
    yield from (call("mean_outputs", MODEL, bad) for bad in (None, 5, [], [5], [{"x": 1}]))
    yield from (call("capture", MODEL, bad, print) for bad in (None, 5, "x", [5]))
    yield from (call("capture", MODEL, SITES, None), call("edit", MODEL, SITES, None))
    yield from (call("find_sites", MODEL, bad) for bad in (5, "x", {"x": 1}))
    yield from (call("save_pruned", MODEL, bad) for bad in (None, "file", "file/x", ""))
    yield call("save_pruned", MODEL, "saved", 5)


TABLE = [*of_frames(), *of_pictures(), *of_folders(), *of_runs(), *of_models()]


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> dict[str, Any]:
    """The values of the table's placeholders, and `home`, a folder with a file and two folders."""
    home = tmp_path_factory.mktemp("calls")
    (home / "file").write_text("no folder")
    for name in ("folder", "taken.png"):
        (home / name).mkdir()
    one, two = frame(), pd.concat([frame(task="a"), frame(task="b")])
    model = AutoModel.from_pretrained(tiny_bert)
    answers = np.zeros((len(one), 50), dtype=np.int64)
    return {
        "home": home, "one": one, "two": two.assign(value=1.0), "empty": one.iloc[:0], "top": top_heads(),
        "steps": checkpoints(), "matrix": probing.correlations(two), "model": model,
        "without_layer": one.drop(columns="layer"), "without_metric": one.drop(columns="metric"),
        "kept": Predictions(one.reset_index(drop=True), answers, np.arange(50) % 2),
        "sites": probing.find_sites(model).heads,
    }  # fmt: skip


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(TABLE) >= 150


def _name(wrong: tuple[Any, ...]) -> str:
    """The call, without addresses in memory, so that all workers call it the same."""
    return re.sub(r" at 0x[0-9a-f]+", "", f"{wrong[0]}{wrong[1]}{wrong[2] or ''}")[:90]


@pytest.mark.parametrize("wrong", TABLE, ids=_name)
def test_a_wrong_call_is_one_line_and_writes_nothing(
    things: dict[str, Any], monkeypatch: pytest.MonkeyPatch, wrong: Call
) -> None:
    home: Path = things["home"]
    monkeypatch.chdir(home)

    def real(value: Any) -> Any:  # noqa: ANN401
        return things[value.name] if isinstance(value, Place) else value

    name, args, kwargs = wrong
    given, named = [real(value) for value in args], {key: real(value) for key, value in kwargs.items()}
    with pytest.raises(ProbingError) as caught:
        _enter(getattr(probing, name), given, named)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in home.rglob("*")) == ["file", "folder", "taken.png"]


def _enter(public: Any, given: list[Any], named: dict[str, Any]) -> None:  # noqa: ANN401
    made = public(*given, **named)
    if hasattr(made, "__enter__"):
        with made:
            pass


def test_the_hints_of_every_public_call_are_checked() -> None:
    for name in dir(probing):
        if name.startswith("_"):
            continue
        public = getattr(probing, name)
        if not isinstance(public, type):
            assert hasattr(public, "__wrapped__"), f"{name} is not checked"


def test_a_message_names_the_call_and_the_argument() -> None:
    public: Any = probing
    with pytest.raises(ProbingError, match="grid: frame is None; give a pandas DataFrame"):
        public.grid(None)
    with pytest.raises(ProbingError, match="clusters: missing a required argument: 'n'"):
        public.clusters(pd.DataFrame())


def test_an_address_is_refused_where_a_path_is_written(
    things: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(things["home"])
    for path in ("s3://bucket/x", Path("s3://bucket/x")):
        with pytest.raises(ProbingError, match=r"^draw_grid: path=s3://bucket/x: only local folders"):
            probing.draw_grid(things["one"], path)
    assert not (things["home"] / "s3:").exists()


def test_of_several_paths_the_one_that_fails_is_named(
    things: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(things["home"])
    (tmp_path / "results").mkdir()
    with pytest.raises(ProbingError, match=r"^report: out="):
        probing.report(tmp_path, "file/x.html")
