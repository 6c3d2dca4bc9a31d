"""Which model is asked, as the command line names it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from probing.errors import ProbingError
from probing.io.files import expanded
from probing.models.checkpoints import names_only_step, step_of
from probing.validation.ranges import Seed, check_ranges


@dataclass(frozen=True)
class ModelConfig:
    """A choice in conf/model.

    Attributes:
        name: A Hugging Face id, a local folder, or `package:<import name>/<folder>` for weights that
            are installed with a Python package.
        label: The model's name in results and pictures; by default the last part of `name`, or, of a folder
            that is named by its step alone, the name of the folder above it.
        revision: Branch, tag or commit of a Hugging Face id.
        pretrained: False asks the untrained twin: the same architecture with seeded random weights.
        seed: Seed of those random weights.
        sha256: If given, the digest that the weights file must have.
        trust_remote_code: Whether code that comes with the model may run.
    """

    name: str
    label: str | None = None
    revision: str | None = None
    pretrained: bool = True
    seed: Seed = 0
    sha256: str | None = None
    trust_remote_code: bool = False

    def __post_init__(self) -> None:
        """Refuse a model without a name, as `model=hf` alone would be."""
        check_ranges(self, "model")
        if not self.name:
            raise ProbingError("model.name is not set; give a Hugging Face id or a folder, model.name=...")

    @property
    def title(self) -> str:
        """What results and pictures call this model; a step is told as `run@checkpoint-200`."""
        folder = expanded(self.name).absolute()
        own, title = folder.name, self.label or folder.name
        if names_only_step(own) and folder.is_dir():
            title = f"{self.label or folder.parent.name}@{own}"
        if self.revision:
            title += f"@{self.revision}"
        return title if self.pretrained else f"{title}-untrained-{self.seed}"

    @property
    def step(self) -> int | None:
        """The training step that the revision or the last part of the name tells, if it was trained."""
        if not self.pretrained:
            return None
        return step_of(self.revision or Path(self.name).name)
