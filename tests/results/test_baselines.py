"""A row finds the same cell of its baselines, and no other."""

from __future__ import annotations

import pandas as pd
import pytest

from probing.results.baselines import with_baselines
from tests.results.test_load import rows


def test_selectivity_is_the_score_minus_that_on_control_labels() -> None:
    control = rows(key="c").assign(baseline="control", test=rows()["test"] / 2)
    untrained = rows(key="u").assign(baseline="untrained", test=0.25)
    frame = with_baselines(pd.concat([control, rows(), untrained]))
    own = frame[frame["baseline"] == "none"]
    assert own["selectivity"].tolist() == pytest.approx((own["test"] / 2).tolist())
    assert own["untrained"].tolist() == pytest.approx([0.25] * 6)
    others = frame[frame["baseline"] != "none"]
    assert others[["untrained", "control", "selectivity"]].isna().all(axis=None)


def test_another_task_seed_or_size_is_no_baseline() -> None:
    others = [
        rows("u").assign(baseline="control"),
        rows(seed=1).assign(baseline="control"),
        rows().assign(baseline="control", setup="other"),
        rows().assign(baseline="permuted"),
    ]
    frame = with_baselines(pd.concat([rows(), *others]))
    assert frame["selectivity"].isna().all()


def test_several_draws_of_one_baseline_count_with_their_mean() -> None:
    draws = [rows(key=key).assign(baseline="control", test=test) for key, test in (("a", 0.2), ("b", 0.4))]
    frame = with_baselines(pd.concat([rows(), *draws]))
    assert frame["control"].dropna().tolist() == pytest.approx([0.3] * 6)


def test_whole_layers_and_heads_together_find_theirs() -> None:
    whole = rows(heads=1).assign(granularity="layer", n_heads=pd.array([None] * 2, dtype="Int64"))
    whole["head"] = pd.array([None, None], dtype="Int64")
    frame = with_baselines(pd.concat([whole, whole.assign(baseline="untrained", test=0.1)]))
    assert frame["untrained"].dropna().tolist() == pytest.approx([0.1, 0.1])


def test_a_frame_without_rows_stays_one() -> None:
    assert with_baselines(rows().iloc[:0]).empty


def test_controls_of_several_kinds_are_not_averaged() -> None:
    texts = rows(key="t").assign(baseline="control[by=text]", test=0.3)
    alone = with_baselines(pd.concat([rows(), texts]))
    assert alone["control"].dropna().tolist() == pytest.approx([0.3] * 6)
    both = with_baselines(pd.concat([texts, rows(), rows(key="c").assign(baseline="control", test=0.5)]))
    assert both["control"].isna().all()
    assert both["test"].tolist() == pd.concat([texts, rows(), texts])["test"].tolist()[:12] + [0.5] * 6
