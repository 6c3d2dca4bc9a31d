"""Runs of a study: a sweep whose failures are reported in one line."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from probing.cli.multirun import run_sweep
from probing.errors import ProbingError


def frames(overrides: Sequence[str]) -> list[pd.DataFrame]:
    """Return the rows of every run of a sweep, found or computed.

    Raises:
        ProbingError: If a run failed.
    """
    outcomes = run_sweep(overrides)
    failed = [outcome.problem for outcome in outcomes if outcome.frame is None]
    if failed:
        raise ProbingError(f"{len(failed)} of {len(outcomes)} runs failed, the first: {failed[0]}")
    return [outcome.frame for outcome in outcomes if outcome.frame is not None]
