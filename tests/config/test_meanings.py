"""Every key of every choice has a meaning, a default and a range, and the default is the one that runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from probing.cli.help import written
from probing.config.choices import choices, conf_folder, files_of, groups, values_of
from probing.config.compose import compose_config, plain_values
from probing.config.convert import convert
from probing.config.meanings import Key, comments, description, example, general_keys, keys_of
from probing.config.run_config import build_config
from probing.validation.ranges import hints_of

CHOICES = [f"{group}={choice}" for group in groups() for choice in choices(group) if group != "experiment"]
MISSING = "???"


def given(keys: list[Key], folder: Path) -> list[str]:
    """Overrides for the keys that have no default."""
    needed = {"model.name=": "x"} | {f"{key.name}=": str(folder) for key in keys if key.default == MISSING}
    names = {f"{key.name}=" for key in keys if key.default in ("", MISSING)}
    return [f"{name}{value}" for name, value in needed.items() if name in names]


def checked(key: Key) -> None:
    assert key.meaning, key
    assert not key.meaning.endswith((",", ";")), key
    assert not key.meaning.startswith(("or ", "also ", "the same ")), f"{key} says nothing on its own"
    assert key.values, key
    assert key.values != "any value", key
    assert written(key.default), key


@pytest.mark.parametrize("name", CHOICES)
def test_every_key_is_explained_and_its_default_is_the_one_that_runs(name: str, tmp_path: Path) -> None:
    group, _, choice = name.partition("=")
    keys = keys_of(group, choice)
    for key in keys:
        checked(key)
    composed = plain_values(compose_config([name, *given(keys, tmp_path)]))
    named = {key.name for key in keys}
    general = {key.name for key in general_keys()}
    assert {f"{group}.{own}" for own in composed[group] if own != "_target_"} - general == named
    built = getattr(build_config(composed), group)
    hints = hints_of(type(built))
    for key in keys:
        own = key.name.partition(".")[2]
        if key.default not in ("", MISSING):
            assert composed[group][own] == key.default
            assert getattr(built, own) == convert(hints[own], key.default, key.name)


def test_keys_without_a_choice_are_explained_and_their_defaults_are_those_that_run() -> None:
    config = build_config(plain_values(compose_config([])))
    keys = {key.name: key for key in general_keys()}
    assert list(keys) == ["task.limit", "task.balance", "seed", "overwrite", "figure.order"]
    for key in keys.values():
        checked(key)
    values: dict[str, Any] = {
        "task.limit": config.sample.limit, "task.balance": config.sample.balance, "seed": config.seed,
        "overwrite": config.overwrite, "figure.order": config.figure.order,
    }  # fmt: skip
    assert {name: key.default for name, key in keys.items()} == values


@pytest.mark.parametrize("name", [*CHOICES, *(f"experiment={name}" for name in choices("experiment"))])
def test_every_choice_has_a_description_and_an_example(name: str) -> None:
    group, _, choice = name.partition("=")
    assert description(group, choice).endswith(".")
    assert example(group, choice).startswith("probing ")


def test_a_key_and_its_meaning_are_written_once_among_choices_that_share_it() -> None:
    shared = list(conf_folder().rglob("_*.yaml"))
    assert len(shared) >= 10
    for group in ("model", "task"):
        for choice in choices(group):
            *bases, own = files_of(group, choice)
            inherited = {key: text for base in bases for key, text in comments(base).items()}
            again = {key for key, text in comments(own).items() if text and text == inherited.get(key)}
            assert again == set(), own


def test_a_choice_inherits_along_the_chain_and_its_own_comment_counts() -> None:
    names = [path.name for path in files_of("task", "treebank/deprel")]
    assert names == ["_treebank_words.yaml", "_treebank_labels.yaml", "deprel.yaml"]
    values = values_of("task", "treebank/deprel")
    assert values["n_train"] == 20000
    assert values["punctuation"] is False
    said = {key.name: key.meaning for key in keys_of("task", "treebank/deprel")}
    assert said["task.unseen"] == "true limits dev and test to dependents whose form train does not have"


def test_files_with_shared_keys_are_not_choices() -> None:
    assert not [choice for group in groups() for choice in choices(group) if re.search(r"(^|/)_", choice)]


def test_comments_may_go_on_below_and_values_may_contain_the_sign(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        '# probing x=y\n# What it is.\n_target_: a.b\none: "#1" # the first\n# and more of it\n\n# alone\n'
        "two: a#b\nouter: # not a key\n  inner: [1] # inside\nthree: 'it''s' # last\n",
        encoding="utf-8",
    )
    assert comments(path) == {
        "one": "the first and more of it", "two": "", "outer": "not a key", "outer.inner": "inside",
        "three": "last",
    }  # fmt: skip
