"""The page of one look as one text: markup, style, numbers and script, without anything to download."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from numpy.typing import NDArray

import probing
from probing.figures.style import score_colours
from probing.looking.finds import DIRECTIONS, Arcs
from probing.looking.looked import Looked
from probing.looking.maps import Maps, Read
from probing.looking.pieces import Array, Pieces
from probing.looking.projections import Axes, Semantic
from probing.page.inline import asset, framed
from probing.page.palette import LINES
from probing.tasks.task import Unit

ASSETS = Path(__file__).parent / "assets"
STEPS = 65_535
"""Number of steps of a weight between 0 and the top of its scale; the page keeps 16 bits of each."""
# in the order of their dependencies, since they become one script with one scope
SCRIPTS = ("state", "drawing", "lines", "matrix", "maps", "arcs", "semantic", "controls", "open")


def look_page(look: Looked) -> str:
    """Return the HTML of the page.

    Args:
        look: What the page shows.
    """
    shared = [asset(f"{name}.js") for name in ("elements", "theme")]
    return framed(
        f"probing look: {look.model}",
        style=asset("page.css") + _own("look.css"),
        body=_own("look.html"),
        data=_data(look),
        script="\n".join([*shared, *(_own(f"{name}.js") for name in SCRIPTS)]),
    )


def _data(look: Looked) -> dict[str, Any]:
    colours = score_colours()(np.arange(256))
    return {
        "version": probing.__version__,
        "model": look.model,
        "sides": vars(look.sides),
        "layers": list(look.heads),
        "heads": list(look.heads.values()),
        "texts": [_text(read, arcs) for read, arcs in zip(look.reads, look.arcs, strict=True)],
        "semantic": None if look.semantic is None else _semantic(look.semantic, look.heads),
        "views": look.views,
        "scene": vars(look.scene),
        "commands": look.commands,
        "steps": STEPS,
        "colours": [to_hex(colour) for colour in colours],
        "palette": LINES,
    }


def _text(read: Read, arcs: Mapping[str, Arcs]) -> dict[str, Any]:
    levels = {"tokens": read.tokens, **({} if read.words is None else {"words": read.words})}
    return {
        "text": read.passage.text,
        "second": read.passage.second,
        "place": read.passage.place,
        "cut": read.cut,
        "levels": {name: _places(pieces) for name, pieces in levels.items()},
        "seen": list(read.maps["attention"].seen.values()),
        "maps": {name: _maps(maps, levels) for name, maps in read.maps.items()},
        "arcs": {name: _arcs(each) for name, each in arcs.items()},
    }


def _places(pieces: Pieces) -> dict[str, Any]:
    return {"labels": pieces.labels, "special": pieces.special, "texts": pieces.texts}


def _maps(maps: Maps, levels: Mapping[str, Pieces]) -> dict[str, Any]:
    merged = {unit: maps.merged(pieces) for unit, pieces in levels.items()}
    tops = {unit: maps.top_of(each) for unit, each in merged.items()}
    return {
        "attention": maps.attention,
        "top": tops,
        "lacking": maps.lacking,
        **{unit: packed(each, tops[unit]) for unit, each in merged.items()},
    }


def packed(merged: Mapping[int, Array], top: float) -> str:
    """Return all maps as base64 of uint16: layer after layer, head after head, query after query.

    A weight is `top` · number / `STEPS`, and so exact to 2⁻¹⁷ of the top of its scale.

    Args:
        merged: For each layer, float32 (heads, places, places), queries and keys.
        top: Upper end of the scale.
    """
    scaled = (np.clip(part / (top or 1.0), 0, 1) for part in merged.values())
    numbers = [np.rint(part * STEPS).astype("<u2").ravel() for part in scaled]
    return _base64(np.concatenate(numbers))


def _arcs(arcs: Arcs) -> dict[str, Any]:
    return {
        "words": arcs.words,
        "heads": arcs.heads.tolist(),
        "relations": arcs.relations,
        "found": {
            direction: [row for each in arcs.found[direction].values() for row in each.tolist()]
            for direction in DIRECTIONS
        },
    }


def _semantic(semantic: Semantic, heads: Mapping[int, int]) -> dict[str, Any]:
    places = [(layer, head) for layer, count in heads.items() for head in range(count)]
    views = [semantic.heads.get(place) for place in places]
    return {
        "task": semantic.task,
        "how": semantic.how,
        "metric": semantic.metric,
        "majority": semantic.majority,
        "held_out": semantic.held_out,
        "classes": semantic.classes,
        "labels": semantic.labels,
        "values": None if semantic.grades is None else semantic.grades.tolist(),
        "units": [[_unit(unit) for unit in units] for units in semantic.units],
        "heads": [
            view and {"score": view.score, "pca": _axes(view.pca), "probe": view.probe and _axes(view.probe)}
            for view in views
        ],
    }


def _unit(unit: Unit) -> dict[str, Any]:
    return {"text": unit.text, "span": unit.span, "second": unit.second}


def _axes(axes: Axes) -> dict[str, Any]:
    return {
        "points": _base64(axes.points.astype("<f4").ravel()),
        "names": axes.names,
        "boundary": axes.boundary,
    }


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _own(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
