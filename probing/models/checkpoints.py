"""Models saved during training: the step in a name, and their folders in order."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePath

from probing.errors import ProbingError
from probing.io.files import expanded

# step1000, step1000-tokens2B, checkpoint-500, stage1-step4000, global_step_95000, iter_0001000, step_1000k
_STEP = re.compile(r"(?<![a-z])(?:step|checkpoint|ckpt|iter)[-_]?(\d+)(k?)(?![a-z0-9])", re.IGNORECASE)
_CONFIGS = ("config.json", "adapter_config.json")
_ONLY_STEP = re.compile(r"(?:global[-_]?)?(?:step|checkpoint|ckpt|iter)[-_]?\d+k?", re.IGNORECASE)


def step_of(name: str) -> int | None:
    """Return the training step in the name of a folder or revision; None if there is none.

    Args:
        name: Name such as `checkpoint-500`, `step1000-tokens2B` or `step_1000k` (step 1,000,000).
    """
    found = _STEP.search(name)
    return None if found is None else int(found[1]) * (1000 if found[2] else 1)


def names_only_step(name: str) -> bool:
    """Return whether a folder's name is only a step, so that the folder above it names the run."""
    return _ONLY_STEP.fullmatch(name) is not None


def matching_models(include: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
    """Return the folders and GGUF files of models that match some patterns, sorted by run and by step.

    Args:
        include: Shell patterns such as `runs/sst2/checkpoint-*`; `~` is the home folder.
        exclude: Patterns of folders to leave out, in the same form.

    Raises:
        ProbingError: If no model matches.
    """
    found = {path for pattern in include for path in glob.glob(_whole(pattern))}  # noqa: PTH207
    found = {path for path in found if not any(fnmatch(path, _whole(pattern)) for pattern in exclude)}
    models = [path for path in found if _is_model(Path(path))]
    if not models:
        given = ",".join(include)
        raise ProbingError(
            f"model.name=glob({given}) matches no folder with a config.json, nor a GGUF file; check the path"
        )
    return sorted(models, key=_order)


def _is_model(path: Path) -> bool:
    return any((path / name).is_file() for name in _CONFIGS) or (path.suffix == ".gguf" and path.is_file())


def _whole(pattern: str) -> str:
    return str(expanded(pattern))


def _order(path: str) -> tuple[str, int, list[tuple[int, str]]]:
    """Return the sort key: the folder above, the step (none sorts last), then the name in natural order."""
    name = PurePath(path).name
    step = step_of(name)
    counted = [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
    return str(PurePath(path).parent), 2**63 if step is None else step, counted
