"""A run whose result is found: what it imports, and that it writes the same files as the first one."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from probing.models import family
from probing.models.family import families_of
from tests.tiny_gguf import make_gguf

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "sklearn", "matplotlib", "gguf")
RUN = """
import json, sys
from probing.cli.main import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(set(sys.modules) & set({heavy!r}))]), file=sys.stderr)
"""


def run(root: Path, model: Path, *more: str) -> list[str]:
    """Run in a process of its own; the heavy libraries that it has imported."""
    words = [f"paths.root={root}", "model=hf", f"model.name={model}", "task=grammar/length",
             "task.n_train=60", "task.n_dev=30", "task.n_test=30", "extract.threads=1", *more]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(heavy=HEAVY), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    code, imported = json.loads(done.stderr.strip().splitlines()[-1])
    assert code == 0, done.stderr
    return list(imported)


def written(root: Path) -> list[dict[str, bytes]]:
    """The pictures and tables of each run, in the order of runs."""
    folders = sorted((root / "runs").iterdir(), key=lambda folder: folder.stat().st_mtime)
    return [{path.name: path.read_bytes() for path in folder.glob("grid.*")} for folder in folders]


def test_a_found_run_imports_no_heavy_library_and_writes_the_same_files(
    tmp_path: Path, tiny_bert: Path
) -> None:
    assert "torch" in run(tmp_path, tiny_bert)
    assert run(tmp_path, tiny_bert) == []
    first, second = written(tmp_path)
    assert set(first) == {"grid.png", "grid.svg", "grid.pdf", "grid.csv"}
    assert second == first


def test_a_found_run_of_a_gguf_file_imports_no_heavy_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROBING_CACHE", str(tmp_path / "cache"))
    model = make_gguf(tmp_path / "tiny.gguf")
    assert "torch" in run(tmp_path / "out", model)
    assert run(tmp_path / "out", model) == []


def test_another_order_is_drawn_and_a_damaged_picture_is_drawn_again(tmp_path: Path, tiny_bert: Path) -> None:
    run(tmp_path, tiny_bert)
    assert "matplotlib" in run(tmp_path, tiny_bert, "figure.order=score")
    for picture in (tmp_path / "pictures").rglob("grid.png"):
        picture.write_bytes(picture.read_bytes()[:-1])
    assert "matplotlib" in run(tmp_path, tiny_bert)
    by_head, by_score, again = written(tmp_path)
    assert by_head == again
    assert by_head["grid.svg"] != by_score["grid.svg"]


def test_the_families_of_models_are_those_of_the_library() -> None:
    from transformers.models.auto import modeling_auto

    assert families_of("CAUSAL_LM") == set(modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    assert families_of("MASKED_LM") == set(modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES)


def test_families_that_are_not_in_the_source_as_expected_are_read_from_the_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    causal = families_of("CAUSAL_LM")
    for table in ("names()", "OrderedDict()", "OrderedDict(names)", "{'gpt2': 'GPT2LMHeadModel'}"):
        source = {"MODEL_FOR_CAUSAL_LM_MAPPING_NAMES": ast.parse(table, mode="eval").body}
        monkeypatch.setattr(family, "_tables", lambda source=source: source)
        assert families_of.__wrapped__("CAUSAL_LM") == causal
