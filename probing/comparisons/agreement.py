"""Do probing and use agree? How alike measures of heads rank them, and whether layers are all they share."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.comparisons.measures import measure_kinds, measures
from probing.errors import ProbingError
from probing.results.schema import RESULT
from probing.statistics.ranks import centred_ranks, spearman, spearman_within, top_overlap
from probing.validation.arguments import checked
from probing.validation.ranges import Draws, Seed

DRAWS = 9999
LEVEL = 0.05
_BLOCK = 2_000_000
# what rounding may do to a correlation
_TIE = 1e-9


@checked(frame=(*RESULT, "value"))
def agreement(frame: pd.DataFrame, *, draws: Draws = DRAWS, seed: Seed = 0) -> pd.DataFrame:
    """Rank correlations over heads between every two measures: probe scores, importance, ablation, gates.

    All measures point the same way (`probing.results.effects.effect`), so that a positive rho means that
    what one finds in a head the other does too.

    Args:
        frame: Result rows; every grid of single heads is a measure, and all must be of the same heads.
        draws: Random permutations behind each p.
        seed: Of these.

    Returns:
        A row for each pair: its names `first` and `second`, and their kinds `first_kind` and `second_kind`
        ("encoding" for what heads encode, "use" for their effect, or empty); `n` heads; Spearman's `rho`;
        `low` and `high`, its 95 % interval on Fisher's z scale, var z = (1 + rho²/2) / (n − 3)
        (Bonett & Wright 2000), which takes heads as drawn independently and so is too narrow where
        those of a layer are alike; `p`, two-sided, from permutations of heads, and `p_adjusted` by
        Holm (1979) over all pairs;
        `rho_within_layers`, the correlation of ranks centred by layer, which what layers have in common
        does not reach, with its `p_within_layers` from permutations of heads within their layers and
        `p_within_layers_adjusted`; `top_overlap`, the share of the top tenth that both have in common.
        NaN beside a measure that is the same everywhere (in each layer).

    Raises:
        ProbingError: If there are fewer than two grids of single heads, or they are of different heads.
    """
    return pairs_of(measures(frame), measure_kinds(frame), draws=draws, seed=seed)


def pairs_of(
    table: pd.DataFrame, kinds: Mapping[str, str], *, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """The result of `agreement` for a table of measures.

    Args:
        table: As `probing.comparisons.measures.measures` returns it.
        kinds: Kind of each measure, as `probing.comparisons.measures.measure_kinds` returns it.
        draws: Random permutations behind each p.
        seed: Of these.

    Raises:
        ProbingError: If it has fewer than two columns.
    """
    from probing.statistics.intervals import fisher
    from probing.statistics.paired_tests import holm

    if table.shape[1] < 2:
        there = ", ".join(map(str, table.columns)) or "none"
        raise ProbingError(
            f"agreement takes two measures of heads or more, and here is {there}; select more rows"
        )
    layers = layers_of(table)
    whole, within = spearman(table).to_numpy(), spearman_within(table, layers).to_numpy()
    p = _permuted(table.rank(), np.zeros(len(table), dtype=np.int64), draws, seed)
    p_within = _permuted(centred_ranks(table, layers), layers, draws, seed)
    found = []
    for (i, first), (j, second) in combinations(enumerate(table), 2):
        rho = float(whole[i, j])
        low, high = (rho, rho) if np.isnan(rho) else fisher(rho, len(table), "spearman")
        found.append({
            "first": first, "second": second,
            "first_kind": kinds[str(first)], "second_kind": kinds[str(second)],
            "n": len(table), "rho": rho, "low": low, "high": high,
            "p": p[i, j], "p_adjusted": np.nan, "rho_within_layers": float(within[i, j]),
            "p_within_layers": p_within[i, j], "p_within_layers_adjusted": np.nan,
            "top_overlap": top_overlap(table[first], table[second]),
        })  # fmt: skip
    pairs = pd.DataFrame(found)
    for name in ("p", "p_within_layers"):
        pairs[f"{name}_adjusted"] = holm(pairs[name].to_numpy())
    return pairs


def layers_of(table: pd.DataFrame) -> NDArray[np.int64]:
    """(cells,), the number of the layer of each cell; those of different stacks are different layers."""
    found = table.groupby(["stack", "layer"], sort=False).ngroup()
    return np.asarray(found.to_numpy(), dtype=np.int64)


def answer(pairs: pd.DataFrame) -> str:
    """One sentence: how far what probes find is what the model uses, or how far measures agree.

    Args:
        pairs: What `agreement` gives.
    """
    kinds = pairs[["first_kind", "second_kind"]]
    probes, uses = kinds.isin(["encoding"]).any(axis=1), kinds.isin(["use"]).any(axis=1)
    asked, what = pairs[probes & uses], "of a probe and a measure of use"
    if asked.empty:
        asked, what = pairs, "of measures"
    known = asked[asked["rho"].notna()]
    if known.empty:
        return "no agreement can be told: a measure is the same for all heads"
    strongest = known.iloc[int(known["rho"].abs().to_numpy().argmax())]
    if len(known) == 1:
        return _of_pair(strongest)
    medians = (_signed(known[name].median()) for name in ("rho", "rho_within_layers"))
    told = "over {} pairs {} the median rho is {} (within layers {}); the strongest is ".format(
        len(known), what, *medians
    )
    return told + _of_pair(strongest)


def _of_pair(pair: pd.Series) -> str:
    ends = f"[{_signed(pair['low'])}, {_signed(pair['high'])}]"
    whole = f"rho {_signed(pair['rho'])} {ends} over {pair['n']} heads, p {pair['p_adjusted']:.2g}"
    within = f"within layers {_signed(pair['rho_within_layers'])}, p {pair['p_within_layers_adjusted']:.2g}"
    return f"{pair['first']} and {pair['second']}, {whole}; {within}: {_meaning(pair)}"


def _meaning(pair: pd.Series) -> str:
    whole, within = (
        np.sign(pair[rho]) if pair[p] <= LEVEL else 0.0
        for rho, p in (("rho", "p_adjusted"), ("rho_within_layers", "p_within_layers_adjusted"))
    )
    return _MEANINGS[float(whole), float(within)]


def _signed(number: float) -> str:
    return f"{number:+.2f}"


def _permuted(ranks: pd.DataFrame, groups: NDArray[np.int64], draws: int, seed: int) -> NDArray[np.float64]:
    """Two-sided p of every two columns, cells of the first permuted within their groups; (m, m)."""
    columns = ranks.to_numpy(dtype=np.float64)
    columns = columns - columns.mean(axis=0)
    length = np.linalg.norm(columns, axis=0)
    varies = length > _TIE * max(1.0, float(length.max()))
    columns = columns / np.where(varies, length, np.inf)
    observed, generator = np.abs(columns.T @ columns) - _TIE, np.random.default_rng(seed)
    exceeded, block = np.zeros(observed.shape), max(1, _BLOCK // columns.size)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    for start in range(0, draws, block):
        orders = np.tile(np.arange(len(columns)), (min(block, draws - start), 1))
        for own in members:
            orders[:, own] = generator.permuted(orders[:, own], axis=1)
        drawn = columns[orders].transpose(0, 2, 1) @ columns
        exceeded += (np.abs(drawn) >= observed).sum(axis=0)
    p = (1 + exceeded) / (1 + draws)
    return np.where(np.outer(varies, varies), p, np.nan)


_MEANINGS = {
    (0.0, 0.0): "no agreement is shown",
    (0.0, 1.0): "they agree among the heads of a layer, though not over all",
    (0.0, -1.0): "they disagree among the heads of a layer, though not over all",
    (1.0, 0.0): "they agree, but perhaps in no more than which layers matter",
    (1.0, 1.0): "they agree, among the heads of one layer too",
    (1.0, -1.0): "they agree in which layers matter, and disagree among the heads of a layer",
    (-1.0, 0.0): "they rank heads in opposite order, but perhaps in no more than the layers",
    (-1.0, 1.0): "they disagree in which layers matter, and agree among the heads of a layer",
    (-1.0, -1.0): "they rank heads in opposite order, among the heads of one layer too",
}
