"""Options of the command line: settings of training, and what the classifier reads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from experiments.arguments import Parser
from experiments.finetune.places import Read, parse_read
from probing.errors import ProbingError

USAGE = """\
python -m experiments.finetune [--option value ...] [key=value ...]

Fine-tunes a classifier on a task, saves checkpoints, and probes each of them. Keys are those of the
command `probing` (model=, task=, pooling=, probe=, ...; see probing --help). Run the same command again to
resume an interrupted run.

  python -m experiments.finetune task=senteval/sst2 task.root=DATA task.limit=500
  python -m experiments.finetune --read top:8 task=senteval/sst2 task.root=DATA task.limit=500
"""


@dataclass(frozen=True)
class Options:
    """Settings of training.

    Attributes:
        read: Layer or heads that the classifier reads.
        epochs: Number of passes over the training examples.
        lr: Peak learning rate. It rises over the first tenth of the steps and falls to 0 linearly.
        batch: Number of examples in a step.
        save_steps: Number of steps between checkpoints; None makes five checkpoints for any length.
        seed: Seed of the classifier's weights, the order of examples and dropout.
        dropout: Share of the vector that is dropped.
        weight_decay: Weight decay of AdamW.
        frozen: Whether only the classifier is trained and the model is unchanged.
    """

    read: Read
    epochs: float = 3.0
    lr: float = 5e-5
    batch: int = 16
    save_steps: int | None = None
    seed: int = 1111
    dropout: float = 0.1
    weight_decay: float = 0.01
    frozen: bool = False

    def __post_init__(self) -> None:
        """Refuse impossible settings."""
        for name in ("epochs", "lr", "batch", "save_steps"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ProbingError(f"--{name.replace('_', '-')} is {value}; it must be positive")
        if not 0 <= self.dropout < 1:
            raise ProbingError(f"--dropout is {self.dropout}; give 0 or more, below 1")


@dataclass(frozen=True)
class Command:
    """A whole command line.

    Attributes:
        options: Settings of training.
        overrides: Overrides for `probing`, as on its command line.
        out: Folder of the run; None takes one below `paths.root`.
    """

    options: Options
    overrides: tuple[str, ...]
    out: Path | None = None


def parse(arguments: Sequence[str] | None = None) -> Command:
    """Read a command line.

    Raises:
        ProbingError: If an option is unknown or its value is impossible.
    """
    given = vars(_parser().parse_intermixed_args(arguments))
    chosen = {field.name: given[field.name] for field in fields(Options)}
    chosen["read"] = parse_read(given["read"])
    return Command(Options(**chosen), tuple(given["overrides"]), given["out"])


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m experiments.finetune",
        usage=USAGE,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--read", default="last", help="last | layer:4 | heads:4.10,3.5 | top:8 (the best heads on dev)")
    add("--epochs", type=float, default=Options.epochs, help="passes over the training examples")
    add("--lr", type=float, default=Options.lr, help="peak learning rate")
    add("--batch", type=int, default=Options.batch, help="number of examples in a step")
    add("--save-steps", type=int, help="number of steps between checkpoints; five checkpoints by default")
    add("--seed", type=int, default=Options.seed, help="seed of weights, order and dropout")
    add("--dropout", type=float, default=Options.dropout, help="share of the vector that is dropped")
    add("--weight-decay", type=float, default=Options.weight_decay, help="of AdamW")
    add("--frozen", action="store_true", help="train only the classifier")
    add("--out", type=Path, help="folder of the run; below paths.root/finetune by default")
    add("overrides", nargs="*", metavar="key=value", help="overrides as for the command probing")
    return parser
