"""The study from its command to its table: train, score and probe every checkpoint, compare."""

from __future__ import annotations

import glob
import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch

from experiments.finetune.changes import changes
from experiments.finetune.checkpoint import whole_checkpoints
from experiments.finetune.examples import Examples, Split, encoder_of, examples, split
from experiments.finetune.options import Command
from experiments.finetune.places import Places, resolve
from experiments.finetune.readout import ReadOut, Recipe
from experiments.finetune.score import scores
from experiments.finetune.train import train
from probing.cli.multirun import run_sweep
from probing.cli.run import run as probe
from probing.config.compose import compose_config, plain_values
from probing.config.quoting import quoted
from probing.config.run_config import build_config
from probing.errors import ProbingError
from probing.figures.picture import files_of
from probing.figures.trajectories import draw_trajectories
from probing.io.files import file_name, replace_file
from probing.io.locks import BusyError, held
from probing.io.log import log_to_terminal
from probing.models.loading import LoadedModel, load_model
from probing.models.trace import find_sites
from probing.representations.threads import torch_threads
from probing.results.load import load_results
from probing.runs.pipeline import Run
from probing.runs.prepare import prepare
from probing.tasks.target import Classes, one_answer

SETTINGS, TABLE = "settings.json", "checkpoints.csv"


@dataclass(frozen=True)
class Study:
    """A fine-tuning run with everything resolved.

    Attributes:
        command: The command line.
        run: Task, model and pooling, as resolved by the command `probing`.
        data: Examples of the task as batches.
        rows: Rows of train, dev and test.
        recipe: Settings of the classifier.
    """

    command: Command
    run: Run
    data: Examples
    rows: Split
    recipe: Recipe

    @property
    def settings(self) -> dict[str, object]:
        """Settings on which the weights of the last checkpoint depend."""
        return {
            "options": {**asdict(self.command.options), "read": str(self.command.options.read)},
            "recipe": asdict(self.recipe),
            "model": dict(self.run.spec.files.identity),
            "task": self.run.spec.task.digest,
        }

    @property
    def folder(self) -> Path:
        """Folder of the checkpoints: the given one, or one with a name that is unique to the settings."""
        if self.command.out is not None:
            return self.command.out
        digest = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:8]
        title = f"{self.run.spec.names['model']}.{self.run.spec.task.name}.{self.command.options.read}"
        return self.run.config.paths.root / "finetune" / f"{file_name(title, 100)}.{digest}"

    @property
    def device(self) -> torch.device:
        """Device of computations."""
        return self.run.config.extract.torch_device()


def study(command: Command) -> pd.DataFrame:
    """Fine-tune, score and probe every checkpoint, and report how the grid changes.

    Returns:
        One row for every checkpoint: `step`; `loss`, the mean training loss since the checkpoint before;
        `dev` and `test` of the classifier; and the columns of `changes`. Also written as `checkpoints.csv`.

    Raises:
        ProbingError: If the settings or the data are invalid; no unfinished files are left behind.
    """
    if importlib.util.find_spec("accelerate") is None:
        raise ProbingError(
            "fine-tuning needs accelerate, which is not installed; "
            "install it with: pip install 'transformer-probing[finetune]'"
        )
    with log_to_terminal():
        run = _prepare(command.overrides)
        loaded = load_model(run.spec.files, device=run.config.extract.torch_device())
        asked = _asked(command, run, loaded)
        print(
            f"fine-tuning {run.spec.names['model']} on {run.spec.task.name}, reading {asked.recipe.places}, "
            f"pooling {asked.recipe.pooling}: {asked.folder}"
        )
        with _claimed(asked):
            model = ReadOut(loaded, asked.recipe, command.options.seed).to(asked.device)
            rows = asked.rows.train.tolist()
            with torch_threads(run.config.extract.threads or torch.get_num_threads()):
                train(asked.folder, model, run.spec.files, asked.data, rows, command.options)
                del model, loaded
                scored = _scored(asked)
            frame = _probed(asked)
            table = scored.merge(changes(frame, sorted(frame["step"].unique())), on="step")
            replace_file(asked.folder / TABLE, table.to_csv(index=False).encode())
    print(table.to_string(index=False, float_format="{:.3f}".format))
    _draw(frame, asked.folder / "trajectories")
    print(f"table: {asked.folder / TABLE}")
    return table


def _prepare(overrides: Sequence[str]) -> Run:
    composed = compose_config(overrides)
    if composed.hydra.sweeper.params:
        raise ProbingError("fine-tuning takes one model and one task; remove experiment=...")
    config = build_config(plain_values(composed))
    if config.baseline.kind != "none":
        raise ProbingError(f"baseline={config.baseline.kind}: a baseline cannot be fine-tuned; remove it")
    if config.model.trust_remote_code:
        raise ProbingError(
            "model.trust_remote_code: checkpoints do not contain a model's own code; remove the option"
        )
    run = prepare(config)
    if run.spec.files.settings.get("is_encoder_decoder"):
        raise ProbingError(
            f"model {config.model.name}: only the encoder of an encoder-decoder model is read, and it cannot "
            "be saved as a separate model; choose another model"
        )
    return run


def _asked(command: Command, run: Run, loaded: LoadedModel) -> Study:
    max_length = run.config.extract.max_length
    data = examples(run.spec.task, encoder_of(loaded, max_length), command.options.seed)
    target = one_answer(run.spec.task.target, "fine-tuning", "probing, analysis=probe")
    recipe = Recipe(
        places=_places(command, loaded),
        pooling=run.spec.request.pooling,
        features=data.task.features if data.task.partners else None,
        classes=target.names if isinstance(target, Classes) else None,
        dropout=command.options.dropout,
        max_length=max_length,
    )
    return Study(command, run, data, split(data.problem), recipe)


def _places(command: Command, loaded: LoadedModel) -> Places:
    found = find_sites(loaded.model)
    heads = {site.layer: site.heads for site in found.read("head")}
    layers = tuple(site.layer for site in found.read("hidden"))

    def grid() -> pd.DataFrame:
        own = [item for item in command.overrides if not re.match(r"[+~]*granularity\b", item)]
        return probe([*own, "granularity=head"])

    return resolve(command.options.read, heads, layers, grid)


@contextmanager
def _claimed(asked: Study) -> Iterator[None]:
    """Lock the run's folder, which must have the same settings."""
    asked.folder.mkdir(parents=True, exist_ok=True)
    path, settings = asked.folder / SETTINGS, json.dumps(asked.settings, indent=1, sort_keys=True)
    try:
        with held(asked.folder / ".lock", wait=False):
            if path.is_file() and path.read_text(encoding="utf-8") != settings:
                raise ProbingError(f"{asked.folder}: contains a run with other settings; give another --out")
            replace_file(path, settings.encode())
            yield
    except BusyError as error:
        raise ProbingError(f"{asked.folder}: another process is training there; wait for its end") from error


def _scored(asked: Study) -> pd.DataFrame:
    folders = whole_checkpoints(asked.folder)
    history = json.loads((folders[-1] / "trainer_state.json").read_text(encoding="utf-8"))["log_history"]
    losses = {entry["step"]: entry["loss"] for entry in history if "loss" in entry}
    rows = []
    for folder in folders:
        step = int(folder.name.rpartition("-")[2])
        found = scores(folder, asked.data, asked.rows, asked.device)
        rows.append({"step": step, "loss": losses.get(step), **found})
    return pd.DataFrame(rows)


def _probed(asked: Study) -> pd.DataFrame:
    """Return the result rows of all checkpoints, from a sweep of the command `probing`."""
    pattern = f"{glob.escape(str(asked.folder))}/checkpoint-*"
    own = [item for item in asked.command.overrides if not re.match(r"[+~]*model\b", item)]
    outcomes = run_sweep([*own, "model=hf", f"model.name=glob({quoted(pattern)})"])
    failed = [outcome.problem for outcome in outcomes if outcome.frame is None]
    if failed:
        raise ProbingError(f"{len(failed)} of {len(outcomes)} checkpoints were not probed: {failed[0]}")
    keys = {outcome.frame["key"].iloc[0] for outcome in outcomes if outcome.frame is not None}
    frame = load_results(asked.run.config.paths.root)
    return frame[frame["key"].isin(keys)]


def _draw(frame: pd.DataFrame, path: Path) -> None:
    """Draw the scores of heads or layers over training; rows of several heads together are not drawn."""
    if frame["granularity"].isin(["head", "layer", "attention"]).all():
        print(f"picture: {files_of(draw_trajectories(frame, path), path)[0]}")
