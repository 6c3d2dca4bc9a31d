"""Requests for vectors by site and reduction, and the key that identifies them by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from probing.errors import ProbingError

if TYPE_CHECKING:  # computing the key needs none of these modules
    from probing.representations.reductions.pooling import Pooling
    from probing.representations.reductions.statistic import Statistic
    from probing.representations.settings import Kept, Storage
    from probing.tasks.task import Unit

SCHEMA = 2  # schema 1 stored vectors in half precision, regardless of the model's
SiteKind = Literal["head", "hidden", "attention"]
Stack = Literal["", "encoder", "decoder", "cross"]


@dataclass(frozen=True)
class Request:
    """Everything that a cached vector depends on, apart from its unit.

    Device, batch size, thread count and paths are left out because they change only how fast a vector is
    computed.

    Attributes:
        model: Digests of weights, configuration and tokenizer.
        site: Head outputs before the output projection, hidden states, or attention weights.
        reduction: Pooling of the tokens of a unit, or for attention a statistic with its settings.
        max_length: Number of tokens after which a text is truncated; None is the model's own limit.
        dtype: Precision of the model's computation.
        transformers: Major version of the library that runs the model.
        storage: Precision of stored vectors; statistics are always stored in float64.
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
    def weighted(self) -> bool:
        """True if attention is weighted by the values that it moves, see `Statistic`."""
        return bool(getattr(self.statistic, "weighted", False))

    @property
    def kept_as(self) -> Kept:
        """The precision in files: sums over many texts need more digits than a vector has."""
        return self.storage if self.statistic is None else "float64"

    def as_json(self) -> str:
        """Return canonical JSON of everything that the key represents."""
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
        """Name of the cache folder, 20 hexadecimal digits of a SHA-256."""
        return key_of(self.as_json().encode())


def key_of(content: bytes) -> str:
    """Return the key of a request given as `Request.as_json` writes it."""
    return hashlib.sha256(content).hexdigest()[:20]


def unit_id(unit: Unit) -> str:
    """Return the name of one row of the cache, a digest of its texts, spans, words and origin."""
    place = "" if unit.span is None else f"{unit.span[0]}:{unit.span[1]}"
    if unit.second_span is not None:
        place += f"+{unit.second_span[0]}:{unit.second_span[1]}"
    if unit.words is not None:
        place += "#" + " ".join(f"{start}:{end}" for start, end in unit.words)
    if unit.origin is not None:
        place += "@" + hashlib.blake2b(unit.origin.encode(), digest_size=16).hexdigest()
    if unit.second is None:
        content = f"{place}\n{unit.text}"
    else:  # only this header has a bar, and the length keeps two pairs distinct
        content = f"{place}|{len(unit.text)}\n{unit.text}{unit.second}"
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
