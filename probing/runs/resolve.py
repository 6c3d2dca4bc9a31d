"""Resolution of a configuration and a task to a run spec."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from probing.analyses.analysis import Analysis, AttentionAnalysis
from probing.config.run_config import Config
from probing.errors import ProbingError
from probing.models.family import default_pooling
from probing.models.model_choice import ModelConfig
from probing.models.model_files import ModelFiles, find_files
from probing.representations.request import Request, Stack
from probing.runs.outside import outside_code
from probing.runs.spec import RunSpec, baseline_task
from probing.tasks.task import Task

if TYPE_CHECKING:
    from probing.representations.reductions.statistic import Statistic


def resolve(
    config: Config,
    sampled: Task,
    known: ModelFiles | None = None,
    find: Callable[[ModelConfig], ModelFiles] = find_files,
) -> RunSpec:
    """Return the run spec of a configuration on a task that has been read.

    Args:
        config: The configuration.
        sampled: The task, before a baseline changes its labels.
        known: Model files that another run has found and digested; used if the model is the same.
        find: Function that finds the files of any other model.

    Raises:
        ProbingError: If the analysis refuses the task, or the model is invalid.
    """
    task = baseline_task(sampled, config.baseline, config.seed)
    model = config.model
    if config.baseline.kind == "untrained":
        if not model.pretrained:
            raise ProbingError("baseline=untrained: the model is untrained already (model.pretrained=false)")
        model = replace(model, pretrained=False)
    files = known if known is not None and known.config == model else find(model)
    spec = RunSpec(config, sampled, task, files, _request(config, files))
    config.analysis.check(task, spec.methods)
    if config.analysis.uses == "objective":
        spec.methods.objective.check(task)
    return spec


def _request(config: Config, files: ModelFiles) -> Request:
    """Return the request for the vectors that the run reads, or for the statistic of its analysis."""
    request = Request(
        model=files.identity,
        site=config.granularity.site,
        reduction=default_pooling(files) if config.pooling.how == "auto" else config.pooling.how,
        max_length=config.extract.max_length,
        dtype=config.extract.dtype,
        storage=config.extract.storage,
        transformers=int(version("transformers").split(".")[0]),
    )
    if not isinstance(config.analysis, AttentionAnalysis):
        return request
    asked = attention_request(request, config.analysis, config.analysis.statistic)
    if asked.stack and not files.settings.get("is_encoder_decoder"):
        raise ProbingError(
            f"analysis.stack={asked.stack}: {files.title} has one stack of layers; leave it empty"
        )
    return asked


def attention_request(request: Request, analysis: Analysis, statistic: Statistic) -> Request:
    """Return the request for a statistic of attention of the same model, with the same limits."""
    code = tuple(map(tuple, outside_code(statistic)))
    stack: Stack = getattr(analysis, "stack", "")  # not all analyses of attention choose one
    return replace(request, site="attention", reduction=statistic, storage="float32", stack=stack, code=code)
