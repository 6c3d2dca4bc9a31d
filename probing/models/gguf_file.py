"""Models in one GGUF file, which has the weights, the configuration and the tokenizer."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from probing.errors import ProbingError
from probing.io.cache_folder import cache_folder
from probing.io.files import replace_file
from probing.models.digests import check_fetched, json_object

SUFFIX = ".gguf"
_NEEDED = ("gguf", "accelerate")
"""Packages without which transformers does not read GGUF files."""
_OLDEST = (5, 24)
"""Version of transformers from which on tokens and base models are right; 5.0 adds a start token to texts."""
_PART = re.compile(r"-\d{5}-of-(?!00001)\d{5}\.gguf$")
_OTHERWISE = "use the model's safetensors"


def gguf_in(place: Path, name: str) -> Path | None:
    """Return the GGUF file of a model; None if the model is in a folder with a configuration of its own.

    Args:
        place: The GGUF file, or the folder of the model.
        name: The configured name of the model, for error messages.

    Raises:
        ProbingError: If the file does not exist, or is only a part of a model, or if the folder has several
            GGUF files.
    """
    if place.is_dir():
        if (place / "config.json").is_file():
            return None
        found = sorted(place.glob(f"*{SUFFIX}"))
        if len(found) > 1:
            raise ProbingError(
                f"model.name={name}: has {len(found)} GGUF files; choose one, for example "
                f"model.name={name.rstrip('/')}/{found[0].name}"
            )
        return found[0] if found else None
    if not place.is_file():
        raise ProbingError(f"model.name={name}: {place} does not exist; check the name of the file")
    if _PART.search(place.name):
        raise ProbingError(
            f"{place}: is one part of a model in several GGUF files; merge them with llama-gguf-split "
            f"--merge, or {_OTHERWISE}"
        )
    return place


def gguf_settings(path: Path, digest: str) -> dict[str, Any]:
    """Return the configuration in a GGUF file, in the form of a config.json.

    Transformers takes seconds to read it, so it is kept in the cache folder, by the content of the file and
    the version of transformers.

    Args:
        path: The GGUF file.
        digest: SHA-256 of its content.

    Raises:
        ProbingError: If transformers cannot read the file.
    """
    kept = cache_folder() / "gguf" / f"{digest}-transformers-{version('transformers')}.json"
    with suppress(ProbingError):  # not there yet, or damaged
        return json_object(kept)
    settings = _read_settings(path)
    with suppress(OSError):  # the cache only saves time
        replace_file(kept, json.dumps(settings, indent=1).encode())
    return settings


def check_readable(path: Path) -> None:
    """Reject a file that is not GGUF, or any if a package that reads it is missing or too old.

    Raises:
        ProbingError: If it cannot be read.
    """
    check_fetched(path)
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise ProbingError(f"{path}: is not a GGUF file; fetch it again, or {_OTHERWISE}")
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ProbingError(
            f"{path}: GGUF files are read with {' and '.join(missing)}, not installed here; install with: "
            "pip install 'transformer-probing[gguf]'"
        )
    if not reads_gguf():
        raise ProbingError(
            f"{path}: transformers {version('transformers')} does not read GGUF files correctly; install "
            "a newer one with: pip install 'transformer-probing[gguf]'"
        )


def reads_gguf() -> bool:
    """Return whether the installed version of transformers reads GGUF files correctly."""
    major, minor = version("transformers").split(".")[:2]
    return (int(major), int(minor)) >= _OLDEST


def unreadable(path: Path, error: Exception) -> ProbingError:
    """Return the error for a file that transformers cannot read."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = (lines[0] if lines else type(error).__name__).rstrip(".")
    if "not supported" in reason:
        return ProbingError(f"{path}: transformers cannot read it ({reason}); {_OTHERWISE}")
    return ProbingError(f"{path}: cannot be read as GGUF ({reason}); fetch it again, or {_OTHERWISE}")


@contextmanager
def no_progress() -> Iterator[None]:
    """Hide the progress bars that transformers draws for GGUF files, for which it has no switch."""
    with redirect_stderr(io.StringIO()):
        yield


def _read_settings(path: Path) -> dict[str, Any]:
    check_readable(path)
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
    except Exception as error:
        raise unreadable(path, error) from error
    settings: dict[str, Any] = json.loads(json.dumps(config.to_dict(), default=str))
    return {key: value for key, value in settings.items() if not key.endswith(("_name_or_path", "_version"))}
