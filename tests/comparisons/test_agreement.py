"""Measures of heads agree where they do by construction, and what layers share is told from the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

import probing
from probing.comparisons.agreement import answer, foremost
from probing.comparisons.measures import head_grids, measure_names, measures
from probing.errors import ProbingError
from probing.results.effects import effect
from probing.results.schema import as_frame
from probing.statistics.ranks import top_overlap
from tests.figures import found

Numbers = NDArray[np.float64]
LAYERS, HEADS = 6, 8


def random(seed: int) -> Numbers:
    return np.random.default_rng(seed).normal(size=(LAYERS, HEADS))


def layer_effect() -> Numbers:
    return np.repeat(np.arange(LAYERS, dtype=np.float64)[:, None], HEADS, axis=1)


def probe(test: Numbers, **columns: object) -> pd.DataFrame:
    """A grid of probes; their scores stand where an analysis has a value."""
    rows = found.cells(test, lambda v: {"test": v}, analysis="probe", rank=None, objective=None)
    return as_frame([{**row, "probe": "logistic", **columns} for row in rows])


def importance(value: Numbers, **columns: object) -> pd.DataFrame:
    common = {"analysis": "importance", "variant": "per_example", "metric": "loss", **columns}
    return as_frame(found.cells(value, lambda v: {"value": v}, **common))


def ablation(
    need: Numbers, variant: str = "leave_one_out", metric: str = "accuracy", fill: str = "zero"
) -> pd.DataFrame:
    """Effects of heads; the sign of the finding depends on the variant and the metric."""
    sign = {
        ("leave_one_out", "accuracy"): -1, ("leave_one_out", "loss"): 1,
        ("only_one", "accuracy"): 1, ("only_one", "loss"): -1, ("only_best", "accuracy"): 1,
    }[variant, metric]  # fmt: skip
    common = {"analysis": "ablation", "variant": variant, "fill": fill, "metric": metric}
    return as_frame(found.cells(need, lambda v: {"value": sign * v, "test": 0.5}, **common))


def only(pairs: pd.DataFrame) -> pd.Series:
    assert len(pairs) == 1
    return pairs.iloc[0]


@pytest.mark.parametrize(
    ("variant", "metric", "fill"),
    [
        ("leave_one_out", "accuracy", "zero"),
        ("leave_one_out", "loss", "zero"),
        ("leave_one_out", "accuracy", "mean"),
        ("only_one", "accuracy", "zero"),
        ("only_one", "loss", "zero"),
        ("only_one", "loss", "mean"),
        ("only_best", "accuracy", "zero"),
    ],
)
def test_every_ablation_points_to_the_heads_with_the_largest_effect(
    variant: str, metric: str, fill: str
) -> None:
    need = random(0)
    np.testing.assert_allclose(effect(ablation(need, variant, metric, fill)), need.ravel())


def test_scores_importances_and_gates_count_as_they_are() -> None:
    need = random(0)
    np.testing.assert_allclose(effect(probe(need)), need.ravel())
    np.testing.assert_allclose(effect(importance(need)), need.ravel())
    gates = found.of(found.gates(), "gate", penalty=0.01)
    np.testing.assert_allclose(effect(gates), gates["value"])


def test_rho_and_its_p_are_scipys() -> None:
    one, two = random(0), random(0) + 2 * random(1)
    pair = only(probing.agreement(pd.concat([probe(one), importance(two)])))
    expected = stats.spearmanr(one.ravel(), two.ravel())
    assert pair["rho"] == pytest.approx(expected.statistic)
    assert pair["p"] == pytest.approx(expected.pvalue, abs=0.01)
    assert pair["n"] == LAYERS * HEADS
    half = 1.959964 * np.sqrt((1 + expected.statistic**2 / 2) / (LAYERS * HEADS - 3))
    ends = np.tanh(np.arctanh(expected.statistic) + np.array([-half, half]))
    assert (pair["low"], pair["high"]) == pytest.approx(tuple(ends))


def test_the_correlation_within_layers_is_that_of_the_residuals_of_ranks() -> None:
    one, two = random(0) + layer_effect(), random(1) + random(0) + layer_effect()
    ranks = [stats.rankdata(numbers).reshape(LAYERS, HEADS) for numbers in (one, two)]
    dummies = np.repeat(np.eye(LAYERS), HEADS, axis=0)
    residuals = [r.ravel() - dummies @ np.linalg.lstsq(dummies, r.ravel(), rcond=None)[0] for r in ranks]
    pair = only(probing.agreement(pd.concat([probe(one), importance(two)]), draws=9))
    assert pair["rho_within_layers"] == pytest.approx(np.corrcoef(residuals)[0, 1])


def test_a_measure_agrees_wholly_with_itself_and_is_opposed_to_its_reverse() -> None:
    need = random(0)
    frame = pd.concat([probe(need), importance(need**3), ablation(-need)])
    same, reverse, _ = (row for _, row in probing.agreement(frame).iterrows())
    columns = ["rho", "rho_within_layers", "low", "high"]
    np.testing.assert_allclose(same[columns].astype(float), 1)
    assert (same["top_overlap"], reverse["top_overlap"]) == (1, 0)
    np.testing.assert_allclose(reverse[columns].astype(float), -1)
    assert max(same["p"], same["p_within_layers"], reverse["p"]) < 0.001


def test_what_layers_alone_share_is_no_agreement_within_layers() -> None:
    noise = [0.05 * random(seed) for seed in (1, 2)]
    pairs = probing.agreement(
        pd.concat([probe(layer_effect() + noise[0]), ablation(layer_effect() + noise[1])])
    )
    pair = only(pairs)
    assert pair["rho"] > 0.9
    assert pair["p"] < 0.001
    assert abs(pair["rho_within_layers"]) < 0.25
    assert pair["p_within_layers"] > 0.05
    assert "perhaps only on which layers matter" in answer(pairs)


def test_what_heads_of_a_layer_share_is_agreement_within_layers() -> None:
    pairs = probing.agreement(
        pd.concat([probe(random(0) + layer_effect()), ablation(random(0) - layer_effect())])
    )
    assert only(pairs)["rho_within_layers"] > 0.5
    assert only(pairs)["p_within_layers"] < 0.01


def test_p_of_unrelated_measures_is_uniform() -> None:
    frame = pd.concat([probe(random(seed), task=f"t{seed}") for seed in range(16)])
    pairs = probing.agreement(frame, draws=199)
    for name in ("p", "p_within_layers"):
        assert 0.4 < pairs[name].mean() < 0.6
        assert pairs[f"{name}_adjusted"].min() > 0.05
        assert (pairs[f"{name}_adjusted"] >= pairs[name]).all()


def test_equal_values_at_the_border_of_the_top_are_shared_and_not_taken_in_order() -> None:
    closed = np.zeros(40)
    one, other = closed.copy(), closed.copy()
    one[3], other[30] = 1, 1
    drawn, generator = [], np.random.default_rng(0)
    for _ in range(2000):
        tops = [set(np.lexsort((generator.random(40), -values))[:4].tolist()) for values in (one, other)]
        drawn.append(len(tops[0] & tops[1]) / 4)
    assert top_overlap(one, other) == pytest.approx(np.mean(drawn), abs=0.02)
    assert top_overlap(closed, closed) == pytest.approx(0.1)


def test_a_measure_that_is_the_same_everywhere_correlates_with_nothing() -> None:
    pairs = probing.agreement(pd.concat([probe(random(0)), importance(np.ones((LAYERS, HEADS)))]))
    assert only(pairs)[["rho", "low", "high", "p", "p_adjusted", "rho_within_layers"]].isna().all()
    assert answer(pairs) == "agreement is undefined: a measure is the same for all heads"


def stacked(need: Numbers, stack: str) -> pd.DataFrame:
    return importance(need).assign(stack=stack)


def test_heads_of_an_encoder_and_a_decoder_are_different_heads_of_different_layers() -> None:
    one, two = (
        pd.concat(
            [stacked(random(seed + k), stack) for k, stack in enumerate(("encoder", "decoder", "cross"))]
        )
        for seed in (0, 10)
    )
    frame = pd.concat([one, two.assign(seed=1)]).sample(frac=1, random_state=0)
    table = measures(frame)
    assert table.shape == (3 * LAYERS * HEADS, 2)
    assert set(table.columns) == {"importance per_example seed 0", "importance per_example seed 1"}
    assert table.loc[("decoder", 2, 3), "importance per_example seed 0"] == pytest.approx(random(1)[2, 3])
    by_stack = 10.0 * np.array([0, 1, 2]).repeat(LAYERS * HEADS)
    one["value"] = one["value"].to_numpy(dtype=float) + by_stack
    two["value"] = two["value"].to_numpy(dtype=float) + by_stack
    pair = only(probing.agreement(pd.concat([one, two.assign(seed=1)]), draws=99))
    assert pair["rho"] > 0.8  # all of it is the stack
    assert abs(pair["rho_within_layers"]) < 0.2


def test_probes_of_an_encoder_stand_beside_its_heads_alone() -> None:
    need = random(0)
    both = pd.concat([stacked(need, "encoder"), stacked(random(1), "decoder")])
    pair = only(probing.agreement(pd.concat([probe(need), both[both["stack"] == "encoder"]]), draws=9))
    assert pair["rho"] == pytest.approx(1)
    with pytest.raises(ProbingError, match=r"probe has no number for 48 of 96 heads.*stack=encoder"):
        measures(pd.concat([probe(need), both]))


def test_grids_of_other_heads_are_refused_by_name() -> None:
    frame = pd.concat([probe(random(0)), importance(random(1)).iloc[1:]])
    said = "importance per_example has no number for 1 of 48 heads, the first layer 0 head 0, where probe"
    with pytest.raises(ProbingError, match=said):
        measures(frame)
    unscored = probe(random(0))
    unscored.loc[5, "test"] = pd.NA
    with pytest.raises(ProbingError, match="probe has no number for 1 of 48 heads, the first layer 0 head 5"):
        measures(pd.concat([unscored, importance(random(1))]))
    with pytest.raises(
        ProbingError, match="agreement needs at least two measures of heads, but there is probe;"
    ):
        probing.agreement(probe(random(0)))
    with pytest.raises(ProbingError, match="no results of single heads"):
        measures(found.masking())


def test_names_tell_what_differs_and_are_unique() -> None:
    need = random(0)
    alone = [probe(need), importance(need), found.entropy(LAYERS, HEADS), found.gates(LAYERS, HEADS)]
    names = measure_names(head_grids(pd.concat(alone)))
    assert names[:4] == ["probe", "importance per_example", "entropy", "gates lambda 0.001"]
    many = [
        probe(need), probe(need, task="grammar/depth"), probe(need, probe="ridge"), probe(need, key="other"),
        importance(need), importance(need, seed=3),
    ]  # fmt: skip
    names = measure_names(head_grids(pd.concat(many)))
    assert names == [
        "probe grammar/tense logistic run k", "probe grammar/depth logistic", "probe grammar/tense ridge",
        "probe grammar/tense logistic run other", "importance grammar/tense per_example seed 0",
        "importance grammar/tense per_example seed 3",
    ]  # fmt: skip


def test_the_answer_is_about_probes_and_use_where_there_are_both() -> None:
    frame = pd.concat(
        [probe(random(0)), importance(random(0)), ablation(random(0)), found.entropy(LAYERS, HEADS)]
    )
    said = answer(probing.agreement(frame, draws=999))
    assert said.startswith("over 2 pairs of a probe and a measure of use the median rho is +1.00")
    assert said.endswith("they agree, also within layers")


def test_without_a_measure_of_use_the_answer_is_about_probes_and_other_measures() -> None:
    several = [found.entropy(LAYERS, HEADS), found.entropy(LAYERS, HEADS).assign(metric="bits")]
    said = answer(probing.agreement(pd.concat([probe(random(0)), *several]), draws=99))
    assert said.startswith("over 2 pairs of a probe and another measure ")
    assert answer(probing.agreement(pd.concat(several), draws=99)).startswith(
        "entropy nats and entropy bits, "
    )


def test_the_foremost_pairs_are_of_a_probe_and_use_then_of_two_kinds_then_the_strongest() -> None:
    kinds = {"a": "encoding", "b": "encoding", "c": "use", "d": "", "e": ""}
    rhos = {
        ("a", "b"): 0.9, ("a", "c"): 0.1, ("b", "c"): np.nan, ("d", "e"): -0.95, ("a", "d"): -0.4,
        ("c", "e"): 0.5,
    }  # fmt: skip
    pairs = pd.DataFrame([
        {"first": one, "second": two, "first_kind": kinds[one], "second_kind": kinds[two], "rho": rho}
        for (one, two), rho in rhos.items()
    ])  # fmt: skip
    names = (pairs["first"] + pairs["second"])[foremost(pairs, 5).index]
    assert names.tolist() == ["ac", "bc", "ce", "ad", "de"]
    pd.testing.assert_frame_equal(foremost(pairs, 6), pairs)


def test_a_place_on_a_map_and_a_cluster_are_no_measures_of_heads() -> None:
    rows = [
        as_frame(found.cells(random(at), lambda v: {"value": v}, analysis="head_distance", variant=variant,
                             metric="cluster" if variant == "cluster" else "nats"))
        for at, variant in enumerate(["mean", "nearest", "x", "y", "cluster"])
    ]  # fmt: skip
    assert list(measures(pd.concat(rows))) == ["head_distance", "head_distance nearest"]
    with pytest.raises(ProbingError, match="no measure of heads among x of head_distance, cluster of head"):
        measures(pd.concat([rows[2], rows[4]]))
