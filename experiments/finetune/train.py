"""Training with transformers' Trainer, which can be interrupted at any step and resumed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from experiments.finetune import checkpoint
from experiments.finetune.examples import Examples
from experiments.finetune.options import Options
from experiments.finetune.readout import ReadOut
from probing.models.model_files import ModelFiles

CHECKPOINTS = 5  # number of checkpoints if no interval is given


@dataclass(frozen=True)
class Schedule:
    """Numbers of steps.

    Attributes:
        steps: Number of steps of the whole training.
        save: Number of steps between two checkpoints.
        warm: Number of steps of the rise to the peak learning rate.
    """

    steps: int
    save: int
    warm: int


def schedule(options: Options, n_train: int) -> Schedule:
    """Return the numbers of steps for a number of examples."""
    steps = max(1, math.ceil(options.epochs * math.ceil(n_train / options.batch)))
    save = options.save_steps or math.ceil(steps / CHECKPOINTS)
    return Schedule(steps, min(save, steps), steps // 10)


class _LossOfCheckpoints(TrainerCallback):
    """Callback that logs the mean loss since the previous checkpoint, with every checkpoint."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        control.should_log = control.should_save


class ReadOutTrainer(Trainer):
    """Trainer whose checkpoints are plain model folders that also contain a classifier."""

    def __init__(self, source: ModelFiles, **rest: Any) -> None:  # noqa: ANN401
        """Train `model`, a ReadOut, whose tokenizer is that of `source`."""
        super().__init__(**rest)
        self._source = source

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        checkpoint.save_model(Path(str(output_dir)), self._readout, self._source)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:  # noqa: ANN401
        super()._save_checkpoint(model, trial)
        run = Path(str(self.args.output_dir))
        folder = run / f"checkpoint-{self.state.global_step}"
        checkpoint.mark_whole(folder, self._readout.recipe)
        checkpoint.drop_superseded(run, folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        checkpoint.restore(self._readout, Path(resume_from_checkpoint))

    @property
    def _readout(self) -> ReadOut:
        model: ReadOut = self.accelerator.unwrap_model(self.model)
        return model


def train(
    run: Path, model: ReadOut, source: ModelFiles, data: Examples, rows: list[int], options: Options
) -> None:
    """Train from the last complete checkpoint of a run to its end; do nothing if it has ended.

    Args:
        run: Folder of the run.
        model: Classifier with its initial weights.
        source: Folder of its tokenizer.
        data: The examples.
        rows: Rows to train on.
        options: Settings of training.
    """
    plan = schedule(options, len(rows))
    start = run / "checkpoint-0"
    checkpoint.drop_half_written(run)
    if not start.is_dir():
        checkpoint.save_model(start, model, source)
        checkpoint.mark_whole(start, model.recipe)
    last = checkpoint.resumable(run)
    if last is not None and last.name == f"checkpoint-{plan.steps}":
        return
    model.train_backbone(not options.frozen)
    trainer = ReadOutTrainer(
        source, model=model, args=_arguments(run, options, plan, next(model.parameters()).device),
        train_dataset=rows, data_collator=data, callbacks=[_LossOfCheckpoints()],
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=None if last is None else str(last))


def _arguments(run: Path, options: Options, plan: Schedule, device: torch.device) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=str(run),
        max_steps=plan.steps,
        per_device_train_batch_size=options.batch,
        learning_rate=options.lr,
        weight_decay=options.weight_decay,
        warmup_steps=plan.warm,
        save_strategy="steps",
        save_steps=plan.save,
        logging_strategy="no",
        seed=options.seed,
        data_seed=options.seed,
        use_cpu=device.type == "cpu",
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=False,
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # hooks in one model; several copies would share them
    return arguments
