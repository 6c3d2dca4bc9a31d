"""Statistics refuse, by the name of the column or argument, what they cannot be taken of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from probing.analyses.gates import GatesAnalysis
from probing.analyses.granularity import Granularity
from probing.analyses.masking import MaskingAnalysis
from probing.analyses.probe import ProbeAnalysis
from probing.analyses.prune import PruneAnalysis
from probing.comparisons.agreement import agreement
from probing.comparisons.clusters import clusters, linkage
from probing.comparisons.compare import compare, correlations, stability
from probing.comparisons.concentration import concentration
from probing.comparisons.profile import centre_of_mass, layer_profile
from probing.errors import ProbingError
from probing.figures.comparison import draw_comparison
from probing.probes.logistic import Logistic
from probing.probes.mlp import Mlp
from probing.probes.senteval import SentEval
from probing.probes.sklearn_probe import Sklearn
from probing.results.schema import as_frame
from tests.probes.made import clusters as made
from tests.probes.made import problem


def grid(**changes: object) -> pd.DataFrame:
    """Twelve heads of a made-up run."""
    rng = np.random.default_rng(0)
    same = {"analysis": "probe", "model": "m", "task": "a", "granularity": "head", "pooling": "first",
            "probe": "logistic", "seed": 1, "baseline": "none", "metric": "accuracy", "key": "k",
            "majority": 0.5, **changes}  # fmt: skip
    cells = [{"layer": place // 4, "head": place % 4, "n_heads": 1} for place in range(12)]
    return as_frame([{**same, **cell, "test": score, "dev": score, "test_low": score - 0.1}
                     for cell, score in zip(cells, rng.uniform(0.5, 0.9, 12), strict=True)])  # fmt: skip


def two() -> pd.DataFrame:
    return pd.concat([grid(), grid(task="b", seed=1, key="l")], ignore_index=True)


def seeds() -> pd.DataFrame:
    return pd.concat([grid(), grid(seed=2, key="l")], ignore_index=True)


STATISTICS: dict[str, tuple[Callable[[pd.DataFrame], Any], Callable[[], pd.DataFrame]]] = {
    "layer_profile": (layer_profile, grid),
    "centre_of_mass": (centre_of_mass, grid),
    "concentration": (concentration, grid),
    "correlations": (correlations, two),
    "stability": (stability, seeds),
    "compare": (lambda frame: compare(frame, grid()), grid),
    "agreement": (lambda frame: agreement(frame, draws=20), two),
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan, "no rows", "no column"])
def test_what_is_no_number_is_refused_by_name(name: str, bad: float | str) -> None:
    take, make = STATISTICS[name]
    frame = make()
    take(frame)  # as it is, it will do
    if bad == "no rows":
        frame, said = frame.iloc[:0], "row|result|cell|measure"
    elif bad == "no column":
        if name in {"concentration", "agreement"}:
            return
        frame, said = frame.drop(columns="test"), "test"
    elif isinstance(bad, float) and np.isnan(bad):
        frame["test"], said = bad, "missing|no number"
    else:
        frame.loc[3, "test"], said = bad, "infinity"
    with pytest.raises(ProbingError, match=said) as raised:
        take(frame)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", STATISTICS)
def test_one_row_ends_in_numbers_or_in_one_line(name: str) -> None:
    take, make = STATISTICS[name]
    frame = make()
    one = frame.groupby("key", sort=False).head(1)
    assert "\n" not in _refusal(take, one)


def _refusal(take: Callable[[pd.DataFrame], Any], frame: pd.DataFrame) -> str:
    """The message of a refusal, empty if there is none; any other error is the test's."""
    try:
        take(frame)
    except ProbingError as error:
        return str(error)
    return ""


def test_a_layer_without_scores_is_missing_and_the_others_are_not() -> None:
    frame = grid()
    frame.loc[frame["layer"] == 1, "test"] = np.nan
    profile = layer_profile(frame).set_index("layer")
    assert profile["mean"].isna().tolist() == [False, True, False]
    assert profile["best_head"].isna().tolist() == [False, True, False]
    assert centre_of_mass(frame)["best_layer"].iloc[0] in (0, 2)


def test_a_comparison_with_infinity_is_not_drawn(tmp_path: Path) -> None:
    frame = grid()
    frame.loc[0, "test"] = np.inf
    with pytest.raises(ProbingError, match=r"column 'test' of these rows contains infinity in row 0"):
        draw_comparison(frame, grid(), tmp_path / "picture")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[1.0, np.inf], [np.inf, 1.0]], "beyond -1 and 1"),
        ([[1.0, 0.2]], "1 x 2"),
        ([["a", "b"], ["c", "d"]], "contains texts"),
    ],
)
def test_trees_are_of_correlations(values: list[list[Any]], said: str) -> None:
    for take in (linkage, lambda matrix: clusters(matrix, 1)):
        with pytest.raises(ProbingError, match=said):
            take(pd.DataFrame(values))


@pytest.mark.parametrize("draws", [0, -1, 10**7])
def test_draws_end(draws: int) -> None:
    with pytest.raises(ProbingError, match=f"draws is {draws}; give 1 to 1,000,000"):
        agreement(two(), draws=draws)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Granularity("top_heads", draws=99_999), "granularity.draws is 99999; give at most 100"),
        (lambda: Granularity("top_heads", permutations=101), "granularity.permutations"),
        (lambda: ProbeAnalysis(permutations=10**6), "analysis.permutations"),
        (lambda: MaskingAnalysis(draws=101), "analysis.draws"),
        (lambda: PruneAnalysis(rounds=10**5), "analysis.rounds"),
        (lambda: GatesAnalysis(steps=10**6), "analysis.steps"),
        (lambda: GatesAnalysis(lambdas=tuple(np.linspace(0.1, 1, 101))), "analysis.lambdas has 101 entries"),
        (lambda: Logistic(max_iterations=10**7), "probe.max_iterations"),
        (lambda: Logistic(l2=tuple(np.linspace(0.1, 1, 101))), "probe.l2 has 101 entries"),
        (lambda: SentEval(max_epochs=10**5), "probe.max_epochs"),
        (lambda: SentEval(tenacity=10**5), "probe.tenacity"),
        (lambda: Mlp(nhid=10**5), "probe.nhid"),
        (
            lambda: Sklearn(solver="abc"),  # type: ignore[arg-type]
            "probe.solver is 'abc'; scikit-learn",
        ),
    ],
)
def test_costs_without_end_are_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ProbingError, match=said):
        make()


def test_what_scikit_learn_refuses_names_the_solver() -> None:
    vectors, labels = made(1, 60, 3, 3)
    with pytest.raises(ProbingError, match=r"probe.solver=liblinear: scikit-learn rejects it: ") as raised:
        Sklearn(solver="liblinear").fit(vectors, problem(labels))
    assert "\n" not in str(raised.value)
