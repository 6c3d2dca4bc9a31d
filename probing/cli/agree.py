"""`probing agree`: agreement of every two measures of heads, such as probe scores and ablation."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from probing.cli.destination import target
from probing.cli.selection import Where, choose, having, parse, values
from probing.errors import ProbingError
from probing.results.checks import single_heads
from probing.results.effects import CELL
from probing.results.finding import finding_of_rows
from probing.results.load import load_results
from probing.results.sizes import counts_text
from probing.results.text.aligned import aligned

USAGE = """\
probing agree [column=value ...] [measures=main] [paths.root=outputs] [out=agreement] [overwrite=false]

Compares what heads encode with what the model uses them for. It takes every two measures of the heads of one
model, such as probe scores and ablation, and prints their rank correlation with its interval and p-value. If
there are many pairs, it prints 30: those of a probe and a measure of use first, then strong correlations. It
writes out-matrix and out-scatter as .png, .svg, .pdf and .csv, and out.csv, the table of all pairs.

A column selects among the rows that have it, as task= or model= do. Several values are separated by commas.
Values in quotes may contain commas.

  measures=main    the measures that an analysis reports first (column main); all: every measure of a head
  paths.root=DIR   folder of results
  out=PATH         path of the files to write, without an ending; otherwise a free name is used (agreement-2)
  overwrite=true   replace existing files of that name

Examples
  probing agree task=grammar/tense
  probing agree model=minilm analysis=probe,ablation
  probing agree task=senteval/trec variant=per_token out=pictures/trec
  probing agree analysis=surface,roles measures=all
  probing agree paths.root=/data/probing
"""
_HEADINGS = ("first", "second", "rho", "95% interval", "p", "within layers", "p", "same top 10%")
MOST = 30
"""Maximum number of pairs that are printed; the written table has all."""


def command(words: Sequence[str]) -> None:
    """Run `probing agree`: print, draw and write the agreement of measures.

    Raises:
        ProbingError: If no row matches, rows are of several models, there are fewer than two measures, or
            `out` exists with other content.
    """
    from probing.comparisons.agreement import agreement, answer
    from probing.figures.pairs_of_measures import draw_pairs

    asked = parse(words, "probing agree --help")
    root, out = target(asked, "agreement")
    every = _every(asked.pop("measures", "main"))
    frame, where = load_results(root), {name: values(value) for name, value in asked.items()}
    rows = comparable(frame, where, root, every=every)
    pairs = agreement(rows)
    print("\n".join(_printed(pairs)))  # noqa: T201
    print(_sizes(rows, pairs, rows if every else comparable(frame, where, root, every=True)))  # noqa: T201
    print(counts_text(rows))  # noqa: T201
    print(answer(pairs))  # noqa: T201
    for path in out.write(lambda path: draw_pairs(rows, pairs, path).files or ()):
        print(path)  # noqa: T201


def _every(measures: str) -> bool:
    if measures not in ("main", "all"):
        raise ProbingError(f"measures={measures}: give measures=main or measures=all")
    return measures == "all"


def comparable(
    frame: pd.DataFrame, where: Where, root: str = "outputs", *, every: bool = False
) -> pd.DataFrame:
    """Return the requested rows of single heads of one model, each analysis in its main variant.

    A column constrains only the rows that have it: `probe=logistic` does not affect importances, and
    `variant=only_one` affects only ablation. If no variant of an analysis is named, the rows that its finding
    offers are taken, such as `leave_one_out` for ablation. Inner runs are left out if they lack heads of a
    requested run.

    Args:
        frame: Output of `load_results`.
        where: Values of each column, as written by the user.
        root: Folder from which the frame was read, for messages.
        every: Whether to take all rows of an analysis that offers some.

    Raises:
        ProbingError: If no row matches, or the rows are of several models and none was named.
    """
    columns = {name: asked for name, asked in where.items() if name != "variant"}
    rows = choose(frame, columns, root, keep_missing=True)
    rows = single_heads(rows, "probing agree")
    rows = rows[(rows["granularity"] == "head").fillna(value=False) & rows["head"].notna()]
    rows = rows.reset_index(drop=True)
    variants = where.get("variant", ())
    named = having(rows, "variant", variants)
    found = {str(analysis): own for analysis, own in rows.groupby("analysis", sort=False)}
    by_place = sorted(found, key=lambda name: finding_of_rows(found[name]).place)
    ordered = dict.fromkeys([*where.get("analysis", ()), *by_place])
    taken = [_by_variant(found[name], named, every) for name in ordered if name in found]
    if not sum(map(len, taken)):
        raise ProbingError(f"{root}: no results of single heads; run probing and probing analysis=ablation")
    rows = pd.concat(taken)
    models = list(rows["model"].unique())
    if len(models) > 1 and "model" not in where:
        raise ProbingError(
            f"heads of {len(models)} different models cannot be compared; choose one, model={models[0]}"
        )
    return _without_partial(rows)


def _without_partial(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without those of inner runs (column `inner`) that lack heads of a requested run."""
    inner = rows["inner"].fillna(value=False).astype(bool)
    if inner.all():
        return rows
    heads = rows["key"].map(rows.drop_duplicates(["key", *CELL])["key"].value_counts())
    return rows[~inner | heads.ge(heads[~inner].max())]


def _by_variant(rows: pd.DataFrame, named: pd.Series, every: bool) -> pd.DataFrame:
    own = rows[named.loc[rows.index].to_numpy()]
    if own.empty:
        offered = finding_of_rows(rows).offered(rows)
        if not every or offered.empty:
            return offered
        own = rows
    plain = own[own["normalisation"].isna()]  # normalised values are the same measure on another scale
    return own if plain.empty else plain


def _printed(pairs: pd.DataFrame) -> list[str]:
    """Return a line for each pair, the foremost ones of many."""
    from probing.comparisons.agreement import foremost

    return aligned([_HEADINGS, *(_cells(pair) for _, pair in foremost(pairs, MOST).iterrows())], "<<>>>>>>")


def _cells(pair: pd.Series) -> tuple[str, ...]:
    def text(name: str, form: str) -> str:
        return "" if pd.isna(pair[name]) else form.format(pair[name])

    ends = text("low", "[{:+.2f}, ") + text("high", "{:+.2f}]")
    within = text("rho_within_layers", "{:+.2f}"), text("p_within_layers_adjusted", "{:.2g}")
    whole = text("rho", "{:+.2f}"), ends, text("p_adjusted", "{:.2g}")
    return str(pair["first"]), str(pair["second"]), *whole, *within, text("top_overlap", "{:.0%}")


def _sizes(rows: pd.DataFrame, pairs: pd.DataFrame, everything: pd.DataFrame) -> str:
    """Return the numbers of measures and of pairs, of those that are shown and of those that there are."""
    from probing.comparisons.measures import head_grids

    count, there = len(head_grids(rows)), len(head_grids(everything))
    others = f", the main ones of {there}; measures=all takes the others too" if there > count else ""
    lines = [f"{count} measures{others}"]
    if len(pairs) > MOST:
        lines = [
            f"{MOST} of {len(pairs)} pairs, first those of different kinds; the written table has all",
            *lines,
        ]
    return "\n".join(lines)
