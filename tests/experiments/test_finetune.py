"""Fine-tuning through places that are read: gradients, checkpoints, resuming, and grids over training."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModel

import probing
from experiments.finetune import checkpoint, study
from experiments.finetune.__main__ import main
from experiments.finetune.changes import changes
from experiments.finetune.examples import Examples, encoder_of, examples, split
from experiments.finetune.options import Options, parse
from experiments.finetune.places import Places, Read, parse_read, resolve
from experiments.finetune.readout import ReadOut, Recipe
from experiments.finetune.score import predict, scores
from experiments.finetune.train import ReadOutTrainer, schedule, train
from probing.errors import ProbingError
from probing.models.loading import load_model
from probing.models.model_choice import ModelConfig
from probing.models.model_files import ModelFiles, find_files
from probing.objectives.classifier import Classifier
from probing.objectives.saved import with_saved_head
from probing.representations.extract import Extractor
from probing.representations.reductions.pooling import Pooling
from probing.representations.request import Request
from probing.representations.settings import ExtractConfig
from probing.tasks.target import Classes, Scores
from probing.tasks.task import Task, Unit
from tests.objectives.made import ready_of
from tests.tiny import WORDS

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
HEADS = Places("head", ((0, 1), (0, 3), (1, 2)))
LAST = Places("hidden", ((2, 0),))
RECIPE = Recipe(HEADS, "mean", None, ("no", "yes"), 0.1, None)
SPLIT = np.array(["train"] * 64 + ["dev"] * 24 + ["test"] * 24)


def farmers() -> Task:
    """Does a farmer occur? Which words stand around it tells nothing."""
    rng = np.random.default_rng(0)
    labels = np.arange(len(SPLIT)) % 2
    words = [list(rng.choice([word for word in WORDS if "farm" not in word], 5)) for _ in labels]
    texts = [
        " ".join([*some, "farmer" if label else "river"]) for some, label in zip(words, labels, strict=True)
    ]
    return Task("toy/farmers", tuple(map(Unit, texts)), Classes(labels, ("no", "yes")), SPLIT)


def loaded_anew(folder: Path, recipe: Recipe, task: Task) -> tuple[ReadOut, Examples, ModelFiles]:
    files = find_files(ModelConfig(str(folder)))
    loaded = load_model(files, device=CPU)
    return ReadOut(loaded, recipe, seed=3), examples(task, encoder_of(loaded, None), 1), files


def trained(run: Path, folder: Path, recipe: Recipe, options: Options) -> ReadOut:
    model, data, files = loaded_anew(folder, recipe, farmers())
    train(run, model, files, data, split(data.problem).train.tolist(), options)
    return model


def options(*arguments: str) -> Options:
    return parse(["--lr", "1e-2", "--batch", "16", "--save-steps", "4", "--epochs", "3", *arguments]).options


@pytest.mark.parametrize("pooling", ["first", "last", "mean", "max"])
@pytest.mark.parametrize(
    "places", [HEADS, LAST, Places("hidden", ((-1, 0),))], ids=["heads", "last", "embeddings"]
)
def test_what_is_read_without_training_is_what_the_extractor_caches(
    tmp_path: Path, tiny_bert: Path, small_task: Task, pooling: Pooling, places: Places
) -> None:
    model, data, files = loaded_anew(tiny_bert, replace(RECIPE, places=places, pooling=pooling), small_task)
    request = Request(files.identity, places.site, pooling, None, "float32", 5)
    settings = ExtractConfig(device="cpu", threads=1)
    found = Extractor(tmp_path, request, settings, lambda: load_model(files, device=CPU)).extract(
        small_task.units
    )
    cached = np.concatenate([found.layer(layer, [head])[0] for layer, head in places.heads], axis=1)
    batch = data(range(len(small_task)))
    read = model.eval().vectors(batch["inputs"], batch["tokens"], batch["texts"]).detach().numpy()
    np.testing.assert_allclose(read, cached, rtol=1e-4, atol=1e-5)
    assert np.abs(read).mean() > 1e-2


def test_words_are_read_by_their_own_tokens(tmp_path: Path, tiny_bert: Path) -> None:
    texts = ["the old farmer sees a dog .", "a tall horse walks slowly ."]
    words = [(text, text.index(word), word) for text in texts for word in text.split()[1:5]]
    units = tuple(Unit(text, (start, start + len(word))) for text, start, word in words)
    labels = np.arange(len(units)) % 2
    split = np.array(["train"] * 4 + ["dev"] * 2 + ["test"] * 2)
    task = Task("toy/words", units, Classes(labels, ("no", "yes")), split)
    model, data, files = loaded_anew(tiny_bert, RECIPE, task)
    request = Request(files.identity, "head", "mean", None, "float32", 5)
    settings = ExtractConfig(device="cpu", threads=1)
    found = Extractor(tmp_path, request, settings, lambda: load_model(files, device=CPU)).extract(units)
    cached = np.concatenate([found.layer(layer, [head])[0] for layer, head in HEADS.heads], axis=1)
    rows = [6, 0, 3, 7]
    batch = data(rows)
    assert len(batch["inputs"]["input_ids"]) == 2
    read = model.eval().vectors(batch["inputs"], batch["tokens"], batch["texts"]).detach().numpy()
    np.testing.assert_allclose(read, cached[rows], rtol=2e-3, atol=1e-4)


def test_a_causal_model_is_trained_saved_and_loaded(tmp_path: Path, tiny_gpt2: Path) -> None:
    recipe = Recipe(Places("head", ((0, 2), (1, 0))), "last", None, ("no", "yes"), 0.0, None)
    model = trained(tmp_path, tiny_gpt2, recipe, options("--epochs", "1"))
    again, loaded = checkpoint.load_checkpoint(tmp_path / "checkpoint-4", CPU)
    batch = examples(farmers(), encoder_of(loaded, None), 1)(range(8))
    assert torch.equal(again(**batch)["logits"], model.eval()(**batch)["logits"])


def test_pairs_are_put_together_as_a_probe_sees_them(tiny_bert: Path, small_task: Task) -> None:
    pairs = replace(small_task, partners=small_task.units[::-1], features="all")
    model, data, _ = loaded_anew(tiny_bert, replace(RECIPE, features="all"), pairs)
    single, alone, _ = loaded_anew(tiny_bert, RECIPE, small_task)
    rows = [5, 59, 0, 17]

    def read(of: ReadOut, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return of.eval().vectors(batch["inputs"], batch["tokens"], batch["texts"])  # type: ignore[arg-type]

    u, v = read(single, alone(rows)), read(single, alone([59 - row for row in rows]))
    together = read(model, data(rows))
    torch.testing.assert_close(together, torch.cat([u, v, u * v, (u - v).abs()], 1))
    assert model(**data(rows))["logits"].shape == (4, 2)


def test_joint_pairs_are_one_input(tiny_bert: Path, small_task: Task) -> None:
    units = tuple(Unit(unit.text, second="the dog sees") for unit in small_task.units)
    model, data, _ = loaded_anew(tiny_bert, RECIPE, replace(small_task, units=units))
    batch = data([1, 2, 3])
    single = examples(small_task, data.encoder, 1)([1, 2, 3])
    assert batch["inputs"]["input_ids"].shape[1] > single["inputs"]["input_ids"].shape[1]
    assert torch.isfinite(model(**batch)["loss"])


def test_gradients_reach_what_lies_below_the_places_and_nothing_above(tiny_bert: Path) -> None:
    model, data, _ = loaded_anew(tiny_bert, RECIPE, farmers())
    model.train_backbone(True)
    model.train()(**data(range(16)))["loss"].backward()
    got = {
        name
        for name, value in model.backbone.named_parameters()
        if value.grad is not None and value.grad.any()
    }
    assert {"embeddings.word_embeddings.weight", "encoder.layer.0.output.dense.weight"} <= got
    assert "encoder.layer.1.attention.self.value.weight" in got
    above = ("encoder.layer.1.attention.output", "encoder.layer.1.output", "encoder.layer.2", "pooler")
    assert not [name for name in got if name.startswith(above)]
    # of layer 1 head 2 alone is read; no other head's values matter there
    values = model.backbone.get_parameter("encoder.layer.1.attention.self.value.weight").grad
    assert values is not None
    assert values[16:24].any()
    assert not values[:16].any()
    assert not values[24:].any()


def test_the_gradient_is_that_of_the_model_run_to_its_end(tiny_bert: Path) -> None:
    recipe = replace(RECIPE, places=LAST, pooling="first")
    model, data, _ = loaded_anew(tiny_bert, recipe, farmers())
    model.train_backbone(True)
    batch = data(range(16))
    model.eval()(**batch)["loss"].backward()
    plain = AutoModel.from_pretrained(tiny_bert)
    logits = model.head(plain(**batch["inputs"]).last_hidden_state[:, 0])
    torch.nn.functional.cross_entropy(logits, batch["labels"]).backward()  # type: ignore[no-untyped-call]
    for name, value in plain.named_parameters():
        if value.grad is not None:
            mine = model.backbone.get_parameter(name).grad
            assert mine is not None
            torch.testing.assert_close(mine, value.grad, rtol=1e-4, atol=1e-6)


def test_training_learns_and_its_checkpoints_are_models(tmp_path: Path, tiny_bert: Path) -> None:
    run = tmp_path / "farm"
    model = trained(run, tiny_bert, RECIPE, options("--epochs", "8"))
    steps = [path.name for path in checkpoint.whole_checkpoints(run)]
    assert steps == [f"checkpoint-{step}" for step in range(0, 33, 4)]
    history = json.loads((run / "checkpoint-32" / "trainer_state.json").read_text())["log_history"]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    assert len(losses) == 8  # one for every checkpoint
    assert losses[-1] < 0.3 < losses[0]
    again, loaded = checkpoint.load_checkpoint(run / "checkpoint-32", CPU)
    data = examples(farmers(), encoder_of(loaded, None), 1)
    test = split(data.problem).test
    answers = predict(again, data, test)
    assert (answers == data.problem.gold[test]).mean() > 0.9
    np.testing.assert_array_equal(answers, predict(model.eval(), data, test))
    files = [find_files(ModelConfig(str(path))) for path in checkpoint.whole_checkpoints(run)]
    assert len({file.identity["weights"] for file in files}) == len(files)
    assert {file.identity["tokenizer"] for file in files} == {files[0].identity["tokenizer"]}
    resumable = [path.parent.name for path in run.glob("*/optimizer.pt")]
    assert resumable == ["checkpoint-32"]  # no other is gone on from, and it is twice the model in size


def test_what_lies_above_the_places_is_saved_as_it_came(tmp_path: Path, tiny_bert: Path) -> None:
    model = trained(tmp_path, tiny_bert, RECIPE, options("--epochs", "1"))
    before, after = AutoModel.from_pretrained(tiny_bert).state_dict(), model.backbone.state_dict()
    assert torch.equal(
        before["encoder.layer.2.output.dense.weight"], after["encoder.layer.2.output.dense.weight"]
    )
    name = "encoder.layer.0.output.dense.weight"
    assert not torch.equal(before[name], after[name])


def test_a_frozen_model_is_left_as_it_is(tmp_path: Path, tiny_bert: Path) -> None:
    model = trained(tmp_path, tiny_bert, RECIPE, options("--epochs", "1", "--frozen"))
    before = AutoModel.from_pretrained(tiny_bert).state_dict()
    assert all(torch.equal(value, before[name]) for name, value in model.backbone.state_dict().items())
    start, _ = checkpoint.load_checkpoint(tmp_path / "checkpoint-0", CPU)
    assert not torch.equal(start.head.weight, model.head.weight)


def test_a_killed_run_goes_on_to_the_same_weights(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(tmp_path / "whole", tiny_bert, RECIPE, options())
    save = ReadOutTrainer._save_checkpoint

    def killed(self: ReadOutTrainer, model: torch.nn.Module, trial: object) -> None:
        if self.state.global_step == 8:  # in the middle of writing the second checkpoint
            folder = Path(str(self.args.output_dir)) / "checkpoint-8"
            folder.mkdir()
            (folder / "model.safetensors").write_bytes(b"half")
            raise KeyboardInterrupt
        save(self, model, trial)

    monkeypatch.setattr(ReadOutTrainer, "_save_checkpoint", killed)
    run = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        trained(run, tiny_bert, RECIPE, options())
    assert [path.name for path in checkpoint.whole_checkpoints(run)] == ["checkpoint-0", "checkpoint-4"]
    monkeypatch.undo()
    torch.rand(7)  # another process has another random state
    trained(run, tiny_bert, RECIPE, options())
    for name in ("model.safetensors", "classifier.safetensors"):
        one, other = (tmp_path / which / "checkpoint-12" / name for which in ("whole", "killed"))
        assert one.read_bytes() == other.read_bytes()
    assert whole.head.weight.isfinite().all()


def test_a_finished_run_is_not_trained_again(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained(tmp_path, tiny_bert, RECIPE, options("--epochs", "1"))
    monkeypatch.setattr(ReadOutTrainer, "train", None)
    trained(tmp_path, tiny_bert, RECIPE, options("--epochs", "1"))


def test_scores_are_regressed(tmp_path: Path, tiny_bert: Path) -> None:
    task = farmers()
    values = np.array([float(text.text.count("farmer")) + 0.1 * (i % 3) for i, text in enumerate(task.units)])
    graded = replace(task, target=Scores(values, (0.0, 1.0, 2.0)), metric="pearson")
    model, data, files = loaded_anew(tiny_bert, replace(RECIPE, classes=None), graded)
    rows = split(data.problem)
    train(tmp_path, model, files, data, rows.train.tolist(), options("--epochs", "8"))
    answers = predict(model.eval(), data, rows.test)
    assert answers.dtype == np.float64
    assert np.corrcoef(answers, values[rows.test])[0, 1] > 0.8


def test_top_heads_are_chosen_on_dev_alone() -> None:
    rng = np.random.default_rng(0)
    grid = pd.DataFrame(
        {"layer": np.repeat(range(3), 4), "head": np.tile(range(4), 3), "dev": rng.random(12)}
    )
    grid["test"] = rng.random(12)
    scrambled = grid.assign(test=rng.permutation(grid["test"].to_numpy()))
    heads = {0: 4, 1: 4, 2: 4}
    chosen = resolve(parse_read("top:5"), heads, (-1, 0), grid.copy)
    again = resolve(parse_read("top:5"), heads, (-1, 0), scrambled.copy)
    best = grid.sort_values("dev").tail(5)
    assert set(chosen.heads) == set(zip(best["layer"], best["head"], strict=True))
    assert chosen == again


def test_places_are_named_by_layer_and_head() -> None:
    assert parse_read("heads:4.10,3.5,4.10") == Read("heads", heads=((3, 5), (4, 10)))
    assert str(parse_read("heads:4.10,3.5")) == "heads:3.5,4.10"
    assert (str(HEADS), str(LAST)) == ("heads 0.1 0.3 1.2", "layer 2")
    assert resolve(parse_read("last"), {0: 4}, (-1, 0, 1), pd.DataFrame) == Places("hidden", ((1, 0),))
    assert resolve(parse_read("layer:-1"), {0: 4}, (-1, 0), pd.DataFrame) == Places("hidden", ((-1, 0),))


def test_held_out_examples_stand_in_for_a_missing_dev_split(small_task: Task) -> None:
    folded = replace(small_task, split=np.array(["train"] * 48 + ["test"] * 12), selection="kfold")
    rows = split(Examples(folded, None, 1).problem)  # type: ignore[arg-type]
    assert 4 <= len(rows.dev) <= 5
    assert not set(rows.train) & set(rows.dev)
    assert set(rows.train) | set(rows.dev) == set(range(48))


def test_the_schedule_ends_at_the_last_epoch_and_has_five_checkpoints() -> None:
    plan = schedule(parse(["--epochs", "3", "--batch", "16"]).options, 500)
    assert (plan.steps, plan.save) == (96, 20)
    assert len([*range(plan.save, plan.steps, plan.save), plan.steps]) == 5


def test_changes_compare_every_grid_with_the_first() -> None:
    cells = pd.DataFrame(
        {
            "layer": [0, 0, 1, 1],
            "head": [0, 1, 0, 1],
            "variant": None,
            "draw": None,
            "stack": None,
            "n_heads": 1,
        }
    )
    first = cells.assign(step=0, dev=[0.9, 0.2, 0.3, 0.4], test=[0.1, 0.2, 0.3, 0.4])
    later = cells.assign(step=9, dev=[0.1, 0.2, 0.8, 0.4], test=[0.8, 0.6, 0.4, 0.2])
    shuffled = pd.concat([later, first]).sample(frac=1, random_state=0)
    table = changes(shuffled, [0, 9]).set_index("step")
    assert table["grid_mean"].tolist() == pytest.approx([0.25, 0.5])
    assert table["best"].tolist() == ["0.0", "1.0"]
    assert table["best_test"].tolist() == pytest.approx([0.1, 0.4])
    assert table["rank_correlation"].tolist() == pytest.approx([1.0, -1.0])


SMALL = ["task.n_train=64", "task.n_dev=32", "task.n_test=32", "extract.threads=1", "extract.device=cpu"]
SMALL += ["probe.l2=[1e-2]"]


def arguments(root: Path, model: Path, *more: str) -> list[str]:
    options = ["--lr", "1e-2", "--epochs", "2", "--save-steps", "8"]
    return [*options, f"paths.root={root}", "model=hf", f"model.name={model}", *SMALL, *more]


def test_the_study_ends_in_a_table_and_grids_over_training(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = arguments(tmp_path, tiny_bert, "--read", "top:2")
    for name in ("draw_run", "draw_sweep"):
        monkeypatch.setattr(f"probing.figures.pictures.{name}", lambda *_: ())
    assert main(command) == 0
    (run,) = (tmp_path / "finetune").iterdir()
    table = pd.read_csv(run / "checkpoints.csv")
    assert table["step"].tolist() == [0, 8]
    assert table["rank_correlation"].iloc[0] == pytest.approx(1)
    assert (run / "trajectories.png").is_file()
    assert table[["dev", "test", "grid_mean", "best_test"]].notna().all().all()
    frame = probing.load_results(tmp_path)
    of_run = frame[frame["step"].notna()]
    assert set(of_run["model"]) == {f"{run.name}@checkpoint-{step}" for step in (0, 8)}
    # checkpoint 0 is the pretrained model, and has its grid; training changes it
    grids = [probing.grid(of_run, step=step).to_numpy() for step in (0, 8)]
    np.testing.assert_array_equal(grids[0], probing.grid(frame[frame["step"].isna()]).to_numpy())
    assert (grids[0] != grids[1]).any()
    # the heads that were read are those with the best dev score of the pretrained model's own grid
    dev = frame[frame["step"].isna()].nlargest(2, "dev", keep="all")
    recipe = json.loads((run / "checkpoint-8" / "finetune.json").read_text())
    assert {tuple(head) for head in recipe["places"]["heads"]} <= set(
        zip(dev["layer"], dev["head"], strict=True)
    )
    capsys.readouterr()
    monkeypatch.setattr(ReadOutTrainer, "train", None)
    monkeypatch.setattr("experiments.finetune.score.load_checkpoint", None)
    monkeypatch.setattr("probing.analyses.probe.ProbeAnalysis.run_part", None)
    assert main(command) == 0  # everything is found
    assert f"table: {run / 'checkpoints.csv'}" in capsys.readouterr().out


def test_a_folder_of_other_settings_is_left_alone(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "settings.json").write_text('{"options": {"lr": 1}}')
    assert main(["--out", str(tmp_path / "mine"), *arguments(tmp_path, tiny_bert)]) == 2
    assert (
        capsys.readouterr()
        .err.strip()
        .endswith("mine: contains a run with other settings; give another --out")
    )
    assert not list((tmp_path / "mine").glob("checkpoint-*"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["model.trust_remote_code=true"], "checkpoints do not contain a model's own code"),
        (["--read", "best"], "--read best: cannot be read; give last, layer:4"),
        (["--read", "layer:3"], "--read layer:3: the model has layers -1 to 2"),
        (["--read", "heads:1.4"], "there is no head 1.4; the model has layers 0 to 2 of 4 heads"),
        (["--read", "top:13"], "--read top:13: the model has 12 heads"),
        (["--batch", "0"], "--batch is 0; it must be positive"),
        (["--dropout", "1"], "--dropout is 1.0"),
        (["--epoch", "1"], "unrecognized arguments: --epoch"),
        (["baseline=control"], "a baseline cannot be fine-tuned"),
        (["experiment=anatomy"], "fine-tuning takes one model and one task; remove experiment="),
        (["task=nothing"], "there is no task=nothing"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    root = tmp_path / "out"
    capsys.readouterr()
    assert main(arguments(root, tiny_bert, *more)) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert not root.exists()


def test_tasks_without_a_test_split_are_refused(small_task: Task) -> None:
    nested = replace(small_task, split=np.array(["train"] * 60), selection="nested", folds=3)
    with pytest.raises(
        ProbingError, match="tested by nested folds; choose a task with a train and a test split"
    ):
        split(Examples(nested, None, 1).problem)  # type: ignore[arg-type]


def test_without_accelerate_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ProbingError, match=r"pip install 'transformer-probing\[finetune\]'"):
        study.study(parse([]))


def as_table(task: Task) -> pd.DataFrame:
    target = task.target
    assert isinstance(target, Classes)
    labels = [target.names[label] for label in target.labels]
    return pd.DataFrame({"text": [unit.text for unit in task.units], "label": labels, "split": task.split})


@pytest.mark.parametrize(
    "recipe",
    [RECIPE, replace(RECIPE, places=LAST, pooling="first"), replace(RECIPE, places=LAST, pooling="last"),
     replace(RECIPE, places=Places("hidden", ((-1, 0),)), pooling="max", max_length=5)],
    ids=["heads", "first", "last", "embeddings, cut"],
)  # fmt: skip
def test_the_classifier_of_a_checkpoint_judges_as_in_the_study(
    tmp_path: Path, tiny_bert: Path, recipe: Recipe
) -> None:
    run = tmp_path / "farm"
    trained(run, tiny_bert, recipe, options("--epochs", "2"))
    task = farmers()
    for folder in checkpoint.whole_checkpoints(run)[::3]:
        model, loaded = checkpoint.load_checkpoint(folder, CPU)
        data = examples(task, encoder_of(loaded, recipe.max_length), 1)
        rows = split(data.problem)
        files = find_files(ModelConfig(str(folder)))
        ready = ready_of(folder, with_saved_head(Classifier(), files), task)
        for name, chosen in (("dev", rows.dev), ("test", rows.test)):
            found: dict[int, float] = {}
            for batch in ready.batches(name):
                with torch.no_grad():
                    output = ready.run(batch)
                found |= dict(zip(batch.rows.tolist(), output.answer.tolist(), strict=True))
            assert [found[row] for row in chosen.tolist()] == predict(model, data, chosen).tolist()


def test_a_checkpoints_score_is_that_of_the_study_and_its_head_is_in_the_key(
    tmp_path: Path, tiny_bert: Path
) -> None:
    run = tmp_path / "farm"
    trained(run, tiny_bert, RECIPE, options("--epochs", "2", "--frozen"))
    frames = []
    for folder in checkpoint.whole_checkpoints(run)[-2:]:
        arguments = [f"paths.root={tmp_path / 'out'}", "model=hf", f"model.name={folder}", "task=table",
                     "task.split=split", "objective=classifier", "analysis=ablation", "extract.threads=1",
                     "analysis.kinds=[leave_one_out]"]  # fmt: skip
        frames.append(probing.run(arguments, data=as_table(farmers())))
        _, loaded = checkpoint.load_checkpoint(folder, CPU)
        data = examples(farmers(), encoder_of(loaded, None), 1)
        expected = scores(folder, data, split(data.problem), CPU)
        assert float(frames[-1]["full"].iloc[0]) == expected["test"]
        read = frames[-1].set_index(["layer", "head"])["value"].astype(float)
        assert (read[[place for place in read.index if place[0] == 2]] == 0).all()  # lies above what is read
    first, second = frames
    assert set(first["objective"]) == {"classifier"}
    assert first["key"].iloc[0] != second["key"].iloc[0]  # a frozen model with another classifier


def test_words_and_classes_of_a_checkpoint(tmp_path: Path, tiny_bert: Path) -> None:
    trained(tmp_path, tiny_bert, RECIPE, options("--epochs", "1"))
    folder = checkpoint.whole_checkpoints(tmp_path)[-1]
    objective = with_saved_head(Classifier(), find_files(ModelConfig(str(folder))))
    target = farmers().target
    assert isinstance(target, Classes)
    turned = replace(farmers(), target=Classes(1 - target.labels, ("yes", "no")))
    one, other = (ready_of(folder, objective, task) for task in (farmers(), turned))
    with torch.no_grad():
        for mine, same in zip(one.batches("test"), other.batches("test"), strict=True):
            torch.testing.assert_close(one.run(mine).loss, other.run(same).loss)
    with pytest.raises(ProbingError, match="classes are no, yes"):
        ready_of(folder, objective, replace(farmers(), target=Classes(target.labels, ("a", "b"))))
    pairs = replace(farmers(), partners=farmers().units)
    with pytest.raises(ProbingError, match="are read separately"):
        objective.check(pairs)
    (folder / "classifier.safetensors").write_bytes(b"broken")
    with pytest.raises(ProbingError, match="cannot be read") as caught:
        ready_of(folder, objective, farmers())
    assert "\n" not in str(caught.value)


def test_a_classifier_on_heads_is_not_pruned(tmp_path: Path, tiny_bert: Path) -> None:
    trained(tmp_path / "farm", tiny_bert, RECIPE, options("--epochs", "1"))
    folder = checkpoint.whole_checkpoints(tmp_path / "farm")[-1]
    arguments = [f"paths.root={tmp_path / 'out'}", "model=hf", f"model.name={folder}", "task=table",
                 "task.split=split", "objective=classifier", "analysis=prune",
                 "extract.threads=1"]  # fmt: skip
    with pytest.raises(ProbingError, match="reads single heads"):
        probing.run(arguments, data=as_table(farmers()))
