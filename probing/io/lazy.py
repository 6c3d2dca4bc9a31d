"""PyTorch, imported when a name of it is first used.

Its import takes seconds. A run whose result is found does not need it, so modules that every run imports
get `torch` from here. `importlib.util.LazyLoader` does not work here: it adds the module to `sys.modules` at
once, where other libraries take it for imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
else:

    class _Later:
        """A module that forwards attributes to the real one."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> Any:  # noqa: ANN401
            return getattr(import_module(self._name), attribute)

    torch = _Later("torch")

__all__ = ["torch"]
