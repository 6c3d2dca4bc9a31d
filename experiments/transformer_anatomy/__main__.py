"""Study after Transformer Anatomy (Jo & Myaeng, ACL 2020), with one command for each table and figure.

    python -m experiments.transformer_anatomy heatmaps --data SentEval/data
    python -m experiments.transformer_anatomy reconstruction --preset full
    python -m experiments.transformer_anatomy layers --published transformer_anatomy.parquet

Missing runs of a part are run first. Further words are overrides of every run. With --published, the
accuracies that the authors released replace runs where they exist.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import probing
from experiments.runs import frames
from experiments.study import make_parts, parser_of, write_part
from experiments.transformer_anatomy.parts import PARTS, Part
from experiments.transformer_anatomy.presets import PRESETS, Preset
from probing.errors import ProbingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the named parts; return 2 for errors that the user can fix."""
    parser = parser_of("transformer_anatomy", __doc__, PARTS, PRESETS, "probe=senteval")
    parser.add_argument("--published", type=Path, help="the authors' released accuracies")
    parser.add_argument("--data", type=Path, help="SentEval's data folder; files are downloaded by default")
    return make_parts("transformer_anatomy", parser, PARTS, _make, arguments)


def _make(name: str, options: argparse.Namespace) -> None:
    part, preset = PARTS[name], PRESETS[options.preset]
    if options.data and not options.data.is_dir():
        raise ProbingError(f"--data {options.data}: no such folder; give SentEval's data folder")
    if options.published:
        rows = published(part, options.published)
        folder = options.root / "transformer_anatomy" / "published"
    else:
        rows = results(part, preset, options.data, [f"paths.root={options.root}", *options.overrides])
        folder = options.root / "transformer_anatomy" / options.preset
    write_part(name, part, rows, folder)


def results(part: Part, preset: Preset, data: Path | None, overrides: Sequence[str]) -> pd.DataFrame:
    """Return the rows that a part needs, found in the cache or computed.

    Args:
        part: The table or figure.
        preset: Models and tasks.
        data: SentEval's folder, for its tasks; None downloads the files.
        overrides: Overrides of all runs.

    Raises:
        ProbingError: If a run failed.
    """
    tasks = preset.tasks(part.tasks)
    generated = [task for task in tasks if task.startswith("grammar/")]
    read = [task for task in tasks if task not in generated]
    found: list[pd.DataFrame] = []
    for granularity in part.granularities:
        for chosen, root in ((generated, None), (read, data)):
            if chosen:
                own = [f"task={','.join(chosen)}", f"granularity={granularity}", *preset.overrides]
                own += [f"model={','.join(preset.models)}"] + ([f"task.root={root}"] if root else [])
                found += frames([*own, *overrides])
    return pd.concat(found, ignore_index=True)


def published(part: Part, path: Path) -> pd.DataFrame:
    """Return the rows of the released accuracies that a part needs.

    Raises:
        ProbingError: If there are no such rows.
    """
    frame = probing.load_published(path)
    full = PRESETS["full"]
    frame = pd.concat([frame, *_layers_of_top(frame)], ignore_index=True)
    rows = frame[frame["granularity"].isin(part.granularities) & frame["task"].isin(full.tasks(part.tasks))]
    if rows.empty:
        raise ProbingError(f"{path}: the released accuracies have no rows of {', '.join(part.granularities)}")
    return rows


def _layers_of_top(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the last layer and the best one on dev, as rows for comparison with the runs of top heads."""
    told_by = ["model", "task"]
    top = frame[frame["granularity"] == "top_heads"].drop_duplicates(told_by)[told_by]
    layers = frame[(frame["granularity"] == "layer") & (frame["probe"] == "senteval")].merge(top, on=told_by)
    chosen = {"last_layer": "layer", "best_layer": "dev"}
    return [
        layers.sort_values(column)
        .drop_duplicates(told_by, keep="last")
        .assign(granularity="top_heads", variant=name)
        for name, column in chosen.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
