"""Upper bounds of settings whose cost grows with them, so that no typing error runs for days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probing.errors import ProbingError


def check_most(group: str, settings: Any, most: Mapping[str, int]) -> None:  # noqa: ANN401
    """Refuse numbers, or lists with more entries, than anybody can mean.

    Args:
        group: Of the configuration, `probe`; empty for arguments of a function.
        settings: What has them as attributes, or a mapping.
        most: The largest of each.

    Raises:
        ProbingError: Naming the setting and its bound.
    """
    for name, bound in most.items():
        value = settings[name] if isinstance(settings, Mapping) else getattr(settings, name)
        count = len(value) if isinstance(value, tuple | list) else value
        if count is not None and count > bound:
            many = f"has {count:,} entries" if count is not value else f"is {value}"
            full = f"{group}.{name}" if group else name
            raise ProbingError(f"{full} {many}; give {bound:,} at most, since its cost grows with it")
