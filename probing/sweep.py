"""Sweeps: many runs from one command line."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from probing.compose import choices
from probing.errors import ProbingError


class GlobSweeper(BasicSweeper):
    """Hydra's basic sweeper, for which `task=glob(grammar/*)` also looks into folders of a group."""

    def __init__(self, max_batch_size: int | None = None, params: dict[str, str] | None = None) -> None:
        """Expand the globs of an experiment's own sweep."""
        params = {group: expand(group, str(value)) for group, value in (params or {}).items()}
        super().__init__(max_batch_size, params)
        self._checked = False

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose every job of a batch, unless that has been done."""
        if not self._checked:
            super().validate_batch_is_legal(batch)

    def sweep(self, arguments: list[str]) -> Any:  # noqa: ANN401
        """Run the product of all choices; every one is composed before anything is written."""
        expanded = []
        for argument in arguments:
            group, equals, value = argument.partition("=")
            expanded.append(group + equals + expand(group, value))
        assert self.hydra_context is not None
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        parsed = parser.parse_overrides([*self._parse_config(), *expanded])
        for batch in self.split_arguments(parsed, None):
            self.validate_batch_is_legal(batch)
        self._checked = True
        return super().sweep(expanded)


def expand(group: str, value: str) -> str:
    """Replace glob(folder/pattern) by the choices of a config group that it matches, between commas.

    Raises:
        ProbingError: If it matches none.
    """
    found = re.fullmatch(r"glob\(\s*['\"]?([^,'\"]+/[^,'\"]*)['\"]?\s*\)", value.strip())
    if not found:
        return value
    matching = fnmatch.filter(choices(group), found[1])
    if not matching:
        raise ProbingError(f"{group}={value} matches nothing; there is {', '.join(choices(group))}")
    return ",".join(matching)
