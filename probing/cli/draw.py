"""`probing draw`: a picture of results that are there, and the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

import probing
from probing.cli.selection import Where, choose, parse, places, values
from probing.errors import ProbingError
from probing.figures.grids import GridKey
from probing.figures.pictures import function_of
from probing.io.streams import output
from probing.results.load import load_results
from probing.validation.suggestions import suggest

_DEFAULTS = {"by": "task", "order": "head", "value": "test"}


@dataclass(frozen=True)
class PictureKind:
    """A kind of picture.

    Attributes:
        what: What it shows.
        draw: Draws rows; takes them, the path, what was asked of columns, and `options` by name.
        options: Which of by, order and value it has.
    """

    what: str
    draw: Callable[..., tuple[Path, ...]]
    options: tuple[str, ...] = ("value",)


def command(words: Sequence[str]) -> None:
    """Draw what `probing draw KIND [column=value ...]` names, and print where; without words, the kinds.

    Raises:
        ProbingError: If there is no such kind, column or option, or no row answers.
    """
    if not words:
        output().write(usage())
        return
    name, *rest = words
    kind = _kind(name)
    asked = parse(rest, "probing draw")
    root, out = places(asked, "figure")
    options = {key: _DEFAULTS[key] for key in kind.options}
    for key in asked.keys() & _DEFAULTS.keys():
        if key not in options:
            raise ProbingError(
                f"{key}= is of no use to draw {name}; it takes {', '.join(('paths.root', 'out', *options))}"
            )
        options[key] = asked[key]
    where = {key: values(value) for key, value in asked.items() if key not in _DEFAULTS}
    rows = choose(load_results(root), where, root)
    for path in kind.draw(rows, out, where, **options):
        print(path)  # noqa: T201


def _kind(name: str) -> PictureKind:
    """A kind of picture by its name; `module:function` is a function that takes rows and a path.

    Raises:
        ProbingError: If there is no such kind or function.
    """
    if ":" in name:
        draw = function_of(name)
        return PictureKind(name, lambda rows, path, _: draw(rows, path, "head"), ())
    if name not in KINDS:
        raise ProbingError(f"no kind of picture {name!r}; {suggest(name, list(KINDS))}")
    return KINDS[name]


def usage() -> str:
    """The kinds of pictures and their options."""
    width = max(map(len, KINDS))
    lines = [f"  {name:<{width}}  {kind.what}" for name, kind in KINDS.items()]
    return "\n".join([_USAGE, *lines, ""])


def _comparison(rows: pd.DataFrame, path: Path, where: Where, *, value: str) -> tuple[Path, ...]:
    """Draw the two values of the one column that the rows differ in, in the order that was given."""
    fields = [name for name in GridKey._fields if name not in ("task", "analysis", "metric")]
    found = {name: list(rows[name].astype("string").unique()) for name in fields}
    differing = [name for name in where if len(found.get(name, [])) > 1]
    differing += [name for name in fields if len(found[name]) > 1 and name not in differing]
    if not differing:
        raise ProbingError("a comparison takes two grids of a task, and there is one; select more rows")
    column = differing[0]
    sides = [value for value in where.get(column, found[column]) if value in found[column]]
    if len(sides) != 2:
        raise ProbingError(f"a comparison takes two grids; give two values, {column}={','.join(sides[:2])}")
    first, second = (rows[rows[column].astype("string") == side] for side in sides)
    return probing.draw_comparison(first, second, path, value=value)


def _plain(draw: Callable[..., tuple[Path, ...]]) -> Callable[..., tuple[Path, ...]]:
    """A picture for which it does not matter what was asked."""

    def drawn(rows: pd.DataFrame, path: Path, _: Where, **options: str) -> tuple[Path, ...]:
        return draw(rows, path, **options)

    return drawn


KINDS = {
    "grid": PictureKind("one grid of layers x heads", _plain(probing.draw_grid), ("order", "value")),
    "sheet": PictureKind("many grids on one colour scale", _plain(probing.draw_sheet), ("order", "value")),
    "profiles": PictureKind("scores by layer, a line for each model or probe", _plain(probing.draw_profiles)),
    "top_heads": PictureKind("the effect of n heads, with its baselines", _plain(probing.draw_top_heads)),
    "masking": PictureKind("scores while ever more heads are masked", _plain(probing.draw_masking), ()),
    "path": PictureKind("gates left open and score over lambda", _plain(probing.draw_path), ()),
    "correlations": PictureKind(
        "how alike tasks (or by=model, by=seed) rank heads",
        _plain(probing.draw_correlations),
        ("by", "value"),
    ),
    "trajectories": PictureKind("scores over training steps", _plain(probing.draw_trajectories)),
    "comparison": PictureKind("two grids of each task, cell by cell", _comparison),
}
_USAGE = """\
probing draw KIND [column=value ...] [paths.root=outputs] [out=figure] [value=test]
                  [order=head|score] [by=task]

Draws the rows of probing.load_results(root) whose columns have the given values (several between
commas) and writes out.png, .svg, .pdf, and out.csv, the table behind the picture. Rows of baselines
count only if they are asked for, as with baseline=untrained.

  probing draw sheet model=minilm order=score
  probing draw profiles granularity=layer task=grammar/tense,grammar/depth
  probing draw comparison task=senteval/trec probe=logistic,senteval
  probing draw grid analysis=importance variant=per_token normalisation=none value=value
  probing draw my_package.figures:violin task=grammar/tense

Kinds"""
