"""All that one look needs: the texts, the model's attention on them, and the vectors of a task."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from probing.analyses.probe import ProbeAnalysis
from probing.config.compose import compose_config, plain_values
from probing.config.run_config import Config, build_config
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.looking.finds import Arcs, arcs_of
from probing.looking.map_readers import MapReader, readers_of
from probing.looking.maps import Read, read_passage
from probing.looking.outcome import Look
from probing.looking.passages import Passage, passage_of, passage_of_unit, passages_of_treebank
from probing.looking.projections import semantic
from probing.looking.scene import Scene, View, check_head
from probing.looking.sides import check_stack
from probing.models.model_files import ModelFiles, find_files
from probing.representations.request import Stack
from probing.runs.pipeline import Run
from probing.runs.prepare import prepare

TREEBANK = "task=treebank/deprel"
"""The task whose key `task.path` names a treebank if no task is given."""


@dataclass(frozen=True)
class Asked:
    """The choices of a look that are not options of a run.

    Attributes:
        texts: Texts to read.
        seconds: The second text of each, None for a single text; empty if all are single.
        sentences: Places of sentences in a treebank, from 0.
        scene: Choices of the picture to start with, by the fields of `Scene`.
        words: The options of a run in the command that makes the page; None if no command does.
        stack: The stack of an encoder-decoder model; "" reads its encoder.
    """

    texts: tuple[str, ...] = ()
    seconds: tuple[str | None, ...] = ()
    sentences: tuple[int, ...] = ()
    scene: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] | None = None
    stack: Stack = ""

    @property
    def pairs(self) -> tuple[tuple[str, str | None], ...]:
        """Each text with its second text; None for a single text."""
        seconds: Sequence[str | None] = self.seconds or [None] * len(self.texts)
        return tuple(zip(self.texts, seconds, strict=True))

    @property
    def commands(self) -> tuple[str, ...]:
        """Command that reads each text; a single one if the text is an example of a task."""
        if self.words is None:
            return ()
        own = [
            [f"text={text}", *([] if second is None else [f"second={second}"])] for text, second in self.pairs
        ]
        own += [[f"sentence={number}"] for number in self.sentences]
        words = (*([f"stack={self.stack}"] if self.stack else []), *self.words)
        return tuple(shlex.join(["probing", "look", *each, *words]) for each in own or [[]])


def gather(asked: Asked, overrides: Sequence[str], maps: Mapping[str, MapReader] | None = None) -> Look:
    """Read the texts with the model, and the task's vectors if a task is among the overrides.

    Args:
        asked: The choices of the look.
        overrides: Options of a run: model, task, pooling, probe, extract, paths.
        maps: Functions that return other weights than attention, by their name.

    Raises:
        ProbingError: If there is nothing to look at, or a choice does not exist.
    """
    names = {each.partition("=")[0].lstrip("+") for each in overrides}
    of_task = bool(names & {"task", "experiment"})
    by_path = "task.path" in names
    given = [TREEBANK, *overrides] if by_path and not of_task else overrides
    config = build_config(plain_values(compose_config(given)))
    _check(asked, config, of_task=of_task)
    if asked.stack:
        model = find_files(config.model)
        check_stack(asked.stack, model.settings, model.title, of_task=of_task)
    passages = _passages(asked, config)
    run = prepare(config) if of_task else None
    if run is not None and not passages:
        passages = (_first_example(run),)
    files = find_files(config.model) if run is None else run.spec.files
    reads = look_at(passages, files, config, maps=maps, stack=asked.stack)
    look = Look(files.title, reads, found_arcs(reads), None, Scene(), asked.commands, asked.stack)
    scene = {"layer": next(iter(look.heads)), **asked.scene}
    check_head(look.heads, scene["layer"], scene.get("head", 0))  # before probes are fitted
    look = replace(look, semantic=None if run is None else semantic(run))
    return look.changed(**{"view": _suggested(asked, look), **scene})


def _check(asked: Asked, config: Config, *, of_task: bool) -> None:
    """Refuse choices that contradict each other.

    Raises:
        ProbingError: If they do.
    """
    if asked.seconds and len(asked.seconds) != len(asked.texts):
        raise ProbingError(
            f"look: {len(asked.texts)} text= and {len(asked.seconds)} second=; give one second for each text"
        )
    if not (asked.texts or asked.sentences or of_task):
        raise ProbingError(
            'look: nothing to read; give text="...", or task.path=file.conllu sentence=0, or a task'
        )
    if config.granularity.unit != "head":
        raise ProbingError(
            f"look shows single heads; leave out granularity={config.granularity.unit}, or give "
            "granularity.layers=[...] to read some layers"
        )
    if not isinstance(config.analysis, ProbeAnalysis):
        raise ProbingError(f"look shows what a probe reads; leave out analysis={config.analysis.name}")


def _passages(asked: Asked, config: Config) -> tuple[Passage, ...]:
    texts = tuple(passage_of(text, second) for text, second in asked.pairs)
    return texts + passages_of_treebank(config.task, asked.sentences) if asked.sentences else texts


def _first_example(run: Run) -> Passage:
    """Return the first example of test, or of the task if it has no test split."""
    task = run.spec.task
    rows = [*task.rows("test").tolist(), 0]
    return passage_of_unit(task.units[rows[0]], f"an example of {task.name}")


def _suggested(asked: Asked, look: Look) -> View:
    """Return the view that a page opens with if none is named."""
    if not {"layer", "head"} & set(asked.scene):
        return "model"
    if look.semantic is not None and not asked.texts and not asked.sentences:
        return "semantic"
    return "arcs" if look.arcs[0] else "lines"


def look_at(
    passages: Sequence[Passage],
    files: ModelFiles,
    config: Config,
    *,
    maps: Mapping[str, MapReader] | None = None,
    stack: Stack = "",
) -> tuple[Read, ...]:
    """Load a model and read its attention on some inputs.

    Args:
        passages: The inputs.
        files: Files of the model.
        config: Configuration, whose `extract` gives device, precision and limit of tokens.
        maps: Functions that return other weights than attention, by their name.
        stack: The stack of an encoder-decoder model; "" reads its encoder.

    Raises:
        ProbingError: If the model does not give its attention; see `read_passage`.
    """
    from probing.models.loading import load_model
    from probing.representations.threads import torch_threads

    settings = config.extract
    dtype: torch.dtype = getattr(torch, settings.dtype)
    loaded = load_model(
        files,
        device=settings.torch_device(),
        dtype=dtype,
        attention="eager",
        purpose="lm" if stack else "read",  # only the whole model has a decoder
    )
    limit = loaded.limit(settings.max_length)
    readers = {**readers_of(stack), **(maps or {})}
    with torch_threads(settings.threads) if settings.threads else nullcontext():
        return tuple(read_passage(passage, loaded, readers, limit, stack) for passage in passages)


def found_arcs(reads: Sequence[Read]) -> tuple[dict[str, Arcs], ...]:
    """Return what every head finds of the tree of each text; an empty dict where there is none."""
    return tuple(
        {}
        if read.passage.tree is None or read.words is None
        else {
            name: arcs_of(read.passage.tree, read.words, maps.shares().merged(read.words))
            for name, maps in read.maps.items()
        }
        for read in reads
    )
