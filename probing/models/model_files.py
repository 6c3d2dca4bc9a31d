"""A model's files on disk, and the digests that say what they hold."""

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
from probing.models.model_choice import ModelConfig
from probing.models.where import base_folder, model_folder

_NOT_CONTENT = ("_name_or_path", "transformers_version", "torch_dtype", "dtype")


@dataclass(frozen=True)
class ModelFiles:
    """Where one model's configuration, tokenizer and weights lie.

    Attributes:
        config: The choice that these files answer.
        folder: The folder that holds them; with an adapter in a folder of its own, that of its base.
        adapter: The adapter that is merged into the weights when they are read.
    """

    config: ModelConfig
    folder: Path
    adapter: Adapter | None = None

    @property
    def title(self) -> str:
        """The model's name in results; one with an adapter says so, `bert+lora`, unless it has a label."""
        merged = None if self.config.label else self._merged
        return self.config.title if merged is None else f"{self.config.title}+{merged.kind}"

    @property
    def _merged(self) -> Adapter | None:
        """The adapter, if there are weights to merge it into."""
        return self.adapter if self.config.pretrained else None

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The model's config.json, or the file that this names for the library's version.

        Raises:
            ProbingError: If it is not JSON.
        """
        settings = json_object(self.folder / "config.json")
        if "configuration_files" not in settings:
            return settings
        from transformers.configuration_utils import get_configuration_file

        return json_object(self.folder / get_configuration_file(settings["configuration_files"]))

    @cached_property
    def weights(self) -> tuple[Path, ...]:
        """The files that weights are read from; an index of several comes first."""
        return tuple(weight_files(self.folder, self.settings))

    @cached_property
    def tokenizer_folder(self) -> Path:
        """Where the tokenizer lies: here, or above a folder that is named by its training step alone.

        Trainers that save the tokenizer once leave it next to their checkpoints. An adapter's own tokenizer
        goes before that of its base.
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
        """What the model computes, by content alone: digests of weights, configuration and tokenizer.

        Raises:
            ProbingError: If the weights do not have the digest that the configuration asks for.
        """
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
        """The model's own code, and that of other repositories which its configuration names."""
        folders = dict.fromkeys([self.folder, self.tokenizer_folder])
        maps = [self.settings, *map(json_object, matching(self.tokenizer_folder, ["tokenizer_config.json"]))]
        named = [_flat(each["auto_map"]) for each in maps if each.get("auto_map")]
        others = sorted({name.partition("--")[0] for names in named for name in names if "--" in name})
        for other in others:
            folders[model_folder(replace(self.config, name=other, revision=None))] = None
        return [path for folder in folders for path in matching(folder, ["**/*.py"])]

    def _cut(self) -> str:
        """What was cut, as text; "" of a whole model."""
        path = self.folder / PRUNED
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _weights_identity(self) -> str:
        if not self.config.pretrained:
            return f"random-{self.config.seed}"
        digest = digest_files(self.weights)
        if self.config.sha256 and digest != self.config.sha256:
            raise ProbingError(
                f"{self.weights[0]}: sha256 is {digest}, not the expected {self.config.sha256}; "
                "reinstall the model, or drop model.sha256 if the change is wanted"
            )
        return digest


def find_files(config: ModelConfig) -> ModelFiles:
    """Find a model's files: in a folder, in an installed package, or on the Hugging Face hub.

    Raises:
        ProbingError: If there is no such model, it has no safetensors weights, it needs code of its own that
            is not trusted, or it has an adapter and peft is missing.
    """
    files = _found(config, model_folder(config))
    if not (files.folder / "config.json").is_file():
        raise ProbingError(f"{files.folder}: no config.json; model.name must be a model's own folder")
    if config.pretrained and not files.weights:
        raise ProbingError(
            f"{config.name}: no model.safetensors (weights in other formats are not read); name a "
            "model.revision that has it, or load the model once with transformers and save_pretrained it"
        )
    if not matching(files.tokenizer_folder, VOCABULARY):
        raise ProbingError(f"{files.folder}: the model has no tokenizer; put its tokenizer files there too")
    _ = files.settings  # read once, so that a broken file is reported before anything is done
    _check_code(files)
    return files


def _found(config: ModelConfig, folder: Path) -> ModelFiles:
    """The files of a folder; where an adapter lies alone, those of its base with it."""
    adapter = find_adapter(folder)
    if adapter is None:
        return ModelFiles(config, folder)
    if config.pretrained:
        need_peft(config.name)
    files = ModelFiles(config, folder, adapter)
    if (folder / "config.json").is_file() and files.weights:
        return files
    base = base_folder(config, adapter)
    if find_adapter(base) is not None:
        raise ProbingError(
            f"adapter {folder}: its base {base} has an adapter too; merge that into its weights first"
        )
    return ModelFiles(config, base, adapter)


def _check_code(files: ModelFiles) -> None:
    """Refuse a model that only its own code can build, unless that is trusted."""
    if files.config.trust_remote_code or not files.settings.get("auto_map"):
        return
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    if files.settings.get("model_type") not in CONFIG_MAPPING:
        raise untrusted(files.config.name)


def untrusted(name: str) -> ProbingError:
    """The error for a model whose code may not run."""
    return ProbingError(
        f"model {name}: comes with code of its own, which has not run; read that code, and if you trust it "
        "set model.trust_remote_code=true"
    )


def _flat(auto_map: Any) -> list[str]:  # noqa: ANN401
    """The classes that an `auto_map` names; of tokenizers it may hold pairs."""
    values = auto_map.values() if isinstance(auto_map, dict) else auto_map
    return [str(name) for each in values for name in (each if isinstance(each, list) else [each]) if name]
