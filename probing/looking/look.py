"""One model and one head, looked at through sentences and the examples of a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probing.config.convert import make
from probing.config.run_config import Config
from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.looking.finds import Arcs, arcs_of
from probing.looking.maps import READERS, MapReader, Read, read_passage
from probing.looking.passages import Passage
from probing.looking.projections import Semantic
from probing.looking.scene import VIEWS, Scene, View, check_head
from probing.validation.suggestions import suggest

if TYPE_CHECKING:
    from probing.figures.picture import Picture
    from probing.models.model_files import ModelFiles


@dataclass(frozen=True)
class Look:
    """Attention of every head on some texts, and the vectors of a task's examples if one was given.

    Attributes:
        model: Name of the model.
        reads: The texts as the model reads them, with all maps of attention.
        arcs: For each text, what every head finds of its dependencies, by the name of the weights; empty
            without a tree.
        semantic: Examples of a task in the vectors of every head; None without a task.
        scene: The picture that the page opens with.
        commands: For each text, the command that reads it, without the choices of a picture; empty if no
            command does.
    """

    model: str
    reads: tuple[Read, ...]
    arcs: tuple[Mapping[str, Arcs], ...]
    semantic: Semantic | None
    scene: Scene
    commands: tuple[str, ...] = ()

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

    def draw(self, view: str | None = None, path: str | Path | None = None, **changes: Any) -> Picture:  # noqa: ANN401
        """Draw one view as the pictures of results are drawn.

        Args:
            view: `lines`, `matrix`, `layer`, `model`, `arcs` or `semantic`; None takes that of `scene`.
            path: Path of the files, without .png, .svg, .pdf or .csv, which are added. Files of that name are
                overwritten. None writes nothing.
            **changes: Other choices of the picture, by the fields of `Scene`: `layer=3, head=5`.

        Raises:
            ProbingError: If there is nothing to draw, or no such choice.
        """
        from probing.looking.pictures import draw_look

        return draw_look(self.changed(view=view or self.scene.view, **changes), path)

    def changed(self, **changes: Any) -> Look:  # noqa: ANN401
        """Return the same look with another scene.

        Args:
            **changes: Fields of `Scene`.

        Raises:
            ProbingError: If there is no such choice, or nothing to show.
        """
        scene = make(Scene, {**vars(self.scene), **changes}, "look")
        check_head(self.heads, scene.layer, scene.head)
        self.check_view(scene.view)
        if not 0 <= scene.passage < len(self.reads):
            raise ProbingError(
                f"passage={scene.passage}: there are texts 0 to {len(self.reads) - 1}; give one of them"
            )
        known = list(self.reads[scene.passage].maps)
        if scene.weights not in known:
            raise ProbingError(f"weights={scene.weights} are unknown; {suggest(scene.weights, known)}")
        if scene.view == "arcs" and not self.arcs[scene.passage]:
            raise ProbingError(
                f"passage={scene.passage}: the text is not from a treebank with heads; give another view"
            )
        return replace(self, scene=scene)

    def _repr_html_(self) -> str:
        """Return the page in a frame for a notebook."""
        return (
            f'<iframe srcdoc="{escape(self.html())}" style="width: 100%; height: 48rem; border: 0"></iframe>'
        )


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
