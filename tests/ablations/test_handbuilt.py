"""In a model whose heads are known, every ranking begins with the needed head and ends with the ignored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from probing.results.effects import effect
from tests.ablations.handbuilt import IGNORED, NEEDED, make_handbuilt, sentences
from tests.figures.found import of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("handbuilt")
    make_handbuilt(folder / "handbuilt")
    return folder


def _run(root: Path, *more: str) -> pd.DataFrame:
    arguments = [f"paths.root={root / 'out'}", "model=hf", f"model.name={root / 'handbuilt'}", "task=table",
                 "extract.threads=1", "task.classes=[bad,good]", "task.split=split", *more]  # fmt: skip
    return probing.run(arguments, data=sentences())


def _order(rows: pd.DataFrame) -> list[tuple[int, int]]:
    """Heads from the one needed most."""
    order = np.argsort(-effect(rows).to_numpy(), kind="stable")
    cells = rows[["layer", "head"]].astype(int).to_numpy()[order]
    return [(int(layer), int(head)) for layer, head in cells]


@pytest.mark.parametrize("variant", ["per_example", "per_token"])
@pytest.mark.parametrize("form", [None, "layer", "minmax"])
def test_importance(root: Path, variant: str, form: str | None) -> None:
    frame = _run(root, "analysis=importance", "objective=classifier")
    rows = of(frame, variant, normalisation=form)
    order = _order(rows)
    assert order[0] == NEEDED
    assert order[-1] == IGNORED
    by_head = rows.set_index(["layer", "head"])
    assert by_head.loc[IGNORED, "value"] == 0
    assert (by_head["value"] > 0).sum() == 7
    assert by_head.loc[NEEDED, "rank"] == 1
    assert by_head.loc[IGNORED, "rank"] == 8


@pytest.mark.parametrize("how", ["zero", "mean"])
def test_leave_one_out(root: Path, how: str) -> None:
    frame = _run(root, "analysis=ablation", "objective=classifier", f"analysis.how={how}")
    for metric in ("accuracy", "loss"):
        rows = of(frame, "leave_one_out", fill=how, metric=metric).set_index(["layer", "head"])
        assert (rows["full"] == (1 if metric == "accuracy" else rows["full"])).all()
        assert rows["rank"].idxmin() == NEEDED
        assert rows.loc[IGNORED, "value"] == 0
        assert effect(rows).idxmin() in (IGNORED, *rows.index[rows["value"] == 0])
        assert rows.loc[IGNORED, "rank"] == rows["rank"].max()
    scores = of(frame, "leave_one_out", metric="accuracy").set_index(["layer", "head"])["value"]
    assert scores[NEEDED] == -0.5
    assert (scores.drop([NEEDED]) == 0).all()


def test_only_one(root: Path) -> None:
    frame = _run(root, "analysis=ablation", "objective=classifier")
    loss = of(frame, "only_one", metric="loss")
    assert _order(loss)[0] == NEEDED
    assert _order(loss)[-1] == IGNORED
    scores = of(frame, "only_one", metric="accuracy").set_index(["layer", "head"])
    assert scores.loc[NEEDED, "value"] == 0
    assert (scores.loc[1].drop(NEEDED[1])["value"] == -0.5).all()
    best = frame[frame["variant"] == "only_best"].set_index("layer")
    assert best.loc[1, "head"] == NEEDED[1]
    assert best.loc[1, "test"] == 1


def test_a_layer_of_which_nothing_is_effect(root: Path) -> None:
    frame = _run(root, "analysis=ablation", "objective=classifier", "granularity=attention")
    rows = of(frame, "leave_one_out", metric="accuracy").set_index("layer")
    assert rows["value"].tolist() == [0, -0.5]
    assert rows["rank"].tolist() == [2, 1]
    frame = _run(root, "analysis=importance", "objective=classifier", "granularity=attention")
    assert of(frame, "per_example", normalisation=None).set_index("layer")["rank"].tolist() == [2, 1]


def test_masking_takes_the_needed_head_last(root: Path) -> None:
    frame = _run(
        root, "analysis=masking", "objective=classifier", "analysis.rankings=[iterative,importance,ablation]"
    )
    needed_one = ".".join(map(str, NEEDED))
    for ranking, rows in frame[frame["n_heads"] > 0].groupby("variant"):
        kept = rows["heads"].fillna("").str.split()
        assert all(needed_one in heads for heads in kept), ranking
        assert (rows["test"] == 1).mean() > 0.5
    assert (frame[frame["n_heads"] == 0]["test"] == 0.5).all()


def test_a_readout_of_the_same_model(root: Path) -> None:
    """A classifier of its own needs no threshold, but the ignored head is ignored all the same."""
    frame = _run(root, "analysis=importance", "objective=readout", "pooling=first")
    rows = of(frame, "per_example", normalisation=None).set_index(["layer", "head"])
    assert rows.loc[IGNORED, "value"] == 0
    assert rows["value"].idxmax() == NEEDED
