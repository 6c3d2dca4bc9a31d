"""Options given in Python are read as the same command line would be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from probing.config.compose import compose_config, plain_values
from probing.config.given import Given, as_overrides
from probing.errors import ProbingError

ONE_RUN: list[tuple[Mapping[str, object], list[str]]] = [
    ({"task": "grammar/tense", "task.limit": 200}, ["task=grammar/tense", "task.limit=200"]),
    ({"extract": {"device": "cpu", "threads": None}}, ["extract.device=cpu", "extract.threads=null"]),
    ({"task.balance": True, "probe.l2": [1e-3, 1]}, ["task.balance=true", "probe.l2=[0.001,1]"]),
    ({"probe.l2": (0.1, 1e-05), "seed": np.int64(3)}, ["probe.l2=[0.1,1e-05]", "seed=3"]),
    ({"granularity.layers": range(2)}, ["granularity.layers=[0,1]"]),
    ({"task.path": Path("a,b=c.csv")}, ["task.path='a,b=c.csv'"]),
    ({"task.path": "~"}, ["task.path=~"]),
    ({"model.name": "~/models"}, [f"model.name={Path.home()}/models"]),
    ({"+hydra/launcher": "joblib"}, ["+hydra/launcher=joblib"]),
]


@pytest.mark.parametrize(("options", "words"), ONE_RUN)
def test_options_become_overrides_in_their_order(options: Mapping[str, object], words: list[str]) -> None:
    assert as_overrides(["seed=2"], options) == ["seed=2", *words]
    assert as_overrides(options, {}) == as_overrides([options], {}) == words


SWEPT: list[tuple[Mapping[str, object], str]] = [
    ({"task": ["grammar/tense", "grammar/depth"]}, "task=grammar/tense,grammar/depth"),
    ({"task": "glob(grammar/*)"}, "task=glob(grammar/*)"),
    ({"probe.l2": [[0.1, 1], [10]]}, "probe.l2=[0.1,1],[10]"),
    ({"seed": np.arange(3)}, "seed=0,1,2"),
    ({"task.limit": (None, 20)}, "task.limit=null,20"),
    ({"task.path": ["a,b.csv", "c.csv"]}, "task.path='a,b.csv',c.csv"),
]


@pytest.mark.parametrize(("options", "word"), SWEPT)
def test_the_items_of_a_list_are_the_values_of_a_sweep(options: Mapping[str, object], word: str) -> None:
    assert as_overrides([], options, swept=True) == [word]


@pytest.mark.parametrize(
    "text",
    ["a,b", "null", "false", "1e5", "it's", 'a "b"', "${seed}", r"\${seed}", "a\\", " a ", "[a]", "", "é=ü"],
)
def test_a_text_reaches_the_configuration_unchanged(text: str) -> None:
    words = as_overrides(
        {"task": "table", "task.path": "x.csv", "task.label": text}, {"task.classes": [text]}
    )
    task = plain_values(compose_config(words))["task"]
    assert (task["label"], task["classes"]) == (text, [text])


WRONG: list[tuple[Any, dict[str, Any], str]] = [
    ("seed=1", {}, "overrides: 'seed=1' is one text; give a list"),
    ([3], {}, "overrides: 3 is neither a text nor a dict"),
    ([], {"seed=": 1}, "'seed=' is not the name of an option"),
    ([], {"task": {3: 1}}, r"task.3 is not the name of an option"),
    ([], {"seed": object()}, "seed: a value of type object cannot be an option"),
    ([], {"seed": []}, "seed: the list of values to sweep over is empty"),
    ([], {"probe": [{"l2": 1}]}, "probe: a value of type dict cannot be an option"),
]


@pytest.mark.parametrize(("positional", "options", "problem"), WRONG)
def test_what_cannot_be_an_override_is_named(
    positional: Given, options: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ProbingError, match=problem):
        as_overrides(positional, options, swept=True)
