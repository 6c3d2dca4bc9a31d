"""Adapters next to a model's weights, or in a folder of their own: where they lie, and what they hold."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from probing.errors import ProbingError
from probing.models.digests import digest_files, digest_text, json_object

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
FILES = (CONFIG, WEIGHTS)
_NOT_CONTENT = ("base_model_name_or_path", "revision", "inference_mode", "peft_version", "auto_mapping")
PREFIX = "base_model.model."
"""Before the name of every tensor that peft saves."""


@dataclass(frozen=True)
class Adapter:
    """An adapter that peft saved, such as LoRA (Hu et al. 2022).

    Attributes:
        folder: Its folder.
        settings: Its adapter_config.json.
    """

    folder: Path
    settings: dict[str, Any]

    @property
    def kind(self) -> str:
        """The method, as `lora`."""
        return str(self.settings.get("peft_type") or "adapter").lower()

    @property
    def base(self) -> str:
        """The model that it was trained on, as it was called there; "" if that is not known."""
        return str(self.settings.get("base_model_name_or_path") or "")

    @property
    def revision(self) -> str | None:
        """The revision of that model."""
        found = self.settings.get("revision")
        return None if found is None else str(found)

    @cached_property
    def identity(self) -> str:
        """A digest of what it does to a model, whatever the model is called."""
        settings = {key: value for key, value in self.settings.items() if key not in _NOT_CONTENT}
        return digest_text(json.dumps(settings, sort_keys=True) + digest_files([self.folder / WEIGHTS]))

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each of its tensors, by name in the model that it was trained on."""
        from safetensors import safe_open

        with safe_open(self.folder / WEIGHTS, framework="np") as stored:
            found = {name: tuple(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118
        return {name.removeprefix(PREFIX): shape for name, shape in found.items()}

    @property
    def labels(self) -> int | None:
        """The number of classes of a trained head that comes with it; None without one."""
        heads = tuple(self.settings.get("modules_to_save") or ())
        rows = [
            shape[0]
            for name, shape in self.shapes.items()
            if len(shape) == 2 and any(part in heads for part in name.split("."))
        ]
        return min(rows, default=None)

    @property
    def unread(self) -> list[str]:
        """Folders below that hold further adapters, which are not read."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{CONFIG}"))


def find_adapter(folder: Path) -> Adapter | None:
    """The adapter of a folder; None if there is none.

    Raises:
        ProbingError: If it cannot be read, or its weights are missing or a pickle.
    """
    path = folder / CONFIG
    if not path.is_file():
        return None
    settings = json_object(path, "save the adapter again")
    if not (folder / WEIGHTS).is_file():
        raise ProbingError(
            f"{folder}: has {CONFIG} but no {WEIGHTS} (pickles are not read); save the adapter again, or "
            f"remove {CONFIG} to read the model without it"
        )
    return Adapter(folder, settings)


def need_peft(name: str) -> None:
    """Refuse a model with an adapter where peft is missing.

    Raises:
        ProbingError: Naming the package.
    """
    if importlib.util.find_spec("peft") is None:
        raise ProbingError(
            f"model {name}: has an adapter ({CONFIG}), and peft, which reads it, is not installed; "
            "install it with: pip install 'transformer-probing[adapters]'"
        )
