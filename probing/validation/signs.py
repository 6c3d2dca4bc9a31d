"""A bound of texts that list signs, such as punctuation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from probing.errors import ProbingError
from probing.validation.ranges import Bound


@dataclass(frozen=True)
class Signs(Bound):
    """Texts without letters, digits and blanks, since each character is a sign of its own."""

    def check(self, value: str, where: str, within: Sequence[str] | None = None) -> None:
        """Refuse any other text, such as the word `null`; see `Bound.check`."""
        del within
        if any(character.isalnum() or character.isspace() for character in value):
            raise ProbingError(f"{where} is {value!r}; give signs only, such as '.,', or '' for none")


Punctuation = Annotated[str, Signs()]
