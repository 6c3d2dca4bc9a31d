"""PyTorch, imported when a name of it is first used.

Its import takes seconds. A run whose result is found does not need it, so modules that every run imports
get `torch` from here. `importlib.util.LazyLoader` does not work here: it adds the module to `sys.modules` at
once, where other libraries take it for imported.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
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
            module = sys.modules.get(self._name) or import_module(self._name)
            return getattr(module, attribute)

    torch = _Later("torch")

ALONE: ContextVar[bool] = ContextVar("alone", default=False)
"""A mark of processes that run one command and then end."""


def leave_out_torch() -> None:
    """Keep libraries from importing PyTorch, if the process runs one command and has not imported it.

    Transformers imports it for every tokenizer if it is installed, and tokenizers do not use it. A later
    import in the same process would fail, so only a command that loads no model may call this.
    """
    if ALONE.get() and "torch" not in sys.modules:
        sys.modules["torch"] = None  # type: ignore[assignment]
        os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")


__all__ = ["ALONE", "leave_out_torch", "torch"]
