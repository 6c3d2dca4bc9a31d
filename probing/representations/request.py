"""Requests for vectors, and the key that identifies them by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # computing the key needs none of these modules
    from probing.representations.pooling import Pooling
    from probing.representations.settings import Storage
    from probing.tasks.task import Unit

SCHEMA = 2  # schema 1 stored vectors in half precision, regardless of the model's
SiteKind = Literal["head", "hidden"]


@dataclass(frozen=True)
class Request:
    """Everything that a cached vector depends on, apart from its unit.

    Device, batch size, thread count and paths are left out because they change only how fast a vector is
    computed.

    Attributes:
        model: Digests of weights, configuration and tokenizer.
        site: Head outputs before the output projection, or hidden states.
        pooling: Pooling of the tokens of a unit into one vector.
        max_length: Number of tokens after which a text is truncated; None is the model's own limit.
        dtype: Precision of the model's computation.
        transformers: Major version of the library that runs the model.
        storage: Precision of stored vectors.
    """

    model: Mapping[str, str]
    site: SiteKind
    pooling: Pooling
    max_length: int | None
    dtype: str
    transformers: int
    storage: Storage = "float32"

    def as_json(self) -> str:
        """Return canonical JSON of everything that the key represents."""
        content = {"schema": SCHEMA, **vars(self), "model": dict(self.model)}
        return json.dumps(content, sort_keys=True, indent=1)

    @property
    def key(self) -> str:
        """Name of the cache folder, 20 hexadecimal digits of a SHA-256."""
        return key_of(self.as_json().encode())


def key_of(content: bytes) -> str:
    """Return the key of a request given as `Request.as_json` writes it."""
    return hashlib.sha256(content).hexdigest()[:20]


def unit_id(unit: Unit) -> str:
    """Return the name of one row of the cache, a digest of the text, the span in it and the second text."""
    place = "" if unit.span is None else f"{unit.span[0]}:{unit.span[1]}"
    if unit.second is None:
        content = f"{place}\n{unit.text}"
    else:  # only this header has a bar, and the length keeps two pairs distinct
        content = f"{place}|{len(unit.text)}\n{unit.text}{unit.second}"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
