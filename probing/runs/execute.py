"""One run in its folder: its log, configuration and task card, its result, and the picture of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from probing.io.files import replace_file
from probing.io.log import LOG, log_to_file
from probing.io.yaml import as_yaml
from probing.runs.console import present
from probing.runs.folder import CARD, CONFIG
from probing.runs.pipeline import Run
from probing.tasks.card_text import card_text

log = logging.getLogger(__name__)


def execute(start: Run, values: dict[str, Any], folder: Path) -> pd.DataFrame:
    """Run in an existing folder: write the log and configuration, print the grid, write table and picture.

    Args:
        start: The run.
        values: The composed configuration, as plain values.
        folder: The folder of the run.
    """
    with log_to_file(folder / LOG):
        names = [str(start.spec.names[name]) for name in ("model", "task", "granularity")]
        kind = start.config.baseline.kind
        log.info("%s", " | ".join([*names, *([f"baseline {kind}"] if kind != "none" else [])]))
        for name, content in ((CONFIG, values), (CARD, start.spec.card.as_dict())):
            replace_file(folder / name, as_yaml(content).encode())
        log.info("%s", card_text(start.spec.card))
        log.debug("folder of the run: %s", folder)
        log.debug("file of the result: %s", start.spec.store.path)
        log.debug("configuration:\n%s", as_yaml(values))
        frame = start()
        present(start, frame, folder)
    return frame
