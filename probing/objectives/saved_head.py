"""Linear classifiers that fine-tuning saves next to a model, as `experiments.finetune` does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from safetensors import SafetensorError
from safetensors.torch import load_file

from probing.errors import ProbingError
from probing.models.digests import digest_files
from probing.representations.reductions.pooling import Pooling

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, RECIPE = "classifier.safetensors", "finetune.json"


@dataclass(frozen=True)
class SavedHead:
    """Weights of a classifier, and the vectors that it reads.

    Attributes:
        site: Head outputs before the output projection, or hidden states.
        places: (layer, head) of each vector that is read, ascending. For hidden states, head is always 0.
        pooling: Pooling of the tokens of a unit into one vector.
        pairs: Whether it reads two units of each example, concatenated.
        classes: Names of its outputs; None for a single score.
        max_length: Number of tokens after which a text was truncated; None for the model's own limit.
        weights: float32 (outputs, width).
        bias: float32 (outputs,).
    """

    site: Literal["head", "hidden"]
    places: tuple[tuple[int, int], ...]
    pooling: Pooling
    pairs: bool
    classes: tuple[str, ...] | None
    max_length: int | None
    weights: Tensor
    bias: Tensor


def saved_head_identity(folder: Path) -> str | None:
    """Return a digest of the classifier in a folder; None if there is none."""
    paths = [folder / WEIGHTS, folder / RECIPE]
    return digest_files(paths) if all(path.is_file() for path in paths) else None


def read_saved_head(folder: Path) -> SavedHead:
    """Read the classifier of a folder.

    Raises:
        ProbingError: If its files are missing or damaged, or do not fit each other.
    """
    try:
        recipe = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
        tensors = load_file(folder / WEIGHTS)
        classes = recipe["classes"]
        head = SavedHead(
            recipe["places"]["site"],
            tuple((int(layer), int(head)) for layer, head in recipe["places"]["heads"]),
            recipe["pooling"],
            recipe["features"] is not None,
            None if classes is None else tuple(map(str, classes)),
            cast("int | None", recipe["max_length"]),
            tensors["weight"],
            tensors["bias"],
        )
        if head.site not in {"head", "hidden"} or head.pooling not in get_args(Pooling):
            raise ValueError(f"it reads {head.site} by {head.pooling}")
        if len(head.weights) != len(head.classes or ("score",)):
            raise ValueError(f"{len(head.weights)} outputs for {len(head.classes or ('score',))} classes")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ProbingError(
            f"{folder}: {WEIGHTS} and {RECIPE} cannot be read ({reason}); train it again"
        ) from error
    return head
