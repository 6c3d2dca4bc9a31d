"""One model and one head, looked at through sentences and the examples of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from probing.config.run_config import Config
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.looking.finds import Arcs, arcs_of
from probing.looking.maps import READERS, MapReader, Read, read_passage
from probing.looking.passages import Passage
from probing.looking.projections import Semantic
from probing.validation.suggestions import suggest

if TYPE_CHECKING:
    from probing.figures.picture import Picture
    from probing.models.model_files import ModelFiles

View = Literal["lines", "matrix", "layer", "model", "arcs", "semantic"]
VIEWS: tuple[View, ...] = get_args(View)
Unit = Literal["words", "tokens"]


@dataclass(frozen=True)
class Start:
    """The picture that a page opens with, and that is drawn unless another is named.

    Attributes:
        layer: Layer from 0.
        head: Head from 0.
        view: Kind of picture.
        unit: Whether words or tokens attend to each other.
    """

    layer: int
    head: int
    view: View
    unit: Unit = "words"


@dataclass(frozen=True)
class Look:
    """Attention of every head on some texts, and the vectors of a task's examples if one was given.

    Attributes:
        model: Name of the model.
        reads: The texts as the model reads them, with all maps of attention.
        arcs: For each text, what every head finds of its dependencies, by the name of the weights; empty
            without a tree.
        semantic: Examples of a task in the vectors of every head; None without a task.
        start: The picture that the page opens with.
        command: Command that makes the page; "" if no command does.
    """

    model: str
    reads: tuple[Read, ...]
    arcs: tuple[Mapping[str, Arcs], ...]
    semantic: Semantic | None
    start: Start
    command: str = ""

    def __repr__(self) -> str:
        """Return the model, its number of heads, the number of texts, and the views."""
        heads = sum(self.heads.values())
        views = ", ".join(self.views)
        return f"Look({self.model}: {heads} heads, {len(self.reads)} texts; {views})"

    @property
    def heads(self) -> dict[int, int]:
        """Number of heads of each layer."""
        maps = self.reads[0].maps["attention"]
        return {layer: len(weights) for layer, weights in maps.layers.items()}

    @property
    def views(self) -> tuple[View, ...]:
        """The views that there is something to show in."""
        there = {"arcs": any(self.arcs), "semantic": self.semantic is not None}
        return tuple(view for view in VIEWS if there.get(view, True))

    def check_view(self, view: str) -> View:
        """Return a view that there is something to show in.

        Raises:
            ProbingError: If there is no such view, or nothing to show in it.
        """
        found = next((each for each in VIEWS if each == view), None)
        if found is None:
            raise ProbingError(f"view={view} is unknown; {suggest(view, list(VIEWS))}")
        if found not in self.views:
            needed = {
                "arcs": "a sentence of a treebank with heads; give task.path=file.conllu sentence=0",
                "semantic": "the examples of a task; give task=grammar/tense or another task",
            }
            raise ProbingError(f"view={view} needs {needed[view]}")
        return found

    def html(self) -> str:
        """Return the page as one HTML text, which opens without a network."""
        from probing.looking.look_page import look_page

        return look_page(self)

    def write(self, path: str | Path) -> Path:
        """Write the page. A file of that name is overwritten.

        Args:
            path: Path of the page.
        """
        from probing.io.files import replace_file

        replace_file(Path(path), self.html().encode())
        return Path(path)

    def draw(
        self,
        view: str | None = None,
        path: str | Path | None = None,
        *,
        text: int = 0,
        weights: str = "attention",
    ) -> Picture:
        """Draw one view as the pictures of results are drawn.

        Args:
            view: `lines`, `matrix`, `layer`, `model`, `arcs` or `semantic`; None takes that of `start`.
            path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
                overwritten. None writes nothing.
            text: Number of the text, from 0.
            weights: Name of the weights.

        Raises:
            ProbingError: If there is nothing to draw.
        """
        from probing.looking.pictures import draw_look

        return draw_look(self, self.check_view(view or self.start.view), path, text=text, weights=weights)

    def _repr_html_(self) -> str:
        """Return the page in a frame for a notebook."""
        return f'<iframe srcdoc="{escape(self.html())}" style="width: 100%; height: 48rem; border: 0"></iframe>'


def look_at(
    passages: Sequence[Passage],
    files: ModelFiles,
    config: Config,
    *,
    maps: Mapping[str, MapReader] | None = None,
) -> tuple[Read, ...]:
    """Load a model and read its attention on some inputs.

    Args:
        passages: The inputs.
        files: Files of the model.
        config: Configuration, whose `extract` gives device, precision and limit of tokens.
        maps: Functions that return other weights than attention, by their name.

    Raises:
        ProbingError: If the model does not give its attention; see `read_passage`.
    """
    from probing.models.loading import load_model
    from probing.representations.threads import torch_threads

    settings = config.extract
    dtype: torch.dtype = getattr(torch, settings.dtype)
    loaded = load_model(files, device=settings.torch_device(), dtype=dtype, attention="eager")
    limits = [settings.max_length, loaded.max_length]
    limit = min((limit for limit in limits if limit), default=None)
    readers = {**READERS, **(maps or {})}
    with torch_threads(settings.threads) if settings.threads else nullcontext():
        return tuple(read_passage(passage, loaded, readers, limit) for passage in passages)


def found_arcs(reads: Sequence[Read]) -> tuple[dict[str, Arcs], ...]:
    """Return what every head finds of the tree of each text; an empty dict where there is none."""
    return tuple(
        {}
        if read.passage.tree is None or read.words is None
        else {
            name: arcs_of(read.passage.tree, read.words, maps.merged(read.words))
            for name, maps in read.maps.items()
        }
        for read in reads
    )


def check_head(heads: Mapping[int, int], layer: int, head: int) -> None:
    """Refuse a head that the model does not have.

    Args:
        heads: Number of heads of each layer.
        layer: Layer from 0.
        head: Head from 0.

    Raises:
        ProbingError: If there is no such head.
    """
    if layer not in heads:
        known = ", ".join(map(str, heads))
        raise ProbingError(f"layer={layer}: the model has attention in layers {known}; give one of them")
    if not 0 <= head < heads[layer]:
        raise ProbingError(f"head={head}: layer {layer} has heads 0 to {heads[layer] - 1}; give one of them")
