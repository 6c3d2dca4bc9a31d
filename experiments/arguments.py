"""Command lines of the studies, which report mistakes in one line as the command `probing` does."""

from __future__ import annotations

import argparse
from typing import NoReturn

from probing.errors import ProbingError


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ProbingErrors."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            ProbingError: In every case.
        """
        raise ProbingError(f"{message}; see {self.prog} --help")
