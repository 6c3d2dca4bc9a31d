"""Command lines of the studies: a mistake is one line, as of the command `probing`."""

from __future__ import annotations

import argparse
from typing import NoReturn

from probing.errors import ProbingError


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are ProbingErrors."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            ProbingError: Always.
        """
        raise ProbingError(f"{message}; see {self.prog} --help")
