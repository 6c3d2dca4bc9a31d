"""Analyses of what heads are used for, from the command line to the frame, on tiny models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import BertModel

import probing
from probing.cli import main as cli
from probing.models.trace import find_sites
from probing.results.effects import ranked_on
from probing.results.finding import main_rows
from probing.results.table import summary
from tests import tiny
from tests.ablations.handbuilt import IGNORED, make_handbuilt, sentences

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uses")
    make_handbuilt(folder / "handbuilt")
    tiny.make_bert(folder / "bert")
    return folder


def _run(root: Path, *more: str) -> Any:  # noqa: ANN401
    arguments = [f"paths.root={root / 'out'}", "model=hf", f"model.name={root / 'handbuilt'}", "task=table",
                 "extract.threads=1", "task.classes=[bad,good]", "task.split=split", "objective=classifier",
                 *more]  # fmt: skip
    return probing.run(arguments, data=sentences())


def _bert(root: Path) -> list[str]:
    return [f"paths.root={root / 'out'}", "model=hf", f"model.name={root / 'bert'}", "extract.threads=1",
            "task=grammar/tense", "task.n_train=200", "task.n_dev=60", "task.n_test=60"]  # fmt: skip


def test_masking_begins_with_the_full_model_and_ends_with_no_head(root: Path) -> None:
    frame = _run(root, "analysis=masking", "analysis.draws=2", "analysis.step=0.25")
    assert set(frame["variant"]) == {"iterative", "importance", "ablation", "probe", "random"}
    for _, curve in frame[frame["variant"] != "iterative"].groupby(["variant", "draw"], dropna=False):
        assert curve["n_heads"].tolist() == [8, 6, 4, 2, 0]
        assert curve["test"].iloc[0] == curve["full"].iloc[0] == 1
        assert curve["test"].iloc[-1] == 0.5
    by_importance = frame[frame["variant"] == "importance"].set_index("n_heads")
    # the head that is ignored goes first
    assert f"{IGNORED[0]}.{IGNORED[1]}" not in by_importance.loc[6, "heads"].split()
    np.testing.assert_allclose(frame["value"], frame["test"] - frame["full"])


def test_a_pruned_model_scores_as_the_masked_one_and_loads_again(root: Path) -> None:
    arguments = ["analysis=prune", "analysis.ranking=importance", "analysis.share=0.5", "analysis.rounds=1"]
    frame: Any = probing.run([*_bert(root), *arguments])
    scores = frame[frame["test"].notna()].set_index("variant")
    assert scores.loc["masked", "test"] == scores.loc["pruned", "test"]
    assert scores.loc["pruned", "n_heads"] == 6
    size = frame.set_index(["variant", "metric"])["value"]
    assert size["pruned", "parameters"] < size["full", "parameters"]
    (folder,) = (root / "out" / "models").iterdir()
    assert "probing.load_pruned" in (folder / "README.md").read_text()
    model = probing.load_pruned(folder)
    assert sum(site.heads for site in find_sites(model).heads) == 6
    assert sum(parameter.numel() for parameter in model.parameters()) == size["pruned", "parameters"]


def test_heads_that_cannot_be_cut_are_silenced_and_score_as_masked(root: Path) -> None:
    # weights of zero hide what feeds a head, so that nothing can be cut here
    frame = _run(root, "analysis=prune", "analysis.ranking=importance", "analysis.share=0.5")
    scores = frame[frame["test"].notna()].set_index("variant")
    assert scores.loc["masked", "test"] == scores.loc["pruned", "test"]
    kept = frame[frame["variant"] == "kept"].set_index(["layer", "head"])["value"]
    assert kept.sum() == 4
    assert kept[IGNORED] == 0
    assert summary(frame).endswith("; 4 of the 4 heads could only be silenced, not cut out")


def test_the_last_line_counts_the_heads_of_groups_that_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny.make_llama(tmp_path / "llama")
    arguments = [*_bert(tmp_path), f"model.name={model}", "analysis=prune", "analysis.ranking=importance",
                 "analysis.share=0.375", "analysis.step=0.125", "analysis.rounds=1",
                 "objective=lm"]  # fmt: skip
    frame: Any = probing.run(arguments)
    kept = frame[frame["variant"] == "kept"].astype({"layer": int, "head": int})
    gone = {(row.layer, row.head) for row in kept.itertuples() if not row.value}
    whole = {
        place for place in gone if (place[0], place[1] ^ 1) in gone
    }  # neighbours share a key and a value
    silenced = len(gone) - len(whole)
    assert len(gone) == 3
    assert silenced > 0
    assert frame.set_index(["variant", "metric"])["value"]["pruned", "silenced"] == silenced
    assert summary(frame).endswith(f"; {silenced} of the 3 heads could only be silenced, not cut out")
    (folder,) = (tmp_path / "out" / "models").iterdir()
    assert (folder / "README.md").exists() == bool(whole)
    assert ("plain transformers loads it wrongly" in capsys.readouterr().err) == bool(whole)


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_an_importance_counts_only_the_examples_that_it_rests_on(root: Path, split: str) -> None:
    arguments = ["analysis=importance", f"analysis.split={split}"]
    sizes = {"train": 40, "dev": 20, "test": 24}
    small = [f"task.n_{name}={size}" for name, size in sizes.items()]
    fitted: Any = probing.run([*_bert(root), *small, *arguments])
    assert _counted(fitted) == {"train": 40, split: sizes[split]}
    given: Any = _run(root, *arguments)  # nothing is fitted to a classifier's own labels
    assert set(_counted(given)) == {split}
    for frame in (fitted, given):
        assert ranked_on(main_rows(frame)) == split


def test_gates_count_the_examples_that_they_are_learned_on(root: Path) -> None:
    frame: Any = _run(root, "analysis=gates", "analysis.steps=2", "analysis.lambdas=[0.1]")
    assert set(_counted(frame)) == {"train", "dev", "test"}


def _counted(frame: pd.DataFrame) -> dict[str, int]:
    counts = frame[["n_train", "n_dev", "n_test"]].drop_duplicates()
    assert len(counts) == 1
    return {str(name)[2:]: int(size) for name, size in counts.iloc[0].items() if pd.notna(size)}


def test_entropy_of_uniform_attention_is_that_of_the_number_of_tokens(root: Path) -> None:
    frame = _run(root, "analysis=entropy")
    assert frame["value"].between(0, np.log(64)).all()
    assert (frame["metric"] == "nats").all()
    assert len(frame) == 8


def test_a_readout_of_a_layer_scores_as_the_probe_of_that_layer(root: Path) -> None:
    base = _bert(root)
    layers: Any = probing.run([*base, "granularity=layer", "probe.l2=[1.0e-4,1.0e-3,1.0e-2,1.0e-1,1.0]"])
    kinds = "analysis.kinds=[leave_one_out]"
    ablated: Any = probing.run([*base, "analysis=ablation", "objective=readout", kinds])
    last = layers.sort_values("layer").iloc[-1]
    full = main_rows(ablated)["full"].unique()
    assert full == pytest.approx([last["test"]])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["analysis=ablation", "granularity=layer"], "granularity=head or granularity=attention"),
        (["analysis=importance", "granularity.layers=[9]"], "no heads in layer 9"),
        (["analysis=importance", "objective=lm"], "objective=readout"),
        (["analysis=masking", "analysis.step=0"], "analysis.step"),
        (["analysis=gates", "granularity=attention"], "granularity=head"),
    ],
)
def test_a_mistake_is_one_line(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    small = ["task=grammar/tense", "task.n_train=40", "task.n_dev=20", "task.n_test=20"]
    code = cli.main(
        [f"paths.root={root / 'out'}", "model=hf", f"model.name={root / 'bert'}", *small, *arguments]
    )
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert code == cli.MISTAKE
    assert last.startswith("probing: ")
    assert said in last


def test_a_head_mask_is_refused_where_transformers_ignores_it(root: Path) -> None:
    model = BertModel.from_pretrained(root / "bert")
    ids = torch.tensor([[2, 5, 6, 3]])
    with probing.mask_heads(model, [(0, 1)]), pytest.raises(probing.ProbingError, match="head_mask"):
        model(input_ids=ids, head_mask=torch.ones(3, 4))
