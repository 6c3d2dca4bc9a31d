"""Heads put together: what is read, how heads are chosen, and what stands beside them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from probing.analyses.best_heads import random_heads, ranking
from probing.analyses.granularity import Granularity
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import build_config
from probing.errors import ProbingError
from probing.results.schema import PLACE
from probing.results.table import beside_baseline, best_score, summary
from probing.runs.pipeline import Run
from probing.runs.prepare import prepare
from probing.runs.resolve import resolve
from probing.tasks.target import Classes
from tests.runs.test_run import overrides

pytestmark = pytest.mark.slow

SCORES = ["dev", "test", "test_low", "test_high", "l2"]


def test_a_layers_heads_together_are_one_probe_on_their_concatenation(
    tmp_path: Path, tiny_bert: Path
) -> None:
    frame = probing.run(overrides(tmp_path, tiny_bert, "granularity=attention"))
    assert frame["layer"].tolist() == [0, 1, 2]
    assert frame["n_heads"].tolist() == [4, 4, 4]
    assert frame["head"].isna().all()
    by_hand = _probe(tmp_path, tiny_bert, [(1, head) for head in range(4)])
    assert frame[SCORES].iloc[1].tolist() == pytest.approx(by_hand)


def test_all_heads_and_the_top_of_all_heads_are_the_same_row(tmp_path: Path, tiny_bert: Path) -> None:
    everything = probing.run(overrides(tmp_path, tiny_bert, "granularity=all_heads"))
    top = probing.run(overrides(tmp_path, tiny_bert, "granularity=top_heads"))
    assert len(everything) == 1
    last = top[(top["variant"] == "top") & (top["n_heads"] == 12)]
    pd.testing.assert_frame_equal(everything[SCORES], last[SCORES].reset_index(drop=True), check_exact=True)


def test_the_top_head_is_the_row_of_the_head_that_is_best_on_dev(tmp_path: Path, tiny_bert: Path) -> None:
    heads = probing.run(overrides(tmp_path, tiny_bert))
    top = probing.run(overrides(tmp_path, tiny_bert, "granularity=top_heads"))
    layer, head = ranking(heads)[0]
    best = heads[(heads["layer"] == layer) & (heads["head"] == head)]
    first = top[(top["variant"] == "top") & (top["n_heads"] == 1)]
    assert first["heads"].tolist() == [f"{layer}.{head}"]
    assert best[SCORES].iloc[0].tolist() == pytest.approx(first[SCORES].iloc[0].tolist())
    assert best["dev"].iloc[0] == heads["dev"].max()


def test_top_heads_stand_beside_random_heads_whole_layers_and_permuted_labels(
    tmp_path: Path, tiny_bert: Path
) -> None:
    top = probing.run(overrides(tmp_path, tiny_bert, "granularity=top_heads", "granularity.draws=3"))
    sizes = top.groupby("variant")["n_heads"].agg(["min", "max", "size"]).T.to_dict("list")
    assert sizes["top"] == [1, 12, 4]
    assert sizes["random"] == [1, 4, 9]
    assert sizes["permuted"] == [1, 4, 3]
    layers = probing.run(overrides(tmp_path, tiny_bert, "granularity=layer"))
    (last,) = top[top["variant"] == "last_layer"]["test"]
    assert last == layers[layers["layer"] == 2]["test"].item()
    best = layers[layers["layer"] >= 0].sort_values(["dev", "layer"], ascending=[False, True]).iloc[0]
    assert top[top["variant"] == "best_layer"]["layer"].item() == best["layer"]
    assert top[top["variant"] == "permuted"]["p"].isna().all()
    assert top[top["variant"] == "top"]["p_adjusted"].notna().all()
    assert len(set(top["key"])) == 1


def test_selection_never_reads_test(tmp_path: Path, tiny_bert: Path) -> None:
    """Scrambled test labels: the same heads are chosen and the same dev scores found; only test moves."""
    config = build_config(
        plain_values(compose_config(overrides(tmp_path, tiny_bert, "granularity=top_heads")))
    )
    run = prepare(config)
    before = run()
    target = run.spec.sampled.target
    assert isinstance(target, Classes)
    labels, rows = target.labels.copy(), run.spec.sampled.rows("test")
    labels[rows] = 1 - labels[rows]
    scrambled = replace(run.spec.sampled, target=replace(target, labels=labels))
    after = Run(resolve(config, scrambled))()
    own = before["variant"].isin(["top", "random", "last_layer", "best_layer"])
    columns = ["variant", "draw", "layer", "n_heads", "heads", "dev", "l2"]
    pd.testing.assert_frame_equal(before[own][columns], after[own][columns])
    np.testing.assert_allclose(before[own]["test"], 1 - after[own]["test"].astype(float))


def test_random_heads_vary_with_seed_and_draw() -> None:
    heads = [(layer, head) for layer in range(12) for head in range(12)]
    sets = [tuple(random_heads(heads, 10, seed, draw)) for seed in (0, 1) for draw in (0, 1)]
    assert len(set(sets)) == 4
    assert all(len(set(chosen)) == 10 for chosen in sets)
    assert random_heads(heads, 10, 1, 1) == list(sets[-1])
    drawn = [head for draw in range(300) for head in random_heads(heads, 10, 0, draw)]
    assert len(set(drawn)) == 144


def test_numbers_of_heads_are_powers_of_two_up_to_half_and_all() -> None:
    assert Granularity("top_heads").sizes(72) == (1, 2, 4, 8, 16, 32, 72)
    assert Granularity("top_heads").sizes(64) == (1, 2, 4, 8, 16, 32, 64)
    assert Granularity("top_heads").sizes(1) == (1,)
    assert Granularity("top_heads", n=(9, 3, 3)).sizes(12) == (3, 9)
    with pytest.raises(ProbingError, match=r"granularity\.n=99: only 12 heads are read; give fewer"):
        Granularity("top_heads", n=(99,)).sizes(12)
    with pytest.raises(ProbingError, match=r"granularity.n is \[0\]"):
        Granularity("top_heads", n=(0,))


def test_weights_are_digested_once_for_a_run_and_all_that_stand_beside_it(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from probing.models import digests as content

    read: list[str] = []
    digest = content._digest_file

    def counted(path: Path) -> str:
        read.append(path.name)
        return digest(path)

    monkeypatch.setattr(content, "_digest_file", counted)
    probing.run(overrides(tmp_path, tiny_bert, "granularity=top_heads", "baseline=control"))
    assert read.count("model.safetensors") == 1


def test_layers_that_are_not_read_are_not_chosen_from(tmp_path: Path, tiny_bert: Path) -> None:
    top = probing.run(
        overrides(
            tmp_path, tiny_bert, "granularity=top_heads", "granularity.layers=[0,2]", "granularity.n=[1,8]"
        )
    )
    chosen = " ".join(top["heads"].dropna()).split()
    assert {head.partition(".")[0] for head in chosen} == {"0", "2"}


def test_pairs_are_put_together_head_by_head(tmp_path: Path, tiny_bert: Path) -> None:
    table = pd.DataFrame(
        {
            "text": [f"the dog sees farmer {row % 7}" for row in range(90)],
            "second": [f"a cat walks {row % 5}" for row in range(90)],
            "label": ["ab"[row % 2] for row in range(90)],
            "split": ["train"] * 50 + ["dev"] * 20 + ["test"] * 20,
        }
    )
    settings = [
        f"paths.root={tmp_path}",
        "model=hf",
        f"model.name={tiny_bert}",
        "task=table",
        "task.second=second",
    ]
    settings += ["task.split=split", "extract.threads=1"]
    everything = probing.run([*settings, "granularity=all_heads"], data=table)
    top = probing.run([*settings, "granularity=top_heads", "granularity.n=[12]"], data=table)
    assert top[top["variant"] == "top"]["dev"].item() == everything["dev"].item()


@pytest.mark.parametrize("selection", ["nested"])
def test_heads_are_not_chosen_where_dev_holds_test_items(
    tmp_path: Path, tiny_bert: Path, small_task: object, selection: str
) -> None:
    del small_task
    root = tmp_path / "data" / "downstream" / "MR"
    root.mkdir(parents=True)
    for side in ("pos", "neg"):
        lines = "\n".join(f"the {side} dog walks {row}" for row in range(5331))
        (root / f"rt-polarity.{side}").write_text(lines + "\n", encoding="latin-1")
    with pytest.raises(
        ProbingError, match=f"selects heads on dev, but task senteval/mr is tested by {selection}"
    ):
        probing.run(
            [f"paths.root={tmp_path}/out", "model=hf", f"model.name={tiny_bert}", "task=senteval/mr",
             f"task.root={tmp_path}/data", "granularity=top_heads"]
        )  # fmt: skip


def test_baselines_are_runs_of_the_same_sweep(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from probing.cli import main as cli

    sweep = ["-m", *overrides(tmp_path, tiny_bert, "baseline=untrained,control,permuted")]
    assert cli.main(sweep) == 0
    printed = capsys.readouterr().out
    for kind in ("untrained", "control", "permuted"):
        assert f"above {kind}: mean" in printed
    frame = probing.load_results(tmp_path)
    assert set(frame["baseline"]) == {"none", "untrained", "control", "permuted"}
    assert set(frame["model"]) == {"tiny-bert"}
    own = frame[frame["baseline"] == "none"]
    control = frame[frame["baseline"] == "control"]
    np.testing.assert_allclose(own["selectivity"], own["test"].to_numpy() - control["test"].to_numpy())
    twin = probing.run(overrides(tmp_path, tiny_bert, "model.pretrained=false"))
    np.testing.assert_array_equal(own["untrained"], twin["test"])
    assert len(probing.load_representations(tmp_path, model="tiny-bert")) == 160


def test_answers_to_test_items_are_kept_and_are_those_that_were_scored(
    tmp_path: Path, tiny_bert: Path
) -> None:
    frame = probing.run(overrides(tmp_path, tiny_bert))
    found = probing.load_predictions(tmp_path, baseline="none")
    assert found.answers.shape == (12, 40)
    np.testing.assert_allclose((found.answers == found.gold).mean(1), frame["test"].astype(float))
    one = probing.load_predictions(tmp_path, layer=1, head=2)
    assert (one.answers[0] == found.answers[6]).all()
    probing.run(overrides(tmp_path, tiny_bert, "pooling=mean"))
    with pytest.raises(ProbingError, match=r"more than one run: pooling is any of .*; name one, pooling="):
        probing.load_predictions(tmp_path)


def test_what_is_kept_says_how_it_was_made(tmp_path: Path, tiny_bert: Path) -> None:
    from probing.results.store import read_result

    probing.run(overrides(tmp_path, tiny_bert, "probe.standardize=false", "granularity.layers=[0]"))
    (path,) = (tmp_path / "results").glob("*.parquet")
    frame, about = read_result(path)
    assert set(frame["probe"]) == {"logistic[standardize=false]"}
    assert about["config"]["granularity"]["layers"] == [0]
    assert about["config"]["probe"]["standardize"] is False
    assert about["config"]["task"]["_target_"] == "probing.datasets.grammar.task.GrammarTask"


def _probe(root: Path, model: Path, heads: list[tuple[int, int]]) -> list[float]:
    """The scores of a probe on heads put together by hand, from cached vectors."""
    import torch

    from probing.probes.logistic import Logistic
    from probing.statistics.intervals import interval
    from probing.statistics.scores import test_scores
    from probing.tasks.problem import pose

    run = prepare(build_config(plain_values(compose_config(overrides(root, model)))))
    probing.run(overrides(root, model))
    array = probing.load_representations(root)
    together = np.concatenate([array[:, layer, head] for layer, head in heads], axis=1)
    problem = pose(run.spec.task, 1111)
    fit = Logistic().fit(torch.from_numpy(together[None]), problem)
    low, high = interval(problem, fit.predictions[0])
    return [fit.dev[0], test_scores(problem, fit.predictions)["accuracy"][0], low, high, fit.l2[0]]


@pytest.mark.parametrize("unit", ["attention", "all_heads"])
def test_the_cosine_of_heads_together_is_that_of_their_concatenation(
    tmp_path: Path, tiny_bert: Path, unit: str
) -> None:
    rng = np.random.default_rng(0)
    words = np.array(["the", "old", "tall", "farmer", "dog", "cat", "river", "horse", "sees", "near"])
    texts = [[" ".join(rng.choice(words, 6)) for _ in range(30)] for _ in range(2)]
    table = pd.DataFrame({"text": texts[0], "second": texts[1], "label": rng.normal(size=30).round(3)})
    settings = [f"paths.root={tmp_path}", "model=hf", f"model.name={tiny_bert}", "task=table"]
    settings += ["task.second=second", "task.selection=none", "probe=cosine", "extract.threads=1"]
    probing.run([*settings, f"granularity={unit}"], data=table)
    found = probing.load_predictions(tmp_path)
    first, second = (
        probing.load_representations(tmp_path, partner=partner).astype(float) for partner in (False, True)
    )
    axes = (2, 3) if unit == "attention" else (1, 2, 3)
    lengths = np.sqrt((first**2).sum(axes) * (second**2).sum(axes))
    expected = ((first * second).sum(axes) / lengths).reshape(30, -1).T
    np.testing.assert_allclose(found.answers, expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["untrained", "control", "permuted"])
def test_top_heads_of_a_baseline_stand_beside_those_of_the_result(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    asked = ["granularity=top_heads", "granularity.n=[1,12]", "granularity.draws=1"]
    low = probing.run(overrides(tmp_path, tiny_bert, *asked, f"baseline={kind}"))
    assert f"above {kind}: mean" in capsys.readouterr().out
    assert "permuted" not in set(low["variant"])
    own = probing.run(overrides(tmp_path, tiny_bert, *asked))
    line = beside_baseline(own, low.iloc[::-1])
    both = own.merge(low, on=list(PLACE))
    assert len(both) >= 4
    mean = 100 * (both["test_x"] - both["test_y"]).astype(float).mean()
    assert line.startswith(f"above {kind}: mean {mean:+.1f} points")


def test_top_heads_are_computed_anew_from_vectors_that_are_extracted_once(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = overrides(tmp_path, tiny_bert, "granularity=top_heads", "granularity.n=[1]")
    first = probing.run(asked)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    capsys.readouterr()
    again = probing.run([*asked, "overwrite=always"])
    assert capsys.readouterr().err.count("extracted 160 texts") == 2  # heads, and whole layers
    pd.testing.assert_frame_equal(first, again)
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "results").iterdir()}
    assert len(after) == 4
    assert all(after[path] > before[path] for path in before)


def test_a_baseline_that_is_computed_anew_leaves_the_result_as_it_is(tmp_path: Path, tiny_bert: Path) -> None:
    probing.run(overrides(tmp_path, tiny_bert))
    (path,) = (tmp_path / "results").iterdir()
    before = path.stat().st_mtime_ns
    probing.run(overrides(tmp_path, tiny_bert, "baseline=control", "overwrite=always"))
    assert path.stat().st_mtime_ns == before


def test_what_is_said_of_top_heads_is_of_the_best_heads_and_of_all_rows_that_were_looked_at(
    tmp_path: Path, tiny_bert: Path
) -> None:
    top = probing.run(overrides(tmp_path, tiny_bert, "granularity=top_heads", "granularity.n=[1,2]"))
    # a row of permuted labels that by luck scores best
    top.loc[top["variant"] == "permuted", "test"] = 0.99
    looked = (top["variant"] != "permuted").sum()
    assert looked == 2 + 2 * 3 + 2
    line = summary(top)
    best = top[top["variant"] == "top"]["test"].max()
    assert f"accuracy {best:.1%}" in line
    assert f"corrected for choosing the best of {looked};" in line
    assert best_score(top) == f"{top[top['variant'] != 'permuted']['test'].max():.1%}"


def test_a_baseline_of_a_model_without_weights_stands_alone(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(tiny_bert, bare, ignore=shutil.ignore_patterns("*.safetensors"))
    low = probing.run(overrides(tmp_path / "out", bare, "baseline=untrained"))
    assert set(low["baseline"]) == {"untrained"}
    assert "the baseline is shown alone; the run to compare it with failed" in capsys.readouterr().err


def test_nested_folds_have_no_p(tmp_path: Path, tiny_bert: Path) -> None:
    table = pd.DataFrame({"text": [f"the dog sees {row}" for row in range(60)], "label": ["a", "b"] * 30})
    settings = [f"paths.root={tmp_path}", "model=hf", f"model.name={tiny_bert}", "task=table"]
    frame = probing.run([*settings, "task.selection=nested", "extract.threads=1"], data=table)
    assert frame["test_low"].notna().all()
    assert frame[["p", "p_adjusted"]].isna().all(axis=None)
