"""Agreement between what heads encode and what the model uses: rank correlations, also within layers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.comparisons.measures import head_grids, table_of
from probing.errors import ProbingError
from probing.results.finding import finding_of_rows
from probing.results.schema import RESULT
from probing.statistics.ranks import centred_ranks, spearman, spearman_within, top_overlap
from probing.validation.arguments import checked
from probing.validation.ranges import Draws, Seed

DRAWS = 9999
LEVEL = 0.05
_BLOCK = 2_000_000
# largest effect of rounding on a correlation
_TIE = 1e-9


@checked(frame=(*RESULT, "value"))
def agreement(frame: pd.DataFrame, *, draws: Draws = DRAWS, seed: Seed = 0) -> pd.DataFrame:
    """Correlate the ranks of heads under every two measures: probe scores, importance, ablation, gates.

    All measures point the same way (`probing.results.effects.effect`). A positive rho therefore means that
    heads that rank high under one measure rank high under the other.

    Args:
        frame: Result rows. Every column of `probing.measures` is a measure, and all must have the same heads.
        draws: Number of random permutations for each p.
        seed: Seed of the permutations.

    Returns:
        A row for each pair: its names `first` and `second`, and their kinds `first_kind` and `second_kind`
        ("encoding" for what heads encode, "use" for their effect, or empty); `n` heads; Spearman's `rho`;
        `low` and `high`, its 95 % interval on Fisher's z scale, var z = (1 + rho²/2) / (n − 3)
        (Bonett & Wright 2000), which treats heads as drawn independently and so is too narrow where
        the heads of a layer are alike; `p`, two-sided, from permutations of heads, and `p_adjusted` by
        Holm (1979) over all pairs;
        `rho_within_layers`, the correlation of ranks centred by layer, from which differences between
        layers are removed, with its `p_within_layers` from permutations of heads within their layers and
        `p_within_layers_adjusted`; `top_overlap`, the share of the top tenth that both have in common.
        NaN for a measure that is the same everywhere (in each layer).

    Raises:
        ProbingError: If there are fewer than two grids of single heads, or their heads differ.

    Example:
        >>> import probing
        >>> from probing.results.schema import as_frame
        >>> scores = {"grammar/tense": [0.5, 0.6, 0.9, 0.7], "grammar/depth": [0.3, 0.4, 0.8, 0.6]}
        >>> heads = dict(analysis="probe", granularity="head", layer=0)
        >>> frame = as_frame([
        ...     {**heads, "task": task, "head": head, "metric": "accuracy", "test": score, "value": score}
        ...     for task, values in scores.items() for head, score in enumerate(values)
        ... ])
        >>> probing.agreement(frame, draws=99)[["n", "rho"]]
           n  rho
        0  4  1.0
    """
    grids = head_grids(frame)
    table = table_of(grids)
    kinds = {name: finding_of_rows(grid).kind for name, grid in zip(table, grids, strict=True)}
    return _pairs(table, kinds, draws, seed)


def _pairs(table: pd.DataFrame, kinds: Mapping[Hashable, str], draws: int, seed: int) -> pd.DataFrame:
    """Return the result of `agreement` for a table of measures and their kinds."""
    from probing.statistics.intervals import fisher
    from probing.statistics.paired_tests import holm

    if table.shape[1] < 2:
        there = ", ".join(map(str, table.columns)) or "none"
        raise ProbingError(
            f"agreement needs at least two measures of heads, but there is {there}; select more rows"
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
            "first_kind": kinds[first], "second_kind": kinds[second],
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
    """Return the number of each cell's layer, (cells,); layers of different stacks count as different."""
    found = table.groupby(["stack", "layer"], sort=False).ngroup()
    return np.asarray(found.to_numpy(), dtype=np.int64)


def answer(pairs: pd.DataFrame) -> str:
    """Return one sentence on how far heads that encode a task are used for it, or how far measures agree.

    Args:
        pairs: Output of `agreement`.
    """
    asked, what = _asked(pairs)
    known = asked[asked["rho"].notna()]
    if known.empty:
        return "agreement is undefined: a measure is the same for all heads"
    strongest = known.iloc[int(known["rho"].abs().to_numpy().argmax())]
    if len(known) == 1:
        return _of_pair(strongest)
    medians = (_signed(known[name].median()) for name in ("rho", "rho_within_layers"))
    told = "over {} pairs {} the median rho is {} (within layers {}); the strongest is ".format(
        len(known), what, *medians
    )
    return told + _of_pair(strongest)


def foremost(pairs: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return some pairs to show: those of a probe and a measure of use, others of two kinds, then the rest.

    Args:
        pairs: Output of `agreement`.
        most: Number of pairs; fewer than these are returned as they are. Within each group the strongest
            correlations come first.
    """
    if len(pairs) <= most:
        return pairs
    group = 2 - _of_two_kinds(pairs).astype(int) - _of_probe_and_use(pairs).astype(int)
    order = pd.DataFrame({"group": group, "size": -pairs["rho"].abs()})
    return pairs.loc[order.sort_values(["group", "size"], kind="stable").index[:most]]


def _asked(pairs: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the pairs that the answer is about, with words for them."""
    found = pairs[_of_probe_and_use(pairs)]
    if len(found):
        return found, "of a probe and a measure of use"
    found = pairs[_of_two_kinds(pairs)]
    if len(found):
        probes = _has(found, "encoding").any()
        return found, f"of {'a probe' if probes else 'a measure of use'} and another measure"
    return pairs, "of measures"


def _of_probe_and_use(pairs: pd.DataFrame) -> pd.Series:
    return _has(pairs, "encoding") & _has(pairs, "use")


def _of_two_kinds(pairs: pd.DataFrame) -> pd.Series:
    return pairs["first_kind"] != pairs["second_kind"]


def _has(pairs: pd.DataFrame, kind: str) -> pd.Series:
    return pairs[["first_kind", "second_kind"]].isin([kind]).any(axis=1)


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
    """Return the two-sided p of every two columns, (m, m); cells are permuted within their groups."""
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
    (0.0, 0.0): "the measures show no agreement",
    (0.0, 1.0): "they agree within layers, but not over all heads",
    (0.0, -1.0): "they disagree within layers, but not over all heads",
    (1.0, 0.0): "they agree, but perhaps only on which layers matter",
    (1.0, 1.0): "they agree, also within layers",
    (1.0, -1.0): "they agree on which layers matter, but disagree within layers",
    (-1.0, 0.0): "they rank heads in opposite order, but perhaps only because they rank layers so",
    (-1.0, 1.0): "they disagree on which layers matter, but agree within layers",
    (-1.0, -1.0): "they rank heads in opposite order, also within layers",
}
