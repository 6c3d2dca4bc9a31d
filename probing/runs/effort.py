"""The time that a run took and the work that it did, recorded in its note for estimates of later runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from probing.models.proportions import proportions
from probing.representations.tokens import distinct_characters
from probing.runs.spec import RunSpec

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Work:
    """Properties of a run that determine its time.

    Attributes:
        model: Digest of the weights.
        kind: Analysis, granularity and method.
        weights: Approximate number of weights; None if unknown.
        characters: Number of characters of all texts.
    """

    model: str
    kind: str
    weights: int | None
    characters: int


def work_of(spec: RunSpec) -> Work:
    """Return the work of a run."""
    names = spec.names
    method = names.get("probe") or names.get("objective") or ""
    size = proportions(spec.files.settings)
    return Work(
        model=spec.request.model["weights"],
        kind=f"{names['analysis']} {names['granularity']} {method}".strip(),
        weights=None if size is None else size.weights,
        characters=distinct_characters(spec.task.all_units),
    )


@dataclass
class Effort:
    """A clock of one run, without the runs that it starts on its way.

    Attributes:
        extracted: Number of characters that the model read.
        extracting: Seconds of that.
        elsewhere: Seconds of other runs.
        resumed: Whether an interrupted run had done a part of the work.
    """

    extracted: int = 0
    extracting: float = 0.0
    elsewhere: float = 0.0
    resumed: bool = False
    _start: float = field(default_factory=time.perf_counter)

    def note_extraction(self, characters: int, seconds: float) -> None:
        """Count an extraction."""
        self.extracted += characters
        self.extracting += seconds

    def outside(self, function: Callable[P, R]) -> Callable[P, R]:
        """Return the same function, whose time is not counted."""

        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.elsewhere += time.perf_counter() - start

        return timed

    def note(self, spec: RunSpec) -> dict[str, Any]:
        """Return the record of the run so far, plain JSON values.

        Returns:
            The fields of `Work`; `texts`, the number of units; `extracted` and `extracting`, characters and
            seconds of the extraction, both 0 if all vectors were cached; `seconds` of everything else, None
            if an interrupted run had done a part of it.
        """
        work = work_of(spec)
        rest = time.perf_counter() - self._start - self.extracting - self.elsewhere
        return {
            "model": work.model,
            "kind": work.kind,
            "weights": work.weights,
            "characters": work.characters,
            "texts": len(spec.task.all_units),
            "extracted": self.extracted,
            "extracting": round(self.extracting, 3),
            "seconds": None if self.resumed else round(rest, 3),
        }
