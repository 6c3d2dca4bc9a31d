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

USAGE = """\
probing agree [column=value ...] [paths.root=outputs] [out=agreement] [overwrite=false]

Compares what heads encode with what the model uses them for. It takes every two measures of the heads of one
model, such as probe scores and ablation, and prints their rank correlation with its interval and p-value. It
writes out-matrix and out-scatter as .png, .svg, .pdf and .csv, and out.csv, the table of all pairs.

A column selects among the rows that have it, as task= or model= do. Several values are separated by commas.
Values in quotes may contain commas.

  paths.root=DIR   folder of results
  out=PATH         path of the files to write, without an ending; otherwise a free name is used (agreement-2)
  overwrite=true   replace existing files of that name

Examples
  probing agree task=grammar/tense
  probing agree model=minilm analysis=probe,ablation
  probing agree task=senteval/trec variant=per_token out=pictures/trec
  probing agree paths.root=/data/probing
"""
# columns that are printed; the written table has all columns
_SHOWN = (
    "first", "second", "rho", "low", "high", "p_adjusted", "rho_within_layers", "p_within_layers_adjusted",
    "top_overlap",
)  # fmt: skip
_HEADINGS = {
    "p_adjusted": "p",
    "rho_within_layers": "within layers",
    "p_within_layers_adjusted": "p within",
    "top_overlap": "same top 10%",
}


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
    rows = comparable(load_results(root), {name: values(value) for name, value in asked.items()}, root)
    pairs = agreement(rows)
    print(_printed(pairs))  # noqa: T201
    print(counts_text(rows))  # noqa: T201
    print(answer(pairs))  # noqa: T201
    for path in out.write(lambda path: draw_pairs(rows, pairs, path).files or ()):
        print(path)  # noqa: T201


def comparable(frame: pd.DataFrame, where: Where, root: str = "outputs") -> pd.DataFrame:
    """Return the requested rows of single heads of one model, each analysis in its main variant.

    A column constrains only the rows that have it: `probe=logistic` does not affect importances, and
    `variant=only_one` affects only ablation. If no variant of an analysis is named, the rows that its finding
    offers are taken, such as `leave_one_out` for ablation. Inner runs are left out if they lack heads of a
    requested run.

    Args:
        frame: Output of `load_results`.
        where: Values of each column, as written by the user.
        root: Folder from which the frame was read, for messages.

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
    taken = [_by_variant(found[name], named) for name in ordered if name in found]
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


def _by_variant(rows: pd.DataFrame, named: pd.Series) -> pd.DataFrame:
    own = rows[named.loc[rows.index].to_numpy()]
    if own.empty:
        return finding_of_rows(rows).offered(rows)
    plain = own[own["normalisation"].isna()]  # normalised values are the same measure on another scale
    return own if plain.empty else plain


def _printed(pairs: pd.DataFrame) -> str:
    shown = pairs[list(_SHOWN)].rename(columns=_HEADINGS)
    signed = ("rho", "low", "high", "within layers")
    formats = {name: "{:+.2f}" if name in signed else "{:.2g}" for name in shown.columns[2:]}
    texts = {
        name: shown[name].map(lambda number, text=text: "" if pd.isna(number) else text.format(number))
        for name, text in formats.items()
    }
    return shown.assign(**texts).to_string(index=False)
