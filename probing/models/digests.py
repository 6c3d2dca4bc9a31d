"""The files that are read from a model's folder, and their digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from probing.errors import ProbingError

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
WEIGHTS = (WHOLE, "model-*-of-*.safetensors")
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
    "*tekken*.json",
)
TOKENIZER = (
    *VOCABULARY,
    "special_tokens_map.json",
    "added_tokens.json",
    "normalizer.json",
    "emoji.json",
    "byte_maps.json",
    "word_shape.json",
    "word_pronunciation.json",
)
PRUNED = "pruned_heads.json"
"""Name of the file that lists the removed heads in a folder written by `save_pruned`."""
DISTRIBUTED = "shard-*-model-*-of-*.safetensors"
"""Files of a checkpoint written by several processes; if there is one, every safetensors file is read."""


def matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """Return the files of a folder that match any of the patterns, sorted."""
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if path.is_file())


def weight_files(folder: Path, settings: Mapping[str, Any]) -> list[Path]:
    """Return the files that `from_pretrained` reads weights from, in its own order of preference.

    Args:
        folder: Folder of the model.
        settings: Contents of its config.json.

    Returns:
        The index, if one is used, and the files that it names; or a single file; or an empty list.

    Raises:
        ProbingError: If an index cannot be read, or names a file that is missing or in another folder.
    """
    if matching(folder, [DISTRIBUTED]):
        return matching(folder, ["*.safetensors"])
    named = settings.get("transformers_weights")
    candidates = [str(named)] if named else [WHOLE, INDEX]
    first = next((folder / name for name in candidates if (folder / name).is_file()), None)
    if first is None:
        return matching(folder, WEIGHTS[1:]) if not named else []
    files = [first, *_shards(first)] if first.name.endswith(".index.json") else [first]
    return [*files, *_of_family(folder, settings)]


def _shards(index: Path) -> list[Path]:
    """Return the files that a weight index names."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        reason = "cannot be read as a weight index"
        raise ProbingError(f"{index}: {reason} ({error}); fetch the model again") from error
    shards = [index.parent / str(name) for name in names]
    lost = next((path for path in shards if path.parent != index.parent or not path.is_file()), None)
    if lost is not None:
        raise ProbingError(
            f"{index.parent / lost.name}: is missing, although {index.name} names it; fetch it, or the "
            "whole model again"
        )
    return shards


def _of_family(folder: Path, settings: Mapping[str, Any]) -> list[Path]:
    """Return further files that some families store next to the weights and read with them."""
    if len(matching(folder, ["*.safetensors"])) == len(matching(folder, WEIGHTS)):
        return []
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    family = str(settings.get("model_type"))
    if family not in CONFIG_MAPPING:
        return []
    kind = CONFIG_MAPPING[family]
    names = [*getattr(kind, "extra_files", ()), *getattr(kind, "extra_config_files", ())]
    return [folder / name for name in names if (folder / name).is_file()]


def digest_text(text: str) -> str:
    """Return the SHA-256 digest of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_files(paths: Sequence[Path]) -> str:
    """Return one digest for several files; for a single file it is the file's own digest."""
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(_digest_file, paths))
    if len(digests) == 1:
        return digests[0]
    names = [f"{path.name}:{digest}" for path, digest in zip(paths, digests, strict=True)]
    return digest_text("\n".join(names))


def check_fetched(path: Path) -> None:
    """Reject a Git LFS pointer, which a clone without LFS has in place of a weights file.

    Raises:
        ProbingError: If the file is only a pointer.
    """
    with path.open("rb") as stream:
        if stream.read(24).startswith(b"version https://git-lfs"):
            raise ProbingError(f"{path}: is only a Git LFS pointer; fetch the file with: git lfs pull")


def _digest_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_object(path: Path, remedy: str = "fetch the model again") -> dict[str, Any]:
    """Return the settings in a JSON file.

    Args:
        path: File to read.
        remedy: Advice at the end of the error message.

    Raises:
        ProbingError: If the file cannot be read, or does not contain a JSON object.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProbingError(f"{path}: cannot be read as JSON ({error}); {remedy}") from error
    if not isinstance(settings, dict):
        raise ProbingError(f"{path}: is not a JSON object; {remedy}")
    return settings
