"""`probing draw`: a picture of existing results, and the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import probing
from probing.cli.destination import target
from probing.cli.selection import Where, choose, parse, values
from probing.errors import ProbingError
from probing.io.streams import output
from probing.results.grid_key import GridKey
from probing.results.load import load_results
from probing.validation.suggestions import suggest

if TYPE_CHECKING:
    from probing.figures.picture import Picture

_OPTIONS = ("by", "order", "value")
Draw = Callable[..., tuple[Path, ...]]
"""A function that draws. It takes rows, the path, the given columns, and the options of the kind by name."""


@dataclass(frozen=True)
class PictureKind:
    """A kind of picture.

    Attributes:
        what: Description of the picture.
        options: Supported options among by, order and value.
    """

    what: str
    options: tuple[str, ...] = ("value",)


def command(words: Sequence[str]) -> None:
    """Run `probing draw` and print the paths; without words, list the kinds.

    Raises:
        ProbingError: If there is no such kind, column or option, or no row matches.
    """
    if not words:
        output().write(USAGE)
        return
    name, *rest = words
    kind, draw = _kind(name)
    asked = parse(rest, "probing draw --help")
    root, out = target(asked, "figure")
    options = {key: asked[key] for key in _OPTIONS if key in asked}
    for key in options:
        if key not in kind.options:
            known = ", ".join(("paths.root", "out", "overwrite", *kind.options))
            raise ProbingError(f"draw {name} does not use {key}=; it takes {known}")
    where = {key: values(value) for key, value in asked.items() if key not in _OPTIONS}
    rows = choose(load_results(root), where, root)
    for path in out.write(lambda path: draw(rows, path, where, **options)):
        print(path)  # noqa: T201


def _kind(name: str) -> tuple[PictureKind, Draw]:
    """Return a kind of picture by name, and its function; `module:function` takes rows and a path.

    Raises:
        ProbingError: If there is no such kind or function.
    """
    if ":" in name:
        from probing.figures.pictures import function_of  # imports matplotlib, which --help does not need

        own = function_of(name)
        return PictureKind(name, ()), lambda rows, path, _: own(rows, path, "head")
    if name not in KINDS:
        raise ProbingError(f"unknown kind of picture {name!r}; {suggest(name, list(KINDS))}")
    if name == "comparison":
        return KINDS[name], _comparison
    drawn = getattr(probing, f"draw_{name}")
    return KINDS[name], lambda rows, path, _, **options: _files(drawn(rows, path, **options), path)


def _comparison(rows: pd.DataFrame, path: Path, where: Where, **options: str) -> tuple[Path, ...]:
    """Draw the two values of the only column in which the rows differ, in the given order."""
    fields = [name for name in GridKey._fields if name not in ("task", "analysis", "metric")]
    found = {name: list(rows[name].astype("string").unique()) for name in fields}
    differing = [name for name in where if len(found.get(name, [])) > 1]
    differing += [name for name in fields if len(found[name]) > 1 and name not in differing]
    if not differing:
        raise ProbingError("a comparison needs two grids of a task, but there is only one; select more rows")
    column = differing[0]
    sides = [value for value in where.get(column, found[column]) if value in found[column]]
    if len(sides) != 2:
        raise ProbingError(f"a comparison needs two grids; give two values, {column}={','.join(sides[:2])}")
    first, second = (rows[rows[column].astype("string") == side] for side in sides)
    return _files(probing.draw_comparison(first, second, path, **options), path)


def _files(picture: Picture, path: Path) -> tuple[Path, ...]:
    from probing.figures.picture import files_of  # imports matplotlib

    return files_of(picture, path)


KINDS = {
    "grid": PictureKind("one grid of layers x heads", ("order", "value")),
    "sheet": PictureKind("many grids on one colour scale", ("order", "value")),
    "profiles": PictureKind("scores by layer, a line for each model or probe"),
    "top_heads": PictureKind("the effect of n heads, with its baselines"),
    "masking": PictureKind("scores as more and more heads are masked", ()),
    "path": PictureKind("open gates and score over lambda", ()),
    "correlations": PictureKind(
        "rank correlation of heads between tasks (or by=model, by=seed)", ("by", "value")
    ),
    "trajectories": PictureKind("scores over training steps"),
    "comparison": PictureKind("two grids of each task, cell by cell"),
}
"""The kinds of pictures; `grid` is drawn by `probing.draw_grid`, and so on."""
_USAGE = """\
probing draw KIND [column=value ...] [paths.root=outputs] [out=figure] [overwrite=false]
                  [value=test] [order=head|score] [by=task]

Draws the rows of probing.load_results(root) whose columns have the given values (several separated by
commas) and writes out.png, .svg, .pdf, and out.csv, the table behind the picture. Rows of baselines are
included only if they are requested, as with baseline=untrained. No file is replaced by other content: without
out=, the next free name is used (figure-2). An existing out= is refused unless overwrite=true is given.

  paths.root=DIR     folder of results
  out=PATH           path of the files to write, without an ending
  overwrite=true     replace existing files of that name
  value=COLUMN       column of scores to draw: test, dev, value, above_chance, untrained, control, selectivity
  order=head|score   order of heads in a grid: by number, or sorted by score within each layer
  by=COLUMN          column whose values correlations compare: task, model or seed

Examples
  probing draw sheet model=minilm order=score
  probing draw profiles granularity=layer task=grammar/tense,grammar/depth
  probing draw comparison task=senteval/trec probe=logistic,senteval
  probing draw grid analysis=importance variant=per_token normalisation=none value=value
  probing draw my_package.figures:violin task=grammar/tense

Kinds
"""
USAGE = _USAGE + "".join(f"  {name:<{max(map(len, KINDS))}}  {kind.what}\n" for name, kind in KINDS.items())
