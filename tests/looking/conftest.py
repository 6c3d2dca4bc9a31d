"""One small look, a treebank, and a browser for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

import probing
from probing.looking.outcome import Look
from tests.page.conftest import browser

__all__ = ["browser"]
SENTENCE = "the old farmer sold a horse near the river ."
TREE = """\
1\tthe\tthe\tDET\t_\t_\t3\tdet\t_\t_
2\told\told\tADJ\t_\t_\t3\tamod\t_\t_
3\tfarmer\tfarmer\tNOUN\t_\t_\t4\tnsubj\t_\t_
4\tsold\tsell\tVERB\t_\t_\t0\troot\t_\t_
5-6\tahorse\t_\t_\t_\t_\t_\t_\t_\t_
5\ta\ta\tDET\t_\t_\t6\tdet\t_\t_
6\thorse\thorse\tNOUN\t_\t_\t4\tobj\t_\tSpaceAfter=No
7\t.\t.\tPUNCT\t_\t_\t4\tpunct\t_\t_

"""


@pytest.fixture(scope="session")
def treebank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sentence with a multiword token."""
    path = tmp_path_factory.mktemp("treebank") / "farm.conllu"
    path.write_text(TREE, encoding="utf-8")
    return path


def options(model: Path, root: Path) -> list[str]:
    return ["model=hf", f"model.name={model}", "extract.threads=1", f"paths.root={root}"]


@pytest.fixture(scope="session")
def looked(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Look:
    """A text, and a task in the vectors of the heads."""
    task = ["task=grammar/tense", "task.n_train=80", "task.n_dev=40", "task.n_test=40"]
    given = [*options(tiny_bert, tmp_path_factory.mktemp("outputs")), *task]
    return probing.look([SENTENCE, "The <b>dog</b> sees."], given, layer=1, head=2)


@pytest.fixture(scope="session")
def parsed(tiny_bert: Path, treebank: Path, tmp_path_factory: pytest.TempPathFactory) -> Look:
    """The sentence of the treebank."""
    given = [*options(tiny_bert, tmp_path_factory.mktemp("outputs")), f"task.path={treebank}"]
    return probing.look(overrides=given, sentence=0, layer=2, head=1)
