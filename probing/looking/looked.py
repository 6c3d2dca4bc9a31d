"""All that a page or a picture of a look shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from probing.config.convert import make
from probing.errors import ProbingError
from probing.looking.finds import Arcs
from probing.looking.maps import Read
from probing.looking.projections import Semantic
from probing.looking.scene import VIEWS, Scene, View, check_head
from probing.looking.sides import SIDES, Sides
from probing.representations.request import Stack
from probing.validation.suggestions import suggest


@dataclass(frozen=True)
class Looked:
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
        stack: The stack of an encoder-decoder model that was read; "" for any other model and its encoder.
    """

    model: str
    reads: tuple[Read, ...]
    arcs: tuple[Mapping[str, Arcs], ...]
    semantic: Semantic | None
    scene: Scene
    commands: tuple[str, ...] = ()
    stack: Stack = ""

    def __repr__(self) -> str:
        """Return the model, its number of heads, the number of texts, and the views."""
        heads = f"{sum(self.heads.values())} {self.sides.layer}heads"
        views = ", ".join(self.views)
        return f"{type(self).__name__}({self.model}: {heads}, {len(self.reads)} texts; {views})"

    @property
    def sides(self) -> Sides:
        """Words for the places that attend, and for those that they attend to."""
        return SIDES[self.stack]

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

    def changed(self, **changes: Any) -> Self:  # noqa: ANN401
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
        place = (scene.layer, scene.head)
        if scene.view == "semantic" and self.semantic is not None and place not in self.semantic.heads:
            raise ProbingError(f"layer={scene.layer}: granularity.layers leaves it out; give a layer of it")
        return replace(self, scene=scene)
