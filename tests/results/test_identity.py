"""A result is what its file says inside; another file in its place is never served."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import probing
from probing.errors import CorruptFileError, MisplacedFileError, ProbingError
from probing.io.parquet import read_marked, write_table
from probing.page.collect import collect
from probing.results.store import ResultStore, read_result
from tests.results.test_load import rows
from tests.runs.test_run import overrides

pytestmark = pytest.mark.slow


def two(root: Path) -> tuple[Path, Path]:
    return tuple(  # type: ignore[return-value]
        ResultStore(root / "results", key, f"m.{task}").write(rows(task, key=key), {"gold": [0] * 5})
        for key, task in (("aa", "t"), ("bb", "u"))
    )


def swap(first: Path, second: Path) -> None:
    aside = first.with_suffix(".aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


def test_swapped_files_are_refused_by_every_reader(tmp_path: Path) -> None:
    first, second = two(tmp_path)
    swap(first, second)
    with pytest.raises(MisplacedFileError, match=r"it contains the result of key bb instead of .* key aa"):
        ResultStore(tmp_path / "results", "aa", "m.t").read()
    with pytest.raises(ProbingError, match=rf"{first.name}: .*; remove it, and run its command again"):
        probing.load_results(tmp_path)
    with pytest.raises(ProbingError, match=first.name):
        probing.load_predictions(tmp_path, task="t")
    found = collect(tmp_path)
    assert [damaged.file for damaged in found.damaged] == [first.name, second.name]
    assert found.grids == ()


@pytest.mark.parametrize("name", ["m.t.cc.parquet", "m.copy.aa.parquet"])
def test_a_copy_gives_no_row_twice(tmp_path: Path, name: str) -> None:
    first, _ = two(tmp_path)
    copy = first.with_name(name)
    shutil.copy(first, copy)
    with pytest.raises(ProbingError, match=r"it contains the (same result as|result of key aa)"):
        probing.load_results(tmp_path)
    found = collect(tmp_path)
    assert len(found.damaged) == 1
    assert len(found.grids) == 2
    (tmp_path / "results" / found.damaged[0].file).unlink()
    assert len(probing.load_results(tmp_path)) == 12


def test_parts_are_known_by_run_and_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mine, other = (ResultStore(tmp_path / "results", key, "m") for key in ("aa", "bb"))
    for number in (0, 1):
        mine.write_part(number, rows(seed=number))
    other.write_part(1, rows(seed=7))
    first, second = (tmp_path / "results" / ".parts-aa" / f"{number}.parquet" for number in (0, 1))
    swap(first, second)
    assert mine.read_part(0) is None
    assert mine.read_part(1) is None
    assert "it contains part 1 of key aa instead of part 0 of key aa; it is computed again" in caplog.text
    swap(first, second)
    swap(second, tmp_path / "results" / ".parts-bb" / "1.parquet")
    assert mine.read_part(1) is None
    assert other.read_part(1) is None
    shutil.copy(first, mine.path)
    with pytest.raises(MisplacedFileError, match="it contains part 0 of key aa instead of the result"):
        mine.read()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.rename_columns(["Value" if n == "value" else n for n in table.column_names]),
         "no version of probing writes its column 'Value'"),
        (lambda table: table.append_column("extra", pa.array([1] * 6)), "its column 'extra'"),
        (lambda table: table.drop(["test_low"]), "it has no column 'test_low'"),
    ],
)  # fmt: skip
def test_columns_are_those_of_the_schema(tmp_path: Path, change: object, said: str) -> None:
    first, _ = two(tmp_path)
    table, note, mark = read_marked(first)
    write_table(first, change(table), note, mark)  # type: ignore[operator]
    with pytest.raises(CorruptFileError, match=said):
        read_result(first)
    write_table(first, table, note, {**mark, "schema": 99})
    with pytest.raises(CorruptFileError, match="a newer version of probing wrote it; update probing"):
        read_result(first)


def test_results_without_a_seal_are_left_out_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As versions before this schema wrote them; their numbers are not mixed with these."""
    first, second = two(tmp_path)
    pq.write_table(pq.read_table(first).replace_schema_metadata({"probing": "{}"}), first)
    frame = probing.load_results(tmp_path)
    assert set(frame["task"]) == {"u"}
    assert f"1 results of an older version are left out ({first.name}" in caplog.text
    assert [damaged.file for damaged in collect(tmp_path).damaged] == [first.name]
    assert second.is_file()


def test_a_run_computes_what_lies_in_anothers_place_again(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [overrides(tmp_path, tiny_bert, "granularity.layers=[0]", f"seed={seed}") for seed in (1, 2)]
    right = [probing.run(words) for words in arguments]
    paths = sorted((tmp_path / "results").glob("*.parquet"), key=os.path.getmtime)
    swap(*paths)
    with pytest.raises(ProbingError, match=r"it contains the result of key .* overwrite=missing computes it"):
        probing.run([*arguments[0], "overwrite=never"])
    capsys.readouterr()
    for words, frame, path in zip(arguments, right, paths, strict=True):
        pd.testing.assert_frame_equal(probing.run(words), frame)
        assert f"{path}: it contains the result of key" in capsys.readouterr().err
    assert len(probing.load_results(tmp_path)) == 8
