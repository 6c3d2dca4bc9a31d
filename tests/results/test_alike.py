"""Scales are shared by numbers of the same metric, kind, unit, range and objective, and by no others."""

from __future__ import annotations

import pandas as pd
import pytest

import probing
from probing.errors import ProbingError
from probing.results.alike import quantity, quantity_of
from probing.results.grid_key import GridKey
from probing.results.schema import as_frame
from probing.results.table import beside_baseline


def grid(metric: str = "accuracy", **columns: object) -> pd.DataFrame:
    rows = [
        {
            "analysis": "probe", "model": "m", "task": "t", "granularity": "head", "probe": "logistic",
            "seed": 0, "baseline": "none", "layer": layer, "head": head, "n_heads": 1, "metric": metric,
            "test": 0.5 + 0.1 * layer + 0.01 * head, "n_test": 50, "key": "k", "setup": "q", **columns,
        }
        for layer in range(2) for head in range(2)
    ]  # fmt: skip
    return as_frame(rows)


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        (("probe", "accuracy", "", "", "test"), ("published", "accuracy", "", "", "test"), True),
        (("probe", "accuracy", "", "", "test"), ("probe", "accuracy", "", "", "dev"), True),
        (("probe", "accuracy", "", "", "test"), ("ablation", "accuracy", "", "readout", "test"), True),
        (("probe", "accuracy", "", "", "test"), ("probe", "pearson", "", "", "test"), False),
        (("probe", "accuracy", "", "", "test"), ("probe", "macro_f1", "", "", "test"), False),
        (("probe", "accuracy", "", "", "test"), ("probe", "accuracy", "", "", "selectivity"), False),
        (("probe", "accuracy", "", "", "test"), ("probe", "accuracy", "", "", "p_adjusted"), False),
        (("probe", "accuracy", "", "", "p"), ("probe", "pearson", "", "", "p_adjusted"), True),
        (("prune", "accuracy", "", "classifier", "test"), ("prune", "accuracy", "", "lm", "test"), False),
        (("ablation", "loss", "", "readout", "value"), ("ablation", "loss", "", "lm", "value"), False),
        (("ablation", "f1", "leave_one_out", "", "value"), ("masking", "f1", "", "", "value"), True),
        (("ablation", "accuracy", "", "", "value"), ("ablation", "loss", "", "", "value"), False),
        (("importance", "loss", "a", "", "value"), ("importance", "loss", "b", "", "value"), False),
        (("gates", "gate", "gate", "", "value"), ("gates", "gate", "gate", "", "value"), True),
        (("gates", "gate", "gate", "", "value"), ("gates", "gate", "open", "", "value"), False),
    ],
)  # fmt: skip
def test_only_numbers_of_one_kind_share_a_scale(
    first: tuple[str, str, str, str, str], second: tuple[str, str, str, str, str], alike: bool
) -> None:
    one, two = (
        quantity_of(GridKey(analysis=analysis, metric=metric, variant=variant, objective=objective), value)
        for analysis, metric, variant, objective, value in (first, second)
    )
    assert (one == two) is (one.scale == two.scale) is alike


def test_the_column_of_another_metric_is_a_score_under_that_metric() -> None:
    assert quantity(grid("accuracy"), "test_pearson") == quantity(grid("pearson"))
    assert str(quantity(grid("pearson"))) == "Pearson correlation (from -1 to 1)"
    assert str(quantity(grid())) == "accuracy (%, from 0 to 100)"


def test_an_accuracy_and_a_correlation_have_no_difference() -> None:
    with pytest.raises(ProbingError, match="accuracy and pearson cannot be compared number by number"):
        probing.compare(grid(), grid("pearson", task="u"))
    assert probing.compare(grid(), grid(task="u")).mean_difference == 0


def test_the_terminal_subtracts_no_baseline_under_another_metric() -> None:
    baseline = grid("pearson", baseline="control")
    said = beside_baseline(grid(), baseline)
    assert "cannot be compared" in said
    assert "above control" not in said
    assert "above control: mean" in beside_baseline(grid(), baseline.assign(metric="accuracy"))
