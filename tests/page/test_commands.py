"""The command behind every result of the page composes to that result again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import probing
from probing.analyses.ablation import AblationAnalysis
from probing.analyses.granularity import Granularity
from probing.analyses.importance import ImportanceAnalysis
from probing.analyses.masking import MaskingAnalysis
from probing.cli.main import main
from probing.config.compose import compose_config, plain_values
from probing.config.overrides import changed, kept
from probing.config.run_config import BaselineConfig, Config, build_config
from probing.page.collect import collect
from probing.page.runs import command_of, look_of
from probing.results.store import read_results
from probing.runs.prepare import prepare
from tests.page.results import rows, write
from tests.runs.test_run import overrides

pytestmark = pytest.mark.slow


def composed(words: list[str] | tuple[str, ...]) -> Config:
    return build_config(plain_values(compose_config(words)))


def commands(root: Path) -> Iterator[tuple[str, list[str]]]:
    """The key and the overrides of each command of the page, as a shell splits them."""
    for run in collect(root).runs:
        first, *words = shlex.split(run.command)
        assert first == "probing"
        yield run.key, words


def check(root: Path, *, at_least: int) -> None:
    """Compose every command again and compare the keys."""
    found = list(commands(root))
    assert len(found) >= at_least
    for key, words in found:
        config = composed(words)
        assert config.paths.root == root
        assert prepare(config).spec.key == key, words


def test_a_run_keeps_what_its_result_depends_on(tmp_path: Path, tiny_bert: Path) -> None:
    asked = overrides(tmp_path, tiny_bert, "overwrite=always", "figure.order=score", "extract.device=cpu")
    probing.run(
        [*asked, "extract.max_length=20", "granularity.layers=[0]", "hydra.run.dir=" + str(tmp_path / "x")]
    )
    ((_, words),) = commands(tmp_path)
    assert words == [
        "model=hf",
        f"model.name={tiny_bert}",
        "task.n_train=80",
        "task.n_dev=40",
        "task.n_test=40",
        "extract.max_length=20",
        "granularity.layers=[0]",
        f"paths.root={tmp_path}",
    ]
    check(tmp_path, at_least=1)


@pytest.mark.parametrize(
    ("more", "at_least"),
    [
        (["granularity=top_heads", "granularity.n=[1]", "granularity.layers=[0,2]"], 4),
        (["granularity=layer", "baseline=control", "baseline.draw=2"], 2),
        (["model.pretrained=false", "model.seed=3", "granularity=attention"], 1),
        (["analysis=masking", "analysis.rankings=[importance,ablation,probe]", "analysis.step=0.5"], 4),
        (["analysis=prune", "analysis.ranking=importance", "analysis.share=0.5", "analysis.rounds=1"], 3),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_command_of_every_run_and_of_those_that_it_made_gives_the_same_key(
    more: list[str], at_least: int, tmp_path: Path, tiny_bert: Path
) -> None:
    assert main(overrides(tmp_path, tiny_bert, *more)) == 0
    check(tmp_path, at_least=at_least)


def test_the_command_of_a_job_of_a_sweep_runs_that_job_alone(tmp_path: Path, tiny_bert: Path) -> None:
    sweep = overrides(tmp_path, tiny_bert, "granularity.layers=[0]", "baseline=none,control")
    assert main(["-m", *sweep]) == 0
    of_experiment = overrides(tmp_path, tiny_bert, "granularity.layers=[1]", "pooling=first,mean")
    assert main(["-m", "experiment=poolings", *of_experiment]) == 0
    check(tmp_path, at_least=4)
    before = {run.key for run in collect(tmp_path).runs}
    for _, words in commands(tmp_path):
        probing.run(words)
    assert {run.key for run in collect(tmp_path).runs} == before


def test_paths_with_any_letters_come_back_from_the_shell(tmp_path: Path, tiny_bert: Path) -> None:
    folder = tmp_path / "some (new) place"
    folder.mkdir()
    table = folder / "re'views, ${all}.csv"
    lines = [f"text {n} here,{('good', 'bad')[n % 2]},{('train', 'dev', 'test')[n % 3]}" for n in range(60)]
    table.write_text("\n".join(["a text,stars,split", *lines]), encoding="utf-8")
    own = [f"paths.root={folder}", "model=hf", f"model.name={tiny_bert}", "extract.threads=1"]
    own += [
        "task=table",
        "task.text=a text",
        "task.label=stars",
        "task.split=split",
        "granularity.layers=[0]",
    ]
    typed = str(table).replace("'", "\\'").replace("$", "\\$")
    probing.run([*own, f"task.path='{typed}'", "baseline=permuted"])
    check(folder, at_least=2)


def test_a_frame_and_a_file_of_an_earlier_version_have_no_command(tmp_path: Path, tiny_bert: Path) -> None:
    own = [f"paths.root={tmp_path}", "model=hf", f"model.name={tiny_bert}", "extract.threads=1"]
    own += ["task=table", "task.text=text", "task.label=label", "granularity.layers=[0]", "baseline=permuted"]
    frame = pd.DataFrame({"text": [f"text {n}" for n in range(60)], "label": ["good", "bad"] * 30})
    probing.run(own, data=frame)
    write(tmp_path, rows())
    runs = collect(tmp_path).runs
    assert len(runs) >= 2
    assert {run.command for run in runs} == {""}
    stored, _ = read_results(tmp_path / "results")
    assert {result.about.get("overrides", "absent") for result in stored} == {None, "absent"}


def test_the_command_names_the_folder_unless_it_is_the_default() -> None:
    assert command_of([], "outputs") == "probing"
    assert command_of(["task=a b"], "some where") == "probing 'task=a b' 'paths.root=some where'"
    assert command_of(None, "outputs") == ""


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["model=gpt2"], "probing look task=grammar/tense model=gpt2"),
        (["task=grammar/depth", "analysis=ablation", "analysis.how=mean"], "probing look task=grammar/depth"),
        (["task=grammar/depth", "granularity.layers=[0]"], "probing look task=grammar/depth"),
        (["task=grammar/depth", "baseline=untrained"], "probing look task=grammar/depth baseline=untrained"),
        (
            ["experiment=uses", "task=grammar/depth"],
            "probing look experiment=uses task=grammar/depth analysis=probe granularity=head",
        ),
        (
            ["experiment=senteval_trec", "task.root=x"],
            "probing look experiment=senteval_trec task.root=x analysis=probe granularity=head",
        ),
        (None, ""),
    ],
)
def test_a_look_at_a_head_of_a_run_has_its_model_and_task(overrides: list[str] | None, expected: str) -> None:
    assert look_of(overrides, "outputs") == expected
    if expected:
        _, _, *words = shlex.split(expected)
        config = composed(words)
        assert config.analysis.name == "probe"
        assert config.granularity.unit == "head"


@pytest.mark.parametrize(
    ("override", "stays"),
    [
        ("paths.root=/data", False),
        ("paths=default", False),
        ("overwrite=always", False),
        ("figure.order=score", False),
        ("+hydra.verbose=true", False),
        ("hydra/launcher=joblib", False),
        ("hydra.searchpath=[file:///own]", True),
        ("extract.threads=2", False),
        ("++extract.batch_tokens=64", False),
        ("extract.device=cuda", False),
        ("extract.shard_mb=1", False),
        ("extract.commit_seconds=1", False),
        ("extract.dtype=bfloat16", True),
        ("extract.storage=float16", True),
        ("extract.max_length=20", True),
        ("extract=own", True),
        ("model.label=twin", True),
        ("seed=3", True),
        ("~task.limit", True),
        ("task.path=a=b", True),
    ],
)
def test_overrides_that_change_no_result_are_left_out(override: str, stays: bool) -> None:
    assert kept(["task=grammar/depth", override]) == ("task=grammar/depth", *([override] if stays else []))


PARENTS = [
    [],
    ["granularity=top_heads", "granularity.n=[1]", "++granularity.draws=0", "granularity.layers=[0]"],
    ["experiment=layers", "task=grammar/depth", "baseline=permuted", "baseline.draw=4"],
    ["experiment=senteval_trec", "analysis=masking", "analysis.draws=1"],
]
CHANGES = [
    {"granularity": Granularity("layer")},
    {"granularity": Granularity("head", (0, 2)), "baseline": BaselineConfig("permuted", draw=1)},
    {"granularity": Granularity("head"), "analysis": AblationAnalysis()},
    {"analysis": ImportanceAnalysis(split="test", part=10)},
    {"analysis": MaskingAnalysis(("importance",), 0.25, 0.5, draws=1)},
    {"baseline": BaselineConfig()},
]


@pytest.mark.parametrize("parent", PARENTS, ids=" ".join)
@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_the_overrides_of_a_changed_configuration_compose_to_it(
    parent: list[str], change: dict[str, object]
) -> None:
    before = composed(parent)
    after = replace(before, **change)  # type: ignore[arg-type]
    assert composed(changed(parent, before, after)) == after


def test_the_overrides_of_a_changed_configuration_are_short() -> None:
    parent = ["model=gpt2", "granularity=top_heads", "granularity.n=[1,2]"]
    before = composed(parent)
    after = replace(before, granularity=Granularity("layer"), baseline=BaselineConfig("permuted", draw=1))
    wanted = ("model=gpt2", "granularity=layer", "baseline=permuted", "baseline.draw=1")
    assert changed(parent, before, after) == wanted
