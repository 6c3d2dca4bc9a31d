"""Which vectors are wanted, and the key that names them by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the key of a request needs none of what computes its vectors
    from probing.representations.pooling import Pooling
    from probing.representations.settings import Storage
    from probing.tasks.task import Unit

SCHEMA = 2  # 1 kept vectors in half precision, whatever the model computed
SiteKind = Literal["head", "hidden"]


@dataclass(frozen=True)
class Request:
    """What a cached vector depends on, apart from the unit of text that it stands for.

    Device, batch size, thread count and paths are left out: they change how fast a vector comes, not
    what it is.

    Attributes:
        model: Digests of weights, configuration and tokenizer.
        site: Head outputs before the output projection, or hidden states.
        pooling: How the tokens of a unit become one vector.
        max_length: Tokens after which a text is cut; None is the model's own limit.
        dtype: What the model computes in.
        transformers: Major version of the library that runs the model.
        storage: The precision in which vectors are kept.
    """

    model: Mapping[str, str]
    site: SiteKind
    pooling: Pooling
    max_length: int | None
    dtype: str
    transformers: int
    storage: Storage = "float32"

    def as_json(self) -> str:
        """Canonical JSON of all that the key stands for."""
        content = {"schema": SCHEMA, **vars(self), "model": dict(self.model)}
        return json.dumps(content, sort_keys=True, indent=1)

    @property
    def key(self) -> str:
        """The name of the cache folder; 20 hexadecimal digits of a SHA-256."""
        return key_of(self.as_json().encode())


def key_of(content: bytes) -> str:
    """The key of a request that is written as `Request.as_json` writes it."""
    return hashlib.sha256(content).hexdigest()[:20]


def unit_id(unit: Unit) -> str:
    """The name of one row of the cache: a digest of the text, the span within it and the second text."""
    place = "" if unit.span is None else f"{unit.span[0]}:{unit.span[1]}"
    if unit.second is None:
        content = f"{place}\n{unit.text}"
    else:  # no other header has a bar, and with the length nothing can be both of two pairs
        content = f"{place}|{len(unit.text)}\n{unit.text}{unit.second}"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
