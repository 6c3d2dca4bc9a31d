"""Code from outside the package is a part of a result's key, whatever name it gives itself."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from probing.probes.logistic import Logistic
from probing.runs.outside import outside_code
from tests.runs.test_run import overrides

pytestmark = pytest.mark.slow

PROBE = """
from dataclasses import dataclass, replace
from probing.probes.logistic import Logistic

@dataclass(frozen=True)
class Constant(Logistic):
    def fit(self, vectors, problem):
        fit = super().fit(vectors, problem)
        return replace(fit, predictions=fit.predictions * 0 + {answer})
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path = tmp_path / "outside_probe.py"
    path.write_text(PROBE.format(answer=0), encoding="utf-8")
    sys.modules.pop(path.stem, None)
    return path


def predicted(root: Path, frame: pd.DataFrame) -> set[int]:
    answers = probing.load_predictions(root, key=frame["key"].iloc[0]).answers
    return set(np.unique(answers).tolist())


def test_a_probe_that_inherits_its_name_is_computed_and_so_is_one_whose_source_changed(
    tmp_path: Path, tiny_bert: Path, module: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "out"
    arguments = overrides(root, tiny_bert, "granularity.layers=[0]")
    probing.run(arguments)
    outside = [*arguments, "probe._target_=outside_probe.Constant"]
    capsys.readouterr()
    first = probing.run(outside)
    assert set(first["probe"]) == {"logistic"}
    assert "found as" not in capsys.readouterr().err
    assert predicted(root, first) == {0}
    probing.run(outside)
    assert "found as" in capsys.readouterr().err
    module.write_text(PROBE.format(answer=1), encoding="utf-8")
    importlib.invalidate_caches()
    importlib.reload(sys.modules[module.stem])
    second = probing.run(outside)
    assert "found as" not in capsys.readouterr().err
    assert predicted(root, second) == {1}
    probing.run([*arguments, "baseline=control"])
    frame = probing.load_results(root)
    assert frame["key"].nunique() == 4
    # a baseline of the package's own probe is none of another one's that has its name
    compared = frame[frame["baseline"] == "none"].groupby("key")["control"].count()
    assert sorted(compared.tolist()) == [0, 0, 4]


def test_our_own_classes_are_left_to_the_schema() -> None:
    assert outside_code(Logistic(l2=(0.1,))) == []


def test_classes_without_a_file_are_told_apart_by_what_they_do() -> None:
    def made(body: str) -> object:
        space: dict[str, type] = {}
        exec(f"class Typed:\n  def fit(self):\n    return {body}", {"__name__": "nowhere"}, space)
        return space["Typed"]()

    one, same, other = (outside_code(made(body)) for body in ("1", "1", "[x + 1 for x in (1, 2)]"))
    assert one == same
    assert one[0][:2] == ["nowhere", "Typed"]
    assert other != one


def test_a_base_from_outside_counts_too(module: Path) -> None:
    kind = importlib.import_module(module.stem).Constant

    class Child(kind):  # type: ignore[misc, valid-type]
        pass

    names = [name for _, name, _ in outside_code(Child(l2=(0.1,)))]
    assert names == [Child.__qualname__, "Constant"]
