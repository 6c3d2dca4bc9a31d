"""The choice of a model, as given on the command line."""

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
        name: Hugging Face id, local folder, or `package:<import name>/<folder>` for weights that are
            installed with a Python package; or one GGUF file in any of these.
        label: Name of the model in results and figures. The default is the last part of `name`. For a folder
            whose name is only a training step, it is the name of the folder above it.
        revision: Branch, tag or commit of a Hugging Face id.
        pretrained: Whether to load the trained weights. False gives the randomly initialised model
            (untrained): the same architecture with seeded random weights.
        seed: Seed of the random weights.
        sha256: Digest that the weights file must have; None accepts any.
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
        """Reject a model without a name, such as `model=hf` alone."""
        check_ranges(self, "model")
        if not self.name:
            raise ProbingError("model.name is not set; give a Hugging Face id or a folder, model.name=...")

    @property
    def title(self) -> str:
        """Name of the model in results and figures; a checkpoint is named `run@checkpoint-200`."""
        folder = expanded(self.name).absolute()
        own = folder.name
        title = self.label or (folder.parent.name if own == "model" else own.removesuffix(".gguf"))
        if names_only_step(own) and folder.is_dir():
            title = f"{self.label or folder.parent.name}@{own}"
        if self.revision:
            title += f"@{self.revision}"
        return title if self.pretrained else f"{title}-untrained-{self.seed}"

    @property
    def step(self) -> int | None:
        """Training step in the revision or in the last part of the name; None if untrained."""
        if not self.pretrained:
            return None
        return step_of(self.revision or Path(self.name).name)
