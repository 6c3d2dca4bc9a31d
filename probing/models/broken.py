"""Faults in a model's files, reported in one line: found before loading, or derived from a loading error."""

from __future__ import annotations

import logging
import os
import re
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import nn

from probing.errors import ProbingError
from probing.models.digests import DISTRIBUTED, INDEX, WHOLE, check_fetched, json_object, matching
from probing.models.gguf_file import check_readable, unreadable
from probing.models.model_files import ModelFiles, untrusted

COUNTS = (
    "num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads",
    "decoder_attention_heads", "num_key_value_heads", "num_kv_heads", "head_dim", "d_kv", "hidden_size",
    "d_model", "n_embd", "num_hidden_layers", "n_layer", "n_layers", "encoder_layers", "vocab_size",
)  # fmt: skip
"""Keys of config.json, under the names of all families, whose counts must be at least 1."""
AGAIN = "fetch the model again"
log = logging.getLogger(__name__)
_OURS = os.path.join(Path(__file__).parents[1], "")  # noqa: PTH118  # ends with a slash
_REAL = re.compile(r"F\d|BF16")  # types of safetensors, including eight bits and fewer


def check_files(files: ModelFiles) -> None:
    """Reject faulty model files before anything is loaded from them.

    Raises:
        ProbingError: If a file is faulty; the message names it, and the key or tensor in it.
    """
    path = files.gguf or files.folder / "config.json"
    for key in COUNTS:
        value = files.settings.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value < 1:
            raise ProbingError(f"{path}: {key} is {value}, but must be 1 or more; {AGAIN}")
    if files.gguf is not None:
        check_readable(files.gguf)
    elif files.config.pretrained:
        _check_weights(files)


def check_shapes(folder: Path, report: Mapping[str, Any], source: str = "config.json") -> None:
    """Reject weights whose shapes differ from those of the configuration.

    Args:
        folder: Folder of the model.
        report: Loading report of transformers, from `output_loading_info`.
        source: Name of the file that determines the expected shapes.

    Raises:
        ProbingError: If a shape differs; the message names a tensor, its stored and its expected shape.
    """
    wrong = sorted(report.get("mismatched_keys") or (), key=lambda item: str(item[0]))
    if wrong:
        name, stored, wanted = wrong[0]
        more = f" (and {len(wrong) - 1} more tensors differ)" if len(wrong) > 1 else ""
        raise ProbingError(
            f"{folder}: {name} has shape {tuple(stored)} in the weights, but {source} requires "
            f"{tuple(wanted)}{more}; use the {source} that belongs to these weights, or {AGAIN}"
        )


def warn_of_layers(model: nn.Module, report: Mapping[str, Any]) -> None:
    """Warn about weights of layers beyond the configured number, which are ignored.

    Args:
        model: Loaded model.
        report: Loading report of transformers, as in `check_shapes`.
    """
    there = {_unnumbered(name) for name in model.state_dict() if _unnumbered(name) != name}
    beyond = sorted(name for name in report.get("unexpected_keys") or () if _unnumbered(name) in there)
    if beyond:
        log.warning(
            "the weights have more layers than config.json states: %s and %d more tensors are ignored",
            beyond[0],
            len(beyond) - 1,
        )


SAME = 1e-3
"""Share of the largest value by which two passes may differ, since the order of sums is not fixed."""
AT_RANDOM = (
    "the model computes something at random (dropout in its own code, hashing), so no result could be "
    "reproduced; choose another model"
)


def not_finite(dtype: str) -> str:
    """Return the remedy for NaN or infinity among the values that a model computes in a dtype."""
    if dtype == "float32":
        return f"the model's weights or its config.json are damaged: {AGAIN}"
    return f"the range of {dtype} may be too small for its values: use extract.dtype=float32"


@contextmanager
def library_loads(files: ModelFiles, part: str) -> Iterator[None]:
    """Report in one line why transformers cannot load a model's files; use it around its calls only.

    Args:
        files: Files of the model.
        part: `configuration`, `tokenizer` or `weights`.

    Raises:
        ProbingError: For every error that transformers raises; errors raised by probing's own lines pass
            through unchanged.
    """
    try:
        yield
    except ProbingError:
        raise
    except Exception as error:
        if _is_ours(error):
            raise
        raise ProbingError(_message(files, part, error)) from error


def _check_weights(files: ModelFiles) -> None:
    _check_index(files)
    for path in files.weights:
        if path.suffix != ".safetensors":
            continue
        check_fetched(path)
        try:
            with safe_open(path, framework="pt") as weights:
                kinds = {name: weights.get_slice(name).get_dtype() for name in weights.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ProbingError(f"{path}: cannot be read as safetensors ({_first(error)}); {AGAIN}") from error
        if not files.settings.get("quantization_config"):
            _check_kinds(path, kinds)


def _check_index(files: ModelFiles) -> None:
    """Reject weights in several files without the index that assigns tensors to files."""
    named = bool(files.settings.get("transformers_weights")) or matching(files.folder, [DISTRIBUTED])
    if not named and not matching(files.folder, [WHOLE, INDEX]):
        path = files.folder / INDEX
        raise ProbingError(f"{path}: is missing, although the weights are in several files; {AGAIN}")


def _check_kinds(path: Path, kinds: Mapping[str, str]) -> None:
    """Reject weights stored as integers, which would be used as if they were the real values."""
    for name, kind in sorted(kinds.items()):
        if name.endswith((".weight", ".bias")) and not _REAL.match(kind):
            raise ProbingError(
                f"{path}: {name} is stored as {kind}, but config.json has no quantization_config that says "
                "how to read it; save the model with floating-point weights"
            )


def _message(files: ModelFiles, part: str, error: Exception) -> str:
    if files.gguf is not None:
        return str(unreadable(files.gguf, error))
    if "trust_remote_code" in str(error) and not files.config.trust_remote_code:
        return str(untrusted(files.config.name))
    if part == "tokenizer":
        return _about_tokenizer(files, error)
    wrong = _about_key(files, error)
    if not wrong and (part == "configuration" or _while_building(error)):
        wrong = f"does not describe a model: {_first(error)}; correct it, or {AGAIN}"
    if wrong and not isinstance(error, ImportError):
        return f"{files.folder / 'config.json'}: {wrong}"
    then = "" if isinstance(error, ImportError) else f"; {AGAIN}, or choose another"
    return f"model {files.config.name}: cannot be loaded: {_first(error)}{then}"


def _about_key(files: ModelFiles, error: Exception) -> str:
    """Return a description of the faulty key of config.json; "" if the error does not name one."""
    field = re.search(r"[Ff]ield '(\w+)'(?: with value)? (.*)", str(error))
    if field and "Validation error" in str(error):
        return f"{field[1]}: {field[2]}; correct this value, or {AGAIN}"
    padding = files.settings.get("pad_token_id")
    if isinstance(error, AssertionError) and "padding_idx" in str(error).lower() and padding is not None:
        return (
            f"pad_token_id is {padding}, but the model has embeddings for {files.settings.get('vocab_size')} "
            "tokens; set it to the id of a token, or to null"
        )
    if isinstance(error, KeyError | AttributeError) and error.args:
        for key, value in _leaves(files.settings):
            if value == error.args[0] or (isinstance(value, str) and f"'{value}'" in str(error)):
                return f"{key} is {value!r}, which transformers does not know{_choices(key)}"
    return ""


def _about_tokenizer(files: ModelFiles, error: Exception) -> str:
    folder = files.tokenizer_folder
    for path in sorted(folder.glob("*.json")):
        if "token" not in path.name and path.name not in ("vocab.json", "normalizer.json"):
            continue
        try:
            json_object(path)
        except ProbingError as broken:
            return str(broken)
    names = [path.name for path in sorted(folder.iterdir()) if path.is_file() and "token" in path.name]
    return (
        f"{folder}: no tokenizer can be built from {', '.join(names) or 'its files'}: {_first(error)}; "
        f"{AGAIN}, or save the tokenizer of this model there with its save_pretrained"
    )


def _unnumbered(name: str) -> str:
    return ".".join("#" if part.isdigit() else part for part in name.split("."))


def _leaves(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key of a configuration, nested ones with dots, and its value."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value


def _choices(key: str) -> str:
    if "act" not in key.rpartition(".")[2]:
        return f"; correct this value, or {AGAIN}"
    from transformers.activations import ACT2CLS

    return f"; choose one of {', '.join(sorted(ACT2CLS))}"


def _is_ours(error: Exception) -> bool:
    """Return whether a line of this package raised the error, which makes it a bug in probing."""
    frames: Sequence[traceback.FrameSummary] = traceback.extract_tb(error.__traceback__)
    return bool(frames) and frames[-1].filename.startswith(_OURS) and frames[-1].name != "library_loads"


def _while_building(error: Exception) -> bool:
    """Return whether a model was being built from its configuration, before weights were read."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.name == "__init__" and "modeling_" in Path(frame.filename).name for frame in frames)


def _first(error: Exception) -> str:
    """Return the first line of an error's message, with the error's type where the message says little."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[:2]) if lines and lines[0].endswith(":") else (lines[0] if lines else "")
    text = text.rstrip(".,")
    plain = OSError | ValueError | RuntimeError | ImportError | SafetensorError
    return text if isinstance(error, plain) and " " in text else f"{type(error).__name__} {text}".strip()
