"""Every file in conf/ composes into checked dataclasses and starts with the command that uses it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from probing.config.choices import choices, conf_folder, groups
from probing.config.compose import compose_config, plain_values
from probing.config.explain import explain
from probing.config.run_config import Config, build_config
from probing.config.sweep import expand
from probing.errors import ProbingError

FILES = sorted(str(path.relative_to(conf_folder())) for path in conf_folder().rglob("*.yaml"))
GROUPS = {
    "analysis", "baseline", "experiment", "extract", "granularity", "model", "objective", "paths", "pooling",
    "probe", "task",
}  # fmt: skip


def config(*overrides: str) -> Config:
    return build_config(plain_values(compose_config(overrides)))


def test_the_groups_are_those_of_the_documentation() -> None:
    assert set(groups()) == GROUPS


@pytest.mark.parametrize("name", FILES)
def test_a_file_starts_with_the_command_that_uses_it_and_says_what_it_is(name: str) -> None:
    lines = (conf_folder() / name).read_text().splitlines()
    first, second = [line for line in lines if line != "# @package _global_"][:2]  # Hydra wants that first
    command = shlex.split(first.removeprefix("# "))
    assert command[0] == "probing"
    group, _, choice = name.removesuffix(".yaml").partition("/")
    if choice and not choice.startswith("_"):  # which has keys that several choices share
        used = f"{group}={choice}"
        assert used in command or group in {"paths", "extract"}
    assert second.startswith("# ")
    assert second.endswith(".")


@pytest.mark.parametrize("name", [name for name in FILES if "/" in name and "/_" not in name])
def test_a_choice_composes(name: str, tmp_path: Path) -> None:
    group, _, choice = name.removesuffix(".yaml").partition("/")
    needs = {"model/hf": ["model.name=x"]}.get(f"{group}/{choice}", [])
    needs += [f"task.path={tmp_path}"] if choice.startswith("treebank/") else []
    made = config(f"{group}={choice}", *needs)
    if group == "task":
        assert made.task.name == choice
    if group == "probe":
        assert made.probe.name == choice


def test_what_runs_when_nothing_is_said() -> None:
    made = config()
    assert (made.model.title, made.task.name, made.granularity.unit) == ("minilm", "grammar/tense", "head")
    assert made.paths.root == Path("outputs")
    assert made.pooling.how == "auto"


def test_models_have_titles_of_their_own() -> None:
    titles = [
        config(*overrides).model.title
        for overrides in (
            ["model.pretrained=false"],
            ["model.pretrained=false", "model.seed=3"],
            ["model=hf", "model.name=org/thing"],
            ["model=hf", "model.name=org/thing", "model.revision=step100"],
        )
    ]
    assert titles == ["minilm-untrained-0", "minilm-untrained-3", "thing", "thing@step100"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["model=bertbase"], "there is no model=bertbase; did you mean bert_base"),
        (["task=grammar/tenses"], "there is no task=grammar/tenses; did you mean grammar/tense"),
        (["probe.l3=[1]"], "unknown option probe.l3"),
        (["tusk=x"], "unknown option tusk"),
        (["task=treebank/tense"], r"task.path is not set; give task.path=\.\.\."),
        (["task.limit=many"], "task.limit is 'many'; give a whole number"),
        (["task.balance=3"], "task.balance is 3; give true or false"),
        (["model=hf"], "model.name is not set"),
        (["overwrite=sometimes"], "overwrite is 'sometimes'; expected one of never, missing, always"),
        (["pooling.how=median"], "pooling.how is 'median'"),
        (["extract.threads=-1"], "extract.threads is -1; it must be positive"),
        (["extract.device=tpu9"], "extract.device=tpu9 cannot be used here"),
        (["extract.batch_tokens=many"], "extract.batch_tokens is 'many'; give a whole number"),
        (["granularity.layers=3"], r"granularity.layers is 3; give a list"),
        (["probe.l2=[a]"], "probe.l2 is 'a'; give a number"),
        (["seed=-1"], "seed is -1"),
        (["+model.nome=x"], "unknown option model.nome; did you mean name"),
        (["task=[a"], "."),
        (["+foo=1"], "unknown option foo"),
        (["+overwrit=always"], "unknown option overwrit; did you mean overwrite"),
        (["~seed"], "seed is missing"),
        (["seed"], "seed: an option without a value; write name=value"),
        (["+seed=3"], r"seed is given twice; write seed=\.\.\. without \+"),
        (["+task=glue/cola"], r"task is given twice; write task=\.\.\. without \+"),
        (["~probe"], "probe is missing"),
        (["probe=null"], "."),
        (["figure=3"], "figure is 3"),
        (["granularity.layers=[]"], "granularity.layers is empty"),
        (["paths.root=/dev/null/x"], "/dev/null is a file; give a folder"),
        (["hydra/launcher=nope"], "there is no hydra/launcher/nope"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(overrides: list[str], message: str) -> None:
    with pytest.raises(ProbingError, match=message) as caught:
        config(*overrides).extract.torch_device()
    assert "\n" not in str(caught.value)


def test_paths_are_taken_as_people_type_them() -> None:
    assert config("paths.root=~/some place/out").paths.root == Path.home() / "some place" / "out"
    assert config("paths.root='quoted here'").paths.root == Path("quoted here")


def test_layers_in_any_order_are_the_same_layers() -> None:
    assert config("granularity.layers=[2,0,2]").granularity.layers == (0, 2)


def test_globs_look_into_folders() -> None:
    tasks = expand("task", "glob(grammar/*)").split(",")
    assert len(tasks) == 10
    assert set(tasks) < set(choices("task"))
    assert expand("task", "glob(grammar/*_number)") == "grammar/obj_number,grammar/subj_number"
    assert expand("task", "grammar/tense,grammar/depth") == "grammar/tense,grammar/depth"
    assert expand("task", "glob(grammar/t*,exclude=grammar/tense)") == "grammar/top_constituents"
    assert expand("model", "glob(electra*)").count(",") == 2
    there = r"matches nothing; expected one of code, glue/\*, grammar/\*, hub, hub/\*, senteval/\*"
    with pytest.raises(ProbingError, match=there):
        expand("task", "glob(grammer/*)")


def test_errors_of_hydra_are_explained_in_one_line() -> None:
    assert explain(ValueError("first\nsecond")) == "first"
