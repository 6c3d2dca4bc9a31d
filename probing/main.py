"""What the command line and the Python call do: one run, or a sweep of them."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from probing.compose import compose_config, hydra_session, plain_values
from probing.config import Config, build_config
from probing.errors import ProbingError
from probing.figures import draw_grid, draw_sheet
from probing.files import remove_empty
from probing.pipeline import Result, prepare
from probing.results.table import grid_text, summary
from probing.sweep import multirun

log = logging.getLogger(__name__)
LOG = "run.log"
_TERMINAL = "probing.terminal"


@dataclass(frozen=True)
class Outcome:
    """How one job of a sweep ended.

    Attributes:
        overrides: What set this job apart.
        folder: Where its log and pictures are.
        frame: Its rows; None if it failed.
        problem: Why it failed, in one line; None if it did not.
        ours: Whether the failure is a bug of ours rather than a mistake of the user's.
    """

    overrides: str
    folder: Path
    frame: pd.DataFrame | None = None
    problem: str | None = None
    ours: bool = False


def run(overrides: Sequence[str] = ()) -> pd.DataFrame:
    """Run one experiment from Python, as the command `probing` does.

    Args:
        overrides: As on the command line: `["model=minilm", "task=grammar/tense"]`.

    Returns:
        The tidy rows of the run, as `load_results` would give them.

    Raises:
        ProbingError: If the configuration, the data or the model is not as it should be.
    """
    return run_one(overrides).frame


def run_one(overrides: Sequence[str]) -> Result:
    """Compose, check and run one experiment; print its grid and draw it.

    Raises:
        ProbingError: If anything is not as it should be; then no run folder is left behind.
    """
    composed = compose_config(overrides)
    folder = _unused(Path(composed.hydra.run.dir))
    values = plain_values(composed)
    return _execute(build_config(values), values, folder)


def run_sweep(overrides: Sequence[str]) -> list[Outcome]:
    """Run all combinations of a sweep; one that fails stops no other.

    Returns:
        The outcomes, in the order of the jobs.

    Raises:
        ProbingError: If one of the combinations cannot be composed; then none is run.
    """
    with hydra_session() as session:
        assert session.hydra is not None
        outcomes: list[Outcome] = [job.return_value for job in multirun(session.hydra, _job, list(overrides))]
    if outcomes:
        _finish(outcomes)
    return outcomes


def _job(composed: DictConfig) -> Outcome:
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    title = " ".join(hydra.overrides.task)
    with _logging(folder / LOG):
        log.info("[%s] %s", hydra.job.num, title)
        try:
            values = plain_values(composed)
            result = _execute(build_config(values), values, folder)
            return Outcome(title, folder, result.frame)
        except (ProbingError, OSError) as error:
            log.error("failed: %s", error)
            return Outcome(title, folder, problem=str(error))
        except Exception as error:
            log.error("failed: %s", traceback.format_exc())
            return Outcome(title, folder, problem=f"{type(error).__name__}: {error}", ours=True)


def _execute(config: Config, values: dict[str, Any], folder: Path) -> Result:
    start = prepare(config)
    try:
        with _logging(folder / LOG):
            log.info("%s", " | ".join(str(start.labels[name]) for name in ("model", "task", "granularity")))
            (folder / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(values)))
            result = start()
            _show(result, config, folder)
    except ProbingError:
        _clear(folder, config.paths.root)
        raise
    return result


def _show(result: Result, config: Config, folder: Path) -> None:
    print(grid_text(result.frame))  # noqa: T201
    result.frame.to_csv(folder / "grid.csv", index=False)
    picture, _ = draw_grid(result.frame, folder / "grid", order=config.figure.order)
    log.info("picture: %s", picture)
    log.info("table: %s", folder / "grid.csv")


def _finish(outcomes: list[Outcome]) -> None:
    folder = outcomes[0].folder.parent
    frames = [outcome.frame for outcome in outcomes if outcome.frame is not None]
    print(f"\n{len(frames)} of {len(outcomes)} jobs done")  # noqa: T201
    titles = _titles(outcomes)
    for title, outcome in zip(titles, outcomes, strict=True):
        if outcome.frame is not None:
            print(f"  {title}: {summary(outcome.frame)}")  # noqa: T201
    if frames:
        picture, _ = draw_sheet(pd.concat(frames, ignore_index=True), folder / "sheet")
        print(f"contact sheet: {picture}")  # noqa: T201
    failed = [pair for pair in zip(titles, outcomes, strict=True) if pair[1].problem is not None]
    if failed:
        print(f"{len(failed)} failed:", file=sys.stderr)  # noqa: T201
    for title, outcome in failed:
        print(f"  {title}: {outcome.problem} (log: {outcome.folder / LOG})", file=sys.stderr)  # noqa: T201


def _titles(outcomes: list[Outcome]) -> list[str]:
    """What sets each job apart from the others of its sweep."""
    overrides = [outcome.overrides.split() for outcome in outcomes]
    shared = set(overrides[0]).intersection(*overrides) if len(overrides) > 1 else set()
    return [" ".join(item for item in own if item not in shared) or "defaults" for own in overrides]


@contextmanager
def _logging(path: Path) -> Iterator[None]:
    """Send the log to a file, and to the terminal unless an outer run does that already."""
    logger = logging.getLogger("probing")
    names = {handler.name for handler in logger.handlers}
    if str(path) in names:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.FileHandler(path)]
    handlers[0].setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handlers[0].set_name(str(path))
    if _TERMINAL not in names:
        handlers.append(logging.StreamHandler(sys.stderr))
        handlers[1].setFormatter(logging.Formatter("%(message)s"))
        handlers[1].set_name(_TERMINAL)
    before = logger.level, logger.propagate
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(before[0])
        logger.propagate = before[1]
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


def _unused(folder: Path) -> Path:
    """The folder, or one like it that no run of the same second has taken."""
    names = [folder, *(folder.with_name(f"{folder.name}-{number}") for number in range(2, 1000))]
    return next(name for name in names if not name.exists())


def _clear(folder: Path, root: Path) -> None:
    """Remove what a run that came to nothing has written into its own folder."""
    if "-sweep" in folder.parent.name:
        return
    for name in (LOG, "config.yaml"):
        (folder / name).unlink(missing_ok=True)
    remove_empty(folder, root)
