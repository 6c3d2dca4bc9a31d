"""Adapters, stored next to a model's weights or in a folder of their own."""

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
"""Prefix of every tensor name that peft saves."""


@dataclass(frozen=True)
class Adapter:
    """An adapter saved by peft, such as LoRA (Hu et al. 2022).

    Attributes:
        folder: Folder of the adapter.
        settings: Contents of its adapter_config.json.
    """

    folder: Path
    settings: dict[str, Any]

    @property
    def kind(self) -> str:
        """Method of the adapter, such as `lora`."""
        return str(self.settings.get("peft_type") or "adapter").lower()

    @property
    def base(self) -> str:
        """Name of the base model that it was trained on, as saved with it; "" if unknown."""
        return str(self.settings.get("base_model_name_or_path") or "")

    @property
    def revision(self) -> str | None:
        """Revision of the base model; None if unknown."""
        found = self.settings.get("revision")
        return None if found is None else str(found)

    @cached_property
    def identity(self) -> str:
        """Digest of the weights and settings that change a model, without the name of the base model."""
        settings = {key: value for key, value in self.settings.items() if key not in _NOT_CONTENT}
        return digest_text(json.dumps(settings, sort_keys=True) + digest_files([self.folder / WEIGHTS]))

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each tensor, by its name in the base model."""
        from safetensors import safe_open

        with safe_open(self.folder / WEIGHTS, framework="np") as stored:
            found = {name: tuple(stored.get_slice(name).get_shape()) for name in stored.keys()}  # noqa: SIM118
        return {name.removeprefix(PREFIX): shape for name, shape in found.items()}

    @property
    def labels(self) -> int | None:
        """Number of classes of the trained head that comes with the adapter; None without one."""
        heads = tuple(self.settings.get("modules_to_save") or ())
        rows = [
            shape[0]
            for name, shape in self.shapes.items()
            if len(shape) == 2 and any(part in heads for part in name.split("."))
        ]
        return min(rows, default=None)

    @property
    def unread(self) -> list[str]:
        """Names of subfolders that contain further adapters, which are not read."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{CONFIG}"))


def find_adapter(folder: Path) -> Adapter | None:
    """Return the adapter in a folder, or None if there is none.

    Raises:
        ProbingError: If its settings cannot be read, or its weights are missing or pickled.
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
    """Reject a model with an adapter if peft is not installed.

    Raises:
        ProbingError: If peft is missing; the message says how to install it.
    """
    if importlib.util.find_spec("peft") is None:
        raise ProbingError(
            f"model {name}: has an adapter ({CONFIG}), but peft, which reads it, is not installed; "
            "install it with: pip install 'transformer-probing[adapters]'"
        )
