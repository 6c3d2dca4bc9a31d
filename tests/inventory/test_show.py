"""`probing show`: the command, the files and the examples of a result, as the model reads them."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import AutoTokenizer

import probing
from experiments.benchmarks.shelf import build
from probing.cli.show import command as show
from probing.errors import ProbingError
from probing.inventory.as_read import TextReader, example_text
from probing.inventory.find import find, unique_length
from probing.inventory.task_examples import Example, examples_of_manifest, examples_of_task
from probing.representations.manifest import read_manifest
from probing.tasks.card import card_from
from probing.tasks.task import Unit

SMALL = ["task.n_train=60", "task.n_dev=30", "task.n_test=30", "probe.l2=[1e-2]"]


OLD, LONG = Unit("the old dog"), Unit("the old dog sees a cat")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    folder = tmp_path_factory.mktemp("of show") / "tiny"  # its path has a space
    shutil.copytree(tiny_bert, folder)
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """One grid of heads, read at the mean of their tokens."""
    folder = tmp_path_factory.mktemp("out") / "outputs"
    words = ["model=hf", f"model.name='{model}'", "pooling=mean", f"paths.root={folder}", *SMALL]
    probing.run(["task=grammar/tense", *words])
    return folder


def shown(capsys: pytest.CaptureFixture[str], key: str, root: Path, *words: str) -> str:
    capsys.readouterr()
    show([key, f"paths.root={root}", *words])
    return capsys.readouterr().out


def test_a_result_is_shown_with_the_command_that_made_it(
    root: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (key,), (path,) = (probing.stored(root)[name].tolist() for name in ("key", "path"))
    text = shown(capsys, key[:6], root)
    command = text.split("command\n")[1].splitlines()[0]
    words = shlex.split(command)
    assert words[:2] == ["probing", "task=grammar/tense"]
    assert f"model.name='{model}'" in words
    assert "pooling mean" in text
    assert "highest test accuracy" in text
    assert path in text
    assert "task grammar/tense: 60 train, 30 dev, 30 test" in text
    assert "kind: tense" in text
    tokenizer = AutoTokenizer.from_pretrained(model)
    manifest = next(root.glob("representations/*/task-*.parquet"))
    for example in examples_of_manifest(manifest, 3):
        (unit,) = example.units
        tokens = tokenizer.convert_ids_to_tokens(tokenizer(unit.text)["input_ids"])
        assert f"text   {unit.text}\n" in text
        assert f"tokens {' '.join(tokens)} ({len(tokens)})" in text
        assert f"vector mean over all {len(tokens)} tokens" in text
        assert f"{example.split}, label {example.label}" in text


def test_vectors_are_shown_with_the_same_examples(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (result,), (vectors,) = probing.stored(root)["key"], probing.stored(root, "vectors")["key"]
    texts = [shown(capsys, key, root).split("examples\n")[1] for key in (result, vectors)]
    assert texts[0] == texts[1]
    assert "pooling: mean" in shown(capsys, vectors, root, "examples=0")


def test_the_number_of_examples_is_a_choice(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (key,) = probing.stored(root)["key"]
    assert shown(capsys, key, root, "examples=5").count(", label ") == 5
    assert "examples\n" not in shown(capsys, key, root, "examples=0")


def test_without_a_manifest_the_task_is_built_and_without_a_model_texts_are_shown(
    root: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "outputs"
    shutil.copytree(root, copy)
    (key,) = probing.stored(copy)["key"]
    whole = shown(capsys, key, root).split("examples\n")[1]
    for path in copy.glob("representations/*/task-*.parquet"):
        path.unlink()
    assert shown(capsys, key, copy).split("examples\n")[1] == whole
    model.rename(model.with_name("elsewhere"))
    try:
        text = shown(capsys, key, copy).split("examples\n")[1]
    finally:
        model.with_name("elsewhere").rename(model)
    assert text.count("texts without tokens: model folder") == 1
    assert "tokens [CLS]" not in text
    lines = [line for line in whole.splitlines() if " text " in line]
    assert lines == [line for line in text.splitlines() if " text " in line]


def test_another_tokenizer_than_that_of_the_run_is_noticed(
    root: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (key,) = probing.stored(root)["key"]
    path = model / "tokenizer.json"
    before = path.read_bytes()
    try:
        path.write_bytes(before + b"\n")
        assert "the tokenizer has changed since the run" in shown(capsys, key, root)
    finally:
        path.write_bytes(before)
    assert "the tokenizer has changed" not in shown(capsys, key, root)


def test_examples_have_as_many_labels_as_there_are(root: Path) -> None:
    manifest = next(root.glob("representations/*/task-*.parquet"))
    labels = read_manifest(manifest).examples["label"].nunique()
    assert labels == 2
    assert len({example.label for example in examples_of_manifest(manifest, 2)}) == 2
    assert len(examples_of_manifest(manifest, 1000)) == 120


def test_a_task_is_built_as_the_run_sampled_it() -> None:
    config = {
        "task": {"_target_": "probing.datasets.grammar.task.GrammarTask", "name": "grammar/tense",
                 "kind": "tense", "n_train": 40, "n_dev": 20, "n_test": 20},
        "sample": {"limit": 4, "balance": False},
        "seed": 1,
    }  # fmt: skip
    assert len(examples_of_task(config, 100)) == 12
    with pytest.raises(ProbingError, match="keeps no configuration"):
        examples_of_task({}, 3)


@pytest.mark.parametrize(
    ("unit", "pooling", "limit", "lines"),
    [
        (OLD, "first", 64, ["tokens [CLS] the old dog [SEP] (5)",
                            "vector [CLS] (token 0, the first of all 5 tokens)"]),
        (OLD, "last", 64, ["vector [SEP] (token 4, the last of all 5 tokens)"]),
        (OLD, "max", 64, ["vector maximum over all 5 tokens"]),
        (OLD, None, 64, ["tokens [CLS] the old dog [SEP] (5)"]),
        (replace(OLD, span=(4, 11)), "last", 64, ["span   'old dog', characters 4 to 11",
                                                  "vector dog (token 3, the last of the 2 tokens of"]),
        (replace(OLD, span=(4, 11)), "mean", 64, ["vector mean over the 2 tokens of the span: old dog"]),
        (replace(OLD, span=(8, 11)), "mean", 64, ["vector dog (token 3, the only one)"]),
        (LONG, "mean", 5, ["tokens [CLS] the old dog [SEP] (5 of 8, truncated to the limit of 5)",
                           "vector mean over all 5 tokens"]),
        (replace(LONG, span=(19, 22)), "mean", 5, ["vector none: the span was cut off"]),
        (replace(OLD, second="a cat"), "first", 64, ["second a cat", "tokens the old dog a cat (5)"]),
        (Unit("the\ndog"), "first", 64, ["text   the\\ndog"]),
    ],
)  # fmt: skip
def test_tokens_are_those_that_the_model_reads(
    tiny_bert: Path, unit: Unit, pooling: str | None, limit: int, lines: list[str]
) -> None:
    reader = TextReader(AutoTokenizer.from_pretrained(tiny_bert), limit, changed=False)
    text = "\n".join(example_text(Example("dev", "x", (unit,)), reader, pooling))
    assert text.startswith("dev, label x\n")
    assert ("vector" in text) == (pooling is not None)
    for line in lines:
        assert f"  {line}" in text


def test_both_units_of_a_pair_are_shown() -> None:
    pair = Example("test", "1", (Unit("the dog"), Unit("a cat")))
    assert example_text(pair, None, "mean") == ["test, label 1", "  text   the dog", "  text   a cat"]


def test_a_card_survives_its_record(root: Path) -> None:
    from probing.results.footers import read_footers

    (footer,) = read_footers(root / "results")[0]
    assert card_from(footer.about["card"]).as_dict() == footer.about["card"] | {
        "splits": tuple(footer.about["card"]["splits"])
    }


def test_keys_are_found_by_their_start(tmp_path: Path) -> None:
    build(tmp_path, results=40, shards=2, requests=2)
    keys = probing.stored(tmp_path)["key"].tolist() + probing.stored(tmp_path, "vectors")["key"].tolist()
    for key in keys:
        assert find(tmp_path, key).key == key
        assert find(tmp_path, key[: unique_length(keys)]).key == key
        place = find(tmp_path, key)
        for name in (str(place.path), place.path.name, place.path.name.removesuffix(".parquet")):
            assert find(tmp_path, name) == place
    start = next(key[0] for key in keys if sum(other[0] == key[0] for other in keys) > 1)
    with pytest.raises(ProbingError, match="keys start with") as several:
        find(tmp_path, start)
    assert [key for key in keys if key[0] == start and key not in str(several.value)] == []
    near = keys[0][:7] + ("0" if keys[0][7] != "0" else "1")
    with pytest.raises(ProbingError, match=f"no key starts with {near}; did you mean {keys[0][:7]}"):
        find(tmp_path, near)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give one key"),
        (["a", "b"], "give one key"),
        (["a", "examples=-1"], "examples=-1; give a whole number"),
        (["a", "exampels=2"], "cannot use exampels="),
        (["zzz"], "no key starts with zzz"),
        (["../"], "no key starts with ../"),
    ],
)
def test_a_mistake_is_explained(root: Path, words: list[str], message: str) -> None:
    with pytest.raises(ProbingError, match=r".") as error:
        show([*words, f"paths.root={root}"])
    assert message in str(error.value)


@pytest.mark.slow
def test_tokens_are_shown_without_torch(root: Path) -> None:
    key = str(probing.stored(root)["key"][0])
    code = (
        "import sys; from probing.cli.main import main; code = main(); print(sys.modules.get('torch'), code)"
    )
    command = [sys.executable, "-c", code, "show", key, f"paths.root={root}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "tokens [CLS]" in done.stdout
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "None 0"
