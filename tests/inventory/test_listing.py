"""`probing ls`: what is listed is what was written, read off footers and marks alone."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import probing
from experiments.benchmarks.shelf import build
from probing.cli.clean import command as clean
from probing.cli.ls import command as ls
from probing.cli.show import command as show
from probing.errors import ProbingError
from probing.inventory.columns_text import columns_text, size_text
from probing.inventory.frames import RESULTS, VECTORS, layers_text

ROOT = Path(__file__).resolve().parents[2]
NAMES = ["model", "task", "analysis", "granularity", "pooling", "probe", "baseline", "seed", "metric"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six results, of every other one of four requests with three shards each."""
    folder = tmp_path_factory.mktemp("shelf") / "outputs"
    build(folder, results=6, shards=12, requests=4)
    return folder


def damage_rows(root: Path) -> None:
    """Overwrite everything but footers and marks with zeros of the same length."""
    for path in (root / "results").glob("*.parquet"):
        content = bytearray(path.read_bytes())
        length = int.from_bytes(content[-8:-4], "little") + 8
        content[4:-length] = bytes(len(content) - length - 4)
        path.write_bytes(content)
    for path in (root / "representations").glob("*/shard-*/*.parquet"):
        size = path.stat().st_size
        path.unlink()
        path.write_bytes(bytes(size))


def test_the_names_and_the_best_score_are_those_of_the_rows(root: Path) -> None:
    listed = probing.stored(root).set_index("key").sort_index()
    rows = probing.load_results(root)
    first = rows.groupby("key")[NAMES].first()
    pd.testing.assert_frame_equal(listed[NAMES], first, check_dtype=False)
    assert (listed["best"] == rows.groupby("key")["test"].max()).all()
    assert listed["bytes"].tolist() == [Path(path).stat().st_size for path in listed["path"]]
    assert probing.stored(root).dtypes.astype(str).to_dict() == RESULTS


def test_vectors_are_counted_with_the_results_that_refer_to_them(root: Path) -> None:
    listed = probing.stored(root, "vectors")
    assert sorted(listed["results"]) == [0, 0, 3, 3]
    assert set(listed["texts"]) == {3 * (40 + 20 + 500)}
    assert set(listed["layers"]) == {"0-5"}
    assert (listed["shards"] == 3).all()
    files = [
        sum(path.stat().st_size for path in Path(folder).glob("*/*.parquet")) for folder in listed["path"]
    ]
    assert listed["bytes"].tolist() == files
    assert listed.dtypes.astype(str).to_dict() == VECTORS


def test_permuted_labels_are_not_the_best_score(tmp_path: Path) -> None:
    from probing.results.schema import as_frame
    from probing.results.store import ResultStore

    rows: list[dict[str, object]] = [
        {"analysis": "probe", "variant": variant, "test": test, "metric": "accuracy", "key": "0" * 16}
        for variant, test in (("top", 0.7), ("permuted", 0.9))
    ]
    ResultStore(tmp_path / "results", "0" * 16, "run").write(as_frame(rows), {})
    assert probing.stored(tmp_path)["best"].tolist() == [0.7]


def test_lists_need_footers_and_marks_alone(tmp_path: Path) -> None:
    build(tmp_path, results=3, shards=4, requests=2)
    before = [probing.stored(tmp_path), probing.stored(tmp_path, "vectors")]
    damage_rows(tmp_path)
    for frame, what in zip(before, ("results", "vectors"), strict=True):
        pd.testing.assert_frame_equal(probing.stored(tmp_path, what), frame)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", ["ls", "clean", "show {key} examples=0"])
def test_neither_torch_nor_transformers_is_imported(root: Path, words: str) -> None:
    name, *rest = words.format(key=probing.stored(root)["key"][0]).split()
    code = (
        f"import sys; from probing.cli.{name} import command; command({[*rest, f'paths.root={root}']}); "
        "print('torch' in sys.modules, 'transformers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "False False"


@pytest.mark.parametrize(
    ("words", "results", "vectors"),
    [
        ("", 6, 4),
        ("results", 6, None),
        ("vectors results=0", None, 2),
        ("seed=1,3", 2, None),
        ("task=grammar/tense", 6, 4),
        ("limit=none", 6, None),
    ],
)
def test_tables_are_chosen_by_name_and_by_column(
    root: Path, capsys: pytest.CaptureFixture[str], words: str, results: int | None, vectors: int | None
) -> None:
    ls([*words.split(), f"paths.root={root}"])
    shown = capsys.readouterr().out
    assert ("results," in shown) == (results is not None)
    assert results is None or f"{results} results, " in shown
    assert ("vectors of " in shown) == (vectors is not None)
    assert vectors is None or f"vectors of {vectors} requests, " in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["result"], "did you mean results?"),
        (["tasc=a"], "did you mean task?"),
        (["task=grammar/tens"], "did you mean grammar/tense?"),
        (["format=cvs"], "did you mean csv?"),
        (["format=csv"], "name it: probing ls results format=csv"),
        (["out=a.csv"], "> file.csv"),
        (["results", "vectors"], "cannot use 'vectors'"),
    ],
)
def test_a_mistake_is_explained(root: Path, words: list[str], message: str) -> None:
    with pytest.raises(ProbingError, match=r".") as error:
        ls([*words, f"paths.root={root}"])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("call", [ls, clean, lambda words: show(["a", *words])])
def test_a_missing_root_is_explained(tmp_path: Path, call: object) -> None:
    assert callable(call)
    with pytest.raises(ProbingError, match="no such folder; give the paths"):
        call([f"paths.root={tmp_path / 'nowhere'}"])


def test_csv_and_json_are_the_frame(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = probing.stored(root)
    ls(["results", "format=csv", f"paths.root={root}"])
    read = pd.read_csv(io.StringIO(capsys.readouterr().out), float_precision="round_trip")
    assert read["key"].tolist() == frame["key"].tolist()
    assert read["best"].tolist() == frame["best"].tolist()
    ls(["results", "format=json", f"paths.root={root}"])
    assert [row["key"] for row in json.loads(capsys.readouterr().out)] == frame["key"].tolist()


@pytest.mark.parametrize("width", [60, 80, 120, None])
def test_a_table_fits_the_terminal_and_a_pipe_gets_all(width: int | None) -> None:
    frame = pd.DataFrame(
        {"key": ["0" * 20, "1" * 20], "task": ["a" * 60, "b"], "n": [1, 20], "path": ["c" * 90, None]}
    )
    text = columns_text(frame, width, spare=["path"], whole=["key"])
    lines = text.splitlines()
    assert width is None or max(map(len, lines)) <= width
    assert ("path" in lines[0]) == (width is None)
    assert ("left out" in text) == (width is not None)
    assert all(key in text for key in frame["key"])
    assert (frame["task"][0] in text) == (width is None or width > 90)


def test_columns_without_values_are_left_out() -> None:
    assert columns_text(pd.DataFrame({"a": ["x"], "b": [None]}), None) == "a\nx"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (44_944, "44.9 kB"), (301_000, "301 kB"),
     (999_600, "1.0 MB"), (2_500_000_000, "2.5 GB"), (7_000_000_000_000, "7.0 TB")],
)  # fmt: skip
def test_sizes_have_a_unit(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("layers", "text"),
    [((), ""), ((0,), "0"), ((-1, 0, 1, 2), "emb, 0-2"), ((0, 1, 4, 7, 8), "0-1, 4, 7-8")],
)
def test_layers_are_ranges(layers: tuple[int, ...], text: str) -> None:
    assert layers_text(layers) == text
