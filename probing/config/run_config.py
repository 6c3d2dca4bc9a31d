"""The configuration of a run as frozen, checked dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from probing.analyses.analysis import Analysis
from probing.analyses.granularity import Granularity
from probing.config.convert import convert, make, make_target
from probing.errors import ProbingError
from probing.io.files import local, nearest
from probing.models.model_choice import ModelConfig
from probing.objectives.auto import Auto
from probing.objectives.objective import Objective
from probing.probes.contract import Probe
from probing.representations.extract import Overwrite
from probing.representations.settings import ExtractConfig
from probing.tasks.control import By
from probing.tasks.source import TaskSource
from probing.validation.ranges import Count, CountOrZero, Seed, check_ranges
from probing.validation.suggestions import suggest


@dataclass(frozen=True)
class PoolingConfig:
    """A choice in conf/pooling; `auto` depends on the model's family."""

    how: Literal["auto", "first", "last", "mean", "max"]


@dataclass(frozen=True)
class PathsConfig:
    """Folders that a run writes to.

    Attributes:
        root: Folder of all output.
    """

    root: Path

    def __post_init__(self) -> None:
        """Refuse a path that is not a folder and cannot become one."""
        local(str(self.root), "paths.root")
        taken = nearest(self.root)
        if not taken.is_dir():
            raise ProbingError(f"paths.root={self.root}: {taken} is a file; give a folder")

    @property
    def representations(self) -> Path:
        """Folder of cached vectors, with a subfolder per key."""
        return self.root / "representations"

    @property
    def models(self) -> Path:
        """Folder of models made by analyses, with a subfolder for each."""
        return self.root / "models"

    @property
    def pictures(self) -> Path:
        """Pictures of runs, for runs that find the same rows again."""
        return self.root / "pictures"

    @property
    def results(self) -> Path:
        """Folder of result frames, with a file per run."""
        return self.root / "results"


@dataclass(frozen=True)
class SampleConfig:
    """The part of a task that is used.

    Attributes:
        limit: Maximum number of examples in each split, drawn by class; None takes all.
        balance: Whether all classes of a split are cut to the size of the smallest.
    """

    limit: Count | None = None
    balance: bool = False

    def __post_init__(self) -> None:
        """Refuse a limit that leaves no examples."""
        check_ranges(self, "task")


@dataclass(frozen=True)
class BaselineConfig:
    """A choice in conf/baseline: a result to compare with.

    Attributes:
        kind: `none` is the result itself; `untrained` uses the randomly initialised model; `control` and
            `permuted` replace the labels of the task, see `probing.tasks.control`.
        by: Object that gets a control label: the word, the last word of a text, or the text.
        draw: Number of the draw of labels.
    """

    kind: Literal["none", "untrained", "control", "permuted"] = "none"
    by: By = "auto"
    draw: CountOrZero = 0

    def __post_init__(self) -> None:
        """Refuse a negative draw."""
        check_ranges(self, "baseline")


@dataclass(frozen=True)
class FigureConfig:
    """Style of the grid: heads by number, or sorted by score within each layer."""

    order: Literal["head", "score"] = "head"


@dataclass(frozen=True)
class Config:
    """The whole configuration of a run, one field per config group."""

    analysis: Analysis
    model: ModelConfig
    task: TaskSource
    sample: SampleConfig
    granularity: Granularity
    pooling: PoolingConfig
    baseline: BaselineConfig
    probe: Probe
    objective: Objective | Auto
    extract: ExtractConfig
    paths: PathsConfig
    figure: FigureConfig
    seed: Seed
    overwrite: Overwrite

    def __repr__(self) -> str:
        """Return the names of the model, the task, the analysis and the granularity."""
        names = (self.model.title, self.task.name, self.analysis.name, self.granularity.unit)
        return f"Config({' | '.join(names)})"


def build_config(values: Mapping[str, Any]) -> Config:
    """Convert the composed configuration to dataclasses.

    Args:
        values: Plain containers from OmegaConf, without Hydra's part.

    Raises:
        ProbingError: If a key is unknown or missing, or a value is invalid. The message names it.
    """
    _check_keys(values)
    of_sample = {field.name for field in fields(SampleConfig)}
    task, sample = _split(values["task"], of_sample)
    return Config(
        analysis=make_target(values["analysis"], "analysis", Analysis),
        model=make(ModelConfig, values["model"], "model"),
        task=make_target(task, "task", TaskSource),
        sample=make(SampleConfig, sample, "task"),
        granularity=make(Granularity, values["granularity"], "granularity"),
        pooling=make(PoolingConfig, values["pooling"], "pooling"),
        baseline=make(BaselineConfig, values["baseline"], "baseline"),
        probe=make_target(values["probe"], "probe", Probe),
        objective=make_target(values["objective"], "objective", Objective, Auto),
        extract=make(ExtractConfig, values["extract"], "extract"),
        paths=make(PathsConfig, values["paths"], "paths"),
        figure=make(FigureConfig, values["figure"], "figure"),
        seed=convert(Seed, values["seed"], "seed"),
        overwrite=convert(Overwrite, values["overwrite"], "overwrite"),
    )


def _check_keys(values: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(Config) if field.name != "sample"]
    for name in values:
        if name not in known:
            raise ProbingError(f"unknown option {name}; {suggest(name, known)}")
    for name in known:
        if name not in values:
            raise ProbingError(f"{name} is missing; do not remove it, give another {name}=...")
        if name not in {"seed", "overwrite"} and not isinstance(values[name], Mapping):
            raise ProbingError(f"{name} is {values[name]!r}; choose one of those in probing --help")


def _split(values: Mapping[str, Any], names: set[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of all other names, and those of the given names."""
    chosen = {name: value for name, value in values.items() if name in names}
    return {name: value for name, value in values.items() if name not in names}, chosen


def title(choice: Probe | Objective) -> str:
    """Return the name of a probe or objective in results, with the settings that differ from its defaults."""
    return _title(choice.name, choice, ())


def baseline_title(baseline: BaselineConfig) -> str:
    """Return the name of a baseline in results: its kind, and `by` if that differs from the default."""
    return _title(baseline.kind, baseline, ("kind", "draw"))


def _title(name: str, settings: Any, without: tuple[str, ...]) -> str:  # noqa: ANN401
    differing = {
        field.name: getattr(settings, field.name)
        for field in fields(settings)
        if field.name not in without
        and field.default is not MISSING
        and getattr(settings, field.name) != field.default
    }
    told = ",".join(f"{key}={_told(value)}" for key, value in differing.items())
    return f"{name}[{told}]" if told else name


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(map(_told, value))
    return f"{value:g}" if isinstance(value, float) else str(value).lower()


def as_plain(value: object) -> Any:  # noqa: ANN401
    """Return dataclasses as nested dicts of JSON values, with `_target_` where there are choices.

    Args:
        value: A configuration, or a part of one. Frames, such as a user's own examples, are left out.
    """
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        plain = {field.name: as_plain(getattr(value, field.name)) for field in fields(value)}
        return {"_target_": f"{kind.__module__}.{kind.__qualname__}", **plain}
    if isinstance(value, tuple | list):
        return [as_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else _as_text(value)


def _as_text(value: object) -> str | None:
    return str(value) if isinstance(value, Path) else None
