"""The vectors that are wanted, by site and reduction, and the key that names them by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from probing.errors import ProbingError

if TYPE_CHECKING:  # the key of a request needs none of what computes its vectors
    from probing.representations.reductions.pooling import Pooling
    from probing.representations.reductions.statistic import Statistic
    from probing.representations.settings import Kept, Storage
    from probing.tasks.task import Unit

SCHEMA = 2  # 1 kept vectors in half precision, whatever the model computed
SiteKind = Literal["head", "hidden", "attention"]
Stack = Literal["", "encoder", "decoder", "cross"]


@dataclass(frozen=True)
class Request:
    """What a cached vector depends on, apart from the unit of text that it stands for.

    Device, batch size, thread count and paths are left out: they change how fast a vector comes, not
    what it is.

    Attributes:
        model: Digests of weights, configuration and tokenizer.
        site: Head outputs before the output projection, hidden states, or attention weights.
        reduction: Pooling over the tokens of a unit, or for attention a statistic with its settings.
        max_length: Tokens after which a text is cut; None is the model's own limit.
        dtype: What the model computes in.
        transformers: Major version of the library that runs the model.
        storage: The precision in which vectors are kept; statistics are always kept in float64.
        stack: The stack whose attention is read, for an encoder-decoder model that is read whole; the layers
            of each count from 0. "" is the only stack of any other model.
        code: The classes of a statistic from outside the package, with digests of their source.
    """

    model: Mapping[str, str]
    site: SiteKind
    reduction: Pooling | Statistic
    max_length: int | None
    dtype: str
    transformers: int
    storage: Storage = "float32"
    stack: Stack = ""
    code: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a reduction of another site.

        Raises:
            ProbingError: If attention is to be pooled, or anything else reduced to a statistic of attention.
        """
        if (self.site == "attention") is isinstance(self.reduction, str):
            raise ProbingError(
                f"a request for site={self.site} cannot be reduced by {self.reduction!r}; pool heads and "
                "hidden states, and give attention a statistic"
            )

    @property
    def pooling(self) -> Pooling:
        """The pooling over tokens.

        Raises:
            ProbingError: If attention is read, which is not pooled.
        """
        if not isinstance(self.reduction, str):
            raise ProbingError(
                f"a request for attention is reduced by {self.reduction.name} and has no pooling"
            )
        return self.reduction

    @property
    def statistic(self) -> Statistic | None:
        """The statistic of attention; None where tokens are pooled."""
        return None if isinstance(self.reduction, str) else self.reduction

    @property
    def kept_as(self) -> Kept:
        """The precision in files: sums over many texts need more digits than a vector has."""
        return self.storage if self.statistic is None else "float64"

    def as_json(self) -> str:
        """Canonical JSON of all that the key stands for."""
        content = {
            "schema": SCHEMA,
            "model": dict(self.model),
            "site": self.site,
            "max_length": self.max_length,
            "dtype": self.dtype,
            "transformers": self.transformers,
            "storage": self.kept_as,
            **self._reduction(),
        }
        return json.dumps(content, sort_keys=True, indent=1)

    def _reduction(self) -> dict[str, object]:
        """The reduction with its settings; pooling is written as ever, so that old caches stay valid."""
        if self.statistic is None:
            return {"pooling": self.pooling}
        statistic: Any = self.statistic
        settings = {"name": statistic.name, "columns": statistic.columns, "settings": asdict(statistic)}
        return {"statistic": settings, "stack": self.stack, "code": self.code}

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
