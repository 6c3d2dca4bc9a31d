"""conf/ is found from a wheel as well as from a checkout, and the command answers at once."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from probing.config.choices import choices, conf_folder

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel installs, unpacked into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(folder)], cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = folder.glob("transformer_probing-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def in_wheel(installed: Path, cwd: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    ended = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, check=True, capture_output=True, text=True
    )
    return ended.stdout


def test_from_a_checkout() -> None:
    assert conf_folder() == PROJECT / "conf"


def test_from_a_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "from probing.config.choices import choices, conf_folder; print(conf_folder(), len(choices('task')))"
    )
    assert in_wheel(installed, tmp_path, "-c", code).split() == [
        str(installed / "probing" / "conf"),
        str(len(choices("task"))),
    ]
    composed = in_wheel(installed, tmp_path, "-m", "probing", "--cfg", "task=grammar/depth")
    assert "name: grammar/depth" in composed
    assert not list(tmp_path.iterdir())


def test_help_names_every_choice_and_imports_nothing_heavy(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from probing.cli.main import main; main(['--help']); "
        "assert not {'torch', 'transformers', 'sklearn', 'pandas'} & set(sys.modules); "
        "main(['help', 'task', 'model', 'extract', 'probe', 'experiment'])"
    )
    text = in_wheel(installed, tmp_path, "-c", code)
    for name in ("grammar/odd_man_out", "senteval/trec", "bert_large", "logistic", "baselines", "probing -m"):
        assert name in text
    for key in ("extract=", "batch_tokens", "max_length", "overwrite", "figure"):
        assert key in text


def test_the_page_of_results_is_whole_in_a_wheel(installed: Path, tmp_path: Path) -> None:
    printed = in_wheel(installed, tmp_path, "-m", "probing", "report", str(tmp_path))
    text = Path(printed.strip()).read_text(encoding="utf-8")
    assert "function openDetails" in text
    assert ":focus-visible" in text
