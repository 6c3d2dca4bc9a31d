"""Defaults for reading a model that follow from its family."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from probing.models.model_files import ModelFiles

LanguageKind = Literal["causal", "masked", "seq2seq"]
CAUSAL_TOWERS = frozenset({"clip", "clip_text_model", "clipseg", "groupvit", "owlv2", "owlvit", "xclip"})
"""Families of image-text models in whose text tower a token attends only to earlier ones."""


def default_pooling(files: ModelFiles) -> Literal["first", "last"]:
    """Return the token that represents a text: the last for causal models, the first for all others."""
    return "last" if language_kind(files.settings) == "causal" else "first"


def language_kind(settings: Mapping[str, Any]) -> LanguageKind:
    """Return how a model predicts tokens: the next one, masked ones, or those of a decoder.

    Args:
        settings: Contents of its config.json. Encoder-decoder models are read in the encoder.
    """
    if settings.get("is_encoder_decoder"):
        return "seq2seq"
    inner = settings.get("text_config")
    families = {str(each.get("model_type")) for each in (settings, inner) if isinstance(each, Mapping)}
    if families & CAUSAL_TOWERS:
        return "causal"
    causal, masked = families_of("CAUSAL_LM"), families_of("MASKED_LM")
    return "causal" if families & causal and not families & masked else "masked"


@cache
def families_of(task: str) -> frozenset[str]:
    """Return the families for which transformers has a model for a task.

    The table is read from the source of transformers: its import takes seconds, which a run whose result is
    found would pay as well.

    Args:
        task: The task as in the name of the table, "CAUSAL_LM".
    """
    name = f"MODEL_FOR_{task}_MAPPING_NAMES"
    with suppress(OSError, SyntaxError, ValueError, LookupError, AttributeError, TypeError):
        pairs = ast.literal_eval(_tables()[name].args[0])  # type: ignore[attr-defined]
        return frozenset(family for family, _ in pairs)
    from transformers.models.auto import modeling_auto

    return frozenset(getattr(modeling_auto, name))


@cache
def _tables() -> dict[str, ast.expr]:
    """The tables of families in the source of transformers by name, `OrderedDict([(family, class), ...])`."""
    (folder,) = find_spec("transformers").submodule_search_locations  # type: ignore[union-attr, misc]
    source = Path(folder) / "models" / "auto" / "modeling_auto.py"
    statements = ast.parse(source.read_text(encoding="utf-8")).body
    assigned = [node for node in statements if isinstance(node, ast.Assign)]
    return {
        target.id: node.value for node in assigned for target in node.targets if isinstance(target, ast.Name)
    }
