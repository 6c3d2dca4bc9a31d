"""Every analysis of attention in every stack of an encoder-decoder model, as a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import probing
from probing.comparisons.measures import head_grids
from probing.errors import ProbingError
from tests import tiny
from tests.analyses import (
    test_attention_probe,
    test_cat,
    test_dependencies,
    test_roles,
    test_span_attention,
    test_token_types,
)

pytestmark = pytest.mark.slow
Run = Callable[..., pd.DataFrame]


def of_dependencies(root: Path, model: Path, *more: str) -> pd.DataFrame:
    for seed, split in enumerate(("train", "dev", "test")):
        (root / f"x-ud-{split}.conllu").write_text(test_dependencies.conllu(60, seed), encoding="utf-8")
    return test_dependencies.run(root / "out", model, root, "analysis.least=10", *more)


def of_change(root: Path, model: Path, *more: str) -> pd.DataFrame:
    return test_roles.run(root, model, f"analysis.reference={model}", *more, analysis="attention_change")


def of_texts(name: str) -> Run:
    return lambda root, model, *more: test_roles.run(root, model, *more, analysis=name)


def of_types(root: Path, model: Path, *more: str) -> pd.DataFrame:
    return test_token_types.run(root, model, "task.start=start", "task.end=end", *more)


def of_spans(root: Path, model: Path, *more: str) -> pd.DataFrame:
    return test_span_attention.run(root, model, test_span_attention.table(), *more)


RUNS: dict[str, Run] = {
    **{name: of_texts(name) for name in ("entropy", "surface", "roles", "patterns", "head_distance")},
    "attention_change": of_change,
    "attention_probe": test_attention_probe.run,
    "cat": test_cat.run,
    "dependencies": of_dependencies,
    "span_attention": of_spans,
    "token_types": of_types,
}


@pytest.mark.parametrize("stack", ["encoder", "decoder", "cross"])
@pytest.mark.parametrize("name", RUNS)
def test_rows_name_the_stack(name: str, stack: str, tmp_path: Path) -> None:
    model = tiny.make_bart(tmp_path / "bart")
    rows = RUNS[name](tmp_path, model, f"analysis.stack={stack}")
    assert set(rows["stack"]) == {stack}
    assert set(rows["layer"].dropna()) == {0, 1}
    heads = rows[rows["head"].notna()]
    assert len(heads)
    assert heads["value"].notna().all()
    if stack == "encoder":  # which is also what is read without a name
        alone = RUNS[name](tmp_path, model)
        assert alone["stack"].isna().all()
        np.testing.assert_allclose(rows["value"].astype(float), alone["value"].astype(float), atol=1e-5)


def test_roles_of_copies_are_not_those_of_cross_attention(tmp_path: Path) -> None:
    model = tiny.make_bart(tmp_path / "bart")
    of = {stack: RUNS["roles"](tmp_path, model, f"analysis.stack={stack}") for stack in ("decoder", "cross")}
    names = {stack: set(rows["variant"]) for stack, rows in of.items()}
    copies = {name for name in names["decoder"] if name.startswith(("duplicate", "induction"))}
    assert copies == {
        "duplicate_token", "duplicate_token_highest", "duplicate_token_texts",
        "induction", "induction_highest", "induction_texts",
    }  # fmt: skip
    assert names["cross"] == names["decoder"] - copies


def test_a_model_of_one_stack_is_refused(tmp_path: Path, tiny_bert: Path) -> None:
    with pytest.raises(ProbingError, match=r"analysis\.stack=cross: .* has one stack of layers; leave it"):
        RUNS["patterns"](tmp_path, tiny_bert, "analysis.stack=cross")


def test_runs_of_several_stacks_are_one_measure(tmp_path: Path) -> None:
    model = tiny.make_bart(tmp_path / "bart")
    frames = [
        RUNS[name](tmp_path, model, f"analysis.stack={stack}")
        for stack in ("encoder", "decoder", "cross")
        for name in ("surface", "patterns")
    ]
    ablated = test_roles.run(tmp_path, model, "objective=lm", analysis="importance")
    whole = pd.concat([*frames, ablated], ignore_index=True)
    # a decoder reads no separator here, and its first token sees only itself: such grids would lack heads
    stacks = whole.groupby("variant")["stack"].transform("nunique")
    without = stacks.eq(3).fillna(value=True).astype(bool) | whole["analysis"].ne("surface")
    assert set(whole[~without]["stack"]) == {"encoder", "cross"}
    table = probing.measures(whole[without])
    assert len(table) == 3 * 2 * 4
    assert {stack for stack, _, _ in table.index} == {"encoder", "decoder", "cross"}
    assert {"surface first", "surface self", "patterns vertical"} <= set(table.columns)
    first = whole[(whole["analysis"] == "surface") & (whole["variant"] == "first")]
    wanted = first.set_index(["stack", "layer", "head"])["value"].astype(float)
    np.testing.assert_array_equal(table["surface first"].loc[wanted.index], wanted)


def test_runs_that_differ_in_more_than_the_stack_stay_apart(tmp_path: Path) -> None:
    model = tiny.make_bart(tmp_path / "bart")
    encoder = RUNS["entropy"](tmp_path, model, "analysis.stack=encoder")
    decoder = RUNS["entropy"](tmp_path, model, "analysis.stack=decoder")
    other = RUNS["surface"](tmp_path, model, "analysis.stack=decoder", "analysis.weighted=true")
    plain = RUNS["surface"](tmp_path, model, "analysis.stack=encoder")
    assert encoder["setup"].iloc[0] == decoder["setup"].iloc[0]
    assert plain["setup"].iloc[0] != other["setup"].iloc[0]
    keys = [set(grid["key"]) for grid in head_grids(pd.concat([plain, other], ignore_index=True))]
    assert all(len(own) == 1 for own in keys)
