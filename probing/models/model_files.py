"""Files of a model on disk, and digests of their contents."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from probing.errors import ProbingError
from probing.models.adapter import Adapter, find_adapter, need_peft
from probing.models.checkpoints import names_only_step
from probing.models.digests import (
    PRUNED,
    TOKENIZER,
    VOCABULARY,
    digest_files,
    digest_text,
    json_object,
    matching,
    weight_files,
)
from probing.models.gguf_file import gguf_in, gguf_settings
from probing.models.model_choice import ModelConfig
from probing.models.where import base_folder, model_folder
from probing.validation.shortened import shortened

_NOT_CONTENT = ("_name_or_path", "transformers_version", "torch_dtype", "dtype")


@dataclass(frozen=True)
class ModelFiles:
    """Location of one model's configuration, tokenizer and weights.

    Attributes:
        config: Choice of the model that these files belong to.
        folder: Folder of the files. For an adapter in its own folder, it is the folder of the base model.
        adapter: Adapter to merge into the weights when they are read; None without one.
        gguf: GGUF file in the folder from which everything is read; None for a folder with a config.json.
    """

    config: ModelConfig
    folder: Path
    adapter: Adapter | None = None
    gguf: Path | None = None

    def __repr__(self) -> str:
        """Return the name in results, and the folder."""
        return f"ModelFiles({self.title}: {shortened(str(self.folder), 120)})"

    @property
    def title(self) -> str:
        """Name of the model in results. Without a label, it includes an adapter, as in `bert+lora`."""
        merged = None if self.config.label else self._merged
        return self.config.title if merged is None else f"{self.config.title}+{merged.kind}"

    @property
    def _merged(self) -> Adapter | None:
        """Adapter that is merged; None without one, or without trained weights to merge it into."""
        return self.adapter if self.config.pretrained else None

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Contents of config.json, or of the file that it names for this version of transformers.

        Raises:
            ProbingError: If the file is not JSON, or a GGUF file cannot be read.
        """
        if self.gguf is not None:
            return gguf_settings(self.gguf, self._digest)
        settings = json_object(self.folder / "config.json")
        if "configuration_files" not in settings:
            return settings
        from transformers.configuration_utils import get_configuration_file

        return json_object(self.folder / get_configuration_file(settings["configuration_files"]))

    @cached_property
    def weights(self) -> tuple[Path, ...]:
        """Files that weights are read from; the index of several files comes first."""
        return (self.gguf,) if self.gguf is not None else tuple(weight_files(self.folder, self.settings))

    @cached_property
    def _digest(self) -> str:
        return digest_files(self.weights)

    @cached_property
    def tokenizer_folder(self) -> Path:
        """Folder of the tokenizer: the model's own, or the one above if the model's is named only by a step.

        Trainers that save the tokenizer once leave it next to their checkpoints. An adapter's own tokenizer
        takes precedence over that of its base model.
        """
        for own in (self.folder if self.adapter is None else self.adapter.folder, self.folder):
            above = own.absolute().parent
            if matching(own, VOCABULARY):
                return own
            if names_only_step(own.absolute().name) and matching(above, VOCABULARY):
                return above
        return self.folder

    @cached_property
    def identity(self) -> dict[str, str]:
        """Digests of weights, configuration and tokenizer, which identify the model by content alone.

        Raises:
            ProbingError: If the weights do not have the configured digest.
        """
        if self.gguf is not None:
            parts = dict.fromkeys(("config", "tokenizer"), self._digest)
            return {"weights": self._weights_identity(), **parts, "code": ""}
        settings = {key: value for key, value in self.settings.items() if key not in _NOT_CONTENT}
        tokenizer = matching(self.tokenizer_folder, TOKENIZER)
        code = self._code() if self.config.trust_remote_code else []
        return {
            "weights": self._weights_identity(),
            "config": digest_text(json.dumps(settings, sort_keys=True) + self._cut()),
            "tokenizer": digest_files(tokenizer),
            "code": digest_files(code) if code else "",
            **({} if self._merged is None else {"adapter": self._merged.identity}),
        }

    def _code(self) -> list[Path]:
        """Return the model's own code, and the code of other repositories that its configuration names."""
        folders = dict.fromkeys([self.folder, self.tokenizer_folder])
        maps = [self.settings, *map(json_object, matching(self.tokenizer_folder, ["tokenizer_config.json"]))]
        named = [_flat(each["auto_map"]) for each in maps if each.get("auto_map")]
        others = sorted({name.partition("--")[0] for names in named for name in names if "--" in name})
        for other in others:
            folders[model_folder(replace(self.config, name=other, revision=None))] = None
        return [path for folder in folders for path in matching(folder, ["**/*.py"])]

    def _cut(self) -> str:
        """Return the record of removed heads as text; "" for a whole model."""
        path = self.folder / PRUNED
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _weights_identity(self) -> str:
        if not self.config.pretrained:
            return f"random-{self.config.seed}"
        digest = self._digest
        if self.config.sha256 and digest != self.config.sha256:
            raise ProbingError(
                f"{self.weights[0]}: sha256 is {digest}, not the expected {self.config.sha256}; "
                "reinstall the model, or remove model.sha256 if the change is intended"
            )
        return digest


def find_files(config: ModelConfig) -> ModelFiles:
    """Find a model's files in a folder, in an installed package, or on the Hugging Face Hub.

    Raises:
        ProbingError: If the model does not exist, has neither safetensors weights nor one GGUF file, needs
            its own code although that is not trusted, or has an adapter although peft is missing.
    """
    place = model_folder(config)
    adapter = find_adapter(place)
    gguf = gguf_in(place, config.name) if adapter is None else None
    if gguf is not None:
        files = ModelFiles(config, gguf.parent, gguf=gguf)
    else:
        files = _found(config, place, adapter)
        _check_folder(files)
    _ = files.settings  # read now, so that a broken file is reported before any work
    _check_code(files)
    return files


def _check_folder(files: ModelFiles) -> None:
    """Reject a folder without a configuration, weights or a tokenizer."""
    config = files.config
    if not (files.folder / "config.json").is_file():
        raise ProbingError(
            f"{files.folder}: no config.json; model.name must be the folder of a model, or a GGUF file"
        )
    if config.pretrained and not files.weights:
        raise ProbingError(
            f"{config.name}: no model.safetensors (weights in other formats are not read); set a "
            "model.revision that has it, or load the model with transformers and save it with save_pretrained"
            f"{_or_gguf(files)}"
        )
    if not matching(files.tokenizer_folder, VOCABULARY):
        raise ProbingError(f"{files.folder}: the model has no tokenizer; add its tokenizer files there")


def _or_gguf(files: ModelFiles) -> str:
    """Return the advice to name a GGUF file of the folder; "" if it has none."""
    found = matching(files.folder, ["*.gguf"])
    return f", or read a GGUF file with model.name={files.config.name}/{found[0].name}" if found else ""


def _found(config: ModelConfig, folder: Path, adapter: Adapter | None) -> ModelFiles:
    """Return the files of a folder; for an adapter stored alone, with those of its base model."""
    if adapter is None:
        return ModelFiles(config, folder)
    if config.pretrained:
        need_peft(config.name)
    files = ModelFiles(config, folder, adapter)
    if (folder / "config.json").is_file() and files.weights:
        return files
    base = base_folder(config, adapter)
    if gguf_in(base, adapter.base) is not None:
        raise ProbingError(
            f"adapter {folder}: its base model {adapter.base} is a GGUF file, into which adapters are not "
            "merged; name a folder with its safetensors in base_model_name_or_path"
        )
    if find_adapter(base) is not None:
        raise ProbingError(
            f"adapter {folder}: its base {base} also has an adapter; merge that one into its weights first"
        )
    return ModelFiles(config, base, adapter)


def _check_code(files: ModelFiles) -> None:
    """Reject a model that only its own code can build, unless that code is trusted."""
    if files.config.trust_remote_code or not files.settings.get("auto_map"):
        return
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if files.settings.get("model_type") not in CONFIG_MAPPING:
        raise untrusted(files.config.name)


def untrusted(name: str) -> ProbingError:
    """Return the error for a model whose code may not run."""
    return ProbingError(
        f"model {name}: needs its own code, which was not run; read that code, and if you trust it, "
        "set model.trust_remote_code=true"
    )


def _flat(auto_map: Any) -> list[str]:  # noqa: ANN401
    """Return the classes that an `auto_map` names; for tokenizers it may contain pairs."""
    values = auto_map.values() if isinstance(auto_map, dict) else auto_map
    return [str(name) for each in values for name in (each if isinstance(each, list) else [each]) if name]
