"""Plain values as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import OmegaConf


def as_yaml(values: object) -> str:
    """Return plain containers as YAML that OmegaConf reads back unchanged, even if a text contains `${`."""
    return OmegaConf.to_yaml(OmegaConf.create(_unreferring(values)))


def _unreferring(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {key: _unreferring(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_unreferring(each) for each in value]
    return escaped(value) if isinstance(value, str) else value


def escaped(text: str) -> str:
    """Return a text in which OmegaConf finds no reference, so that `${` stays literal."""
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
