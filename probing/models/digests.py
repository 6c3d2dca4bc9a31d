"""The files of a model's folder that are read, and digests of them."""

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
"""The file that says which heads were cut, in a folder that `save_pruned` wrote."""
DISTRIBUTED = "shard-*-model-*-of-*.safetensors"
"""Files of a checkpoint that several processes wrote; with one of them, every safetensors file is read."""


def matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files of a folder that match one of some patterns, sorted."""
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if path.is_file())


def weight_files(folder: Path, settings: Mapping[str, Any]) -> list[Path]:
    """The files that `from_pretrained` reads weights from, in its own order of preference.

    Args:
        folder: The model's folder.
        settings: Its config.json.

    Returns:
        The index, if there is one that counts, and the files that it names; or a single file; or nothing.

    Raises:
        ProbingError: If an index cannot be read, or names a file that is missing or lies elsewhere.
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
    """The files that an index of weights names."""
    try:
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        reason = "cannot be read as an index of weights"
        raise ProbingError(f"{index}: {reason} ({error}); fetch the model again") from error
    shards = [index.parent / str(name) for name in names]
    lost = next((path for path in shards if path.parent != index.parent or not path.is_file()), None)
    if lost is not None:
        raise ProbingError(
            f"{index.parent / lost.name}: is not there, though {index.name} names it; fetch it, or the "
            "model again"
        )
    return shards


def _of_family(folder: Path, settings: Mapping[str, Any]) -> list[Path]:
    """Further files that some families keep next to the weights, and read with them."""
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
    """The SHA-256 of a text, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_files(paths: Sequence[Path]) -> str:
    """One digest for several files; that of a single file is the file's own."""
    with ThreadPoolExecutor() as pool:
        digests = list(pool.map(_digest_file, paths))
    if len(digests) == 1:
        return digests[0]
    names = [f"{path.name}:{digest}" for path, digest in zip(paths, digests, strict=True)]
    return digest_text("\n".join(names))


def _digest_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_object(path: Path, remedy: str = "fetch the model again") -> dict[str, Any]:
    """The settings that a JSON file holds.

    Raises:
        ProbingError: If it cannot be read, or holds something else; the message ends with the remedy.
    """
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ProbingError(f"{path}: cannot be read as JSON ({error}); {remedy}") from error
    if not isinstance(settings, dict):
        raise ProbingError(f"{path}: is not a JSON object; {remedy}")
    return settings
