"""Paired tests between heads of one run, on the test items that all of them answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from probing.errors import ProbingError
from probing.io.lazy import torch
from probing.results.checks import check_numbers
from probing.results.load import Predictions
from probing.results.schema import PLACE, fitted
from probing.statistics.metrics import score
from probing.statistics.paired_tests import holm, mcnemar, swapped, two_sided
from probing.statistics.resampling import resampled
from probing.tasks.target import SCORE_METRICS, Metric
from probing.tasks.task import Average
from probing.validation.arguments import checked
from probing.validation.ranges import Draws, Seed, ZeroToOne


@dataclass(frozen=True)
class _Answers:
    """Answers to the items of each data set, with the settings of scores and draws."""

    answers: NDArray[Any]
    gold: NDArray[Any]
    metric: Metric
    parts: list[tuple[NDArray[np.int64], float]]
    draws: int
    seed: int


@checked()
def compare_heads(
    predictions: Predictions,
    *,
    against: Literal["best"] | tuple[int, int] = "best",
    metric: Metric | None = None,
    average: Average = "mean",
    draws: Draws = 2000,
    seed: Seed = 0,
) -> pd.DataFrame:
    """Test every head of a run against one of them, item by item.

    The best head is the one with the best **dev** score. The head with the best test score owes part of that
    score to luck with these very items, so tests against it would find too many differences. Where nothing
    was trained there is no dev score. The best head is then selected on test, and the p-values are too small.

    p is two-sided. Accuracy gets McNemar's exact test (McNemar 1947). All other scores, and means over data
    sets, get a permutation test that swaps the answers of the two heads to each item (Edgington 1964).
    `p_adjusted` is Holm's (1979), with as many tests as there are other heads. The interval is the percentile
    bootstrap of the difference over test items, with the same samples for both heads (Efron & Tibshirani
    1993, chapter 13). It holds for one head, not for all heads simultaneously.

    Args:
        predictions: Output of `load_predictions`.
        against: The head that all others are tested against: the best, or (layer, head).
        metric: Metric to compare; the run's own metric by default.
        average: Whether the mean over several data sets is weighted by size. Items of nested folds are
            scored together here, so a difference may depart slightly from that of the column `test`.
        draws: Number of swaps, and of bootstrap samples.
        seed: Seed of both.

    Returns:
        One row for each probe, in the order of `predictions.rows`: the columns that distinguish it, `score`,
        `difference` from the reference head, `low` and `high` of its 95 % interval, `p`, `p_adjusted`, and
        `reference`, whether it is the reference head, which has difference 0 and no p.

    Raises:
        ProbingError: If there is no such head, the metric does not fit the answers, or there is only one
            probe.

    Example:
        >>> import probing
        >>> predictions = probing.load_predictions("outputs", task="grammar/tense")  # doctest: +SKIP
        >>> probing.compare_heads(predictions)  # doctest: +SKIP
    """
    kept = fitted(predictions.rows)
    rows = predictions.rows[kept].reset_index(drop=True)
    if len(rows) < 2:
        raise ProbingError("a single probe cannot be compared; load more rows of the run")
    asked = _Answers(
        predictions.answers[kept],
        predictions.gold,
        _metric(predictions, metric),
        _parts(predictions, average),
        draws,
        seed,
    )
    at, scores = _reference(rows, against), _scores(asked)
    others = [place for place in range(len(rows)) if place != at]
    p, ends = np.full(len(rows), np.nan), np.zeros((2, len(rows)))
    p[others] = [_p(asked, place, at) for place in others]
    ends[:, others] = _intervals(asked, others, at)
    found = {"score": scores, "difference": scores - scores[at], "low": ends[0], "high": ends[1]}
    tests = {"p": p, "p_adjusted": holm(p), "reference": np.arange(len(rows)) == at}
    return rows[list(PLACE)].assign(**found, **tests)


@checked()
def like_best(predictions: Predictions, *, level: ZeroToOne = 0.05, **settings: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return the heads that do not differ significantly from the best one, best first.

    Being among them does not show that a head is as good as the best. With few items almost all heads are.

    Args:
        predictions: Output of `load_predictions`.
        level: Heads whose adjusted p is above this level are kept.
        **settings: Keyword arguments of `compare_heads`.

    Returns:
        Rows of `compare_heads`: the reference head first, then the others by descending score.

    Example:
        >>> import probing
        >>> predictions = probing.load_predictions("outputs", task="grammar/tense")  # doctest: +SKIP
        >>> probing.like_best(predictions, level=0.05)[["layer", "head", "score"]]  # doctest: +SKIP
    """
    table = compare_heads(predictions, **settings)
    kept = table[table["reference"] | (table["p_adjusted"] > level)]
    return kept.sort_values(["reference", "score"], ascending=False).reset_index(drop=True)


def _metric(predictions: Predictions, metric: Metric | None) -> Metric:
    own = metric or cast(Metric, str(predictions.rows["metric"].iloc[0]))
    if predictions.gold.dtype == bool:
        raise ProbingError(
            "the run answered with several labels for each item, which heads are not compared on; compare "
            "the column test and its interval, test_low to test_high"
        )
    graded = predictions.gold.dtype.kind == "f"
    if graded != (own in SCORE_METRICS):
        kind = "scores, pearson or spearman" if graded else "classes, accuracy, macro_f1, f1 or matthews"
        raise ProbingError(f"metric={own!r}: the run answered with {kind}")
    return own


def _reference(rows: pd.DataFrame, against: Literal["best"] | tuple[int, int]) -> int:
    if isinstance(against, str):
        test = check_numbers(rows, "test", what="the run")
        dev = rows["dev"].to_numpy(dtype=float, na_value=np.nan)
        return int(np.nanargmax(test if np.isnan(dev).all() else dev))
    layer, head = against
    found = np.flatnonzero(((rows["layer"] == layer) & (rows["head"] == head)).fillna(value=False))
    if len(found) != 1:
        raise ProbingError(f"{len(found)} rows of layer {layer} head {head}; give (layer, head) of one row")
    return int(found[0])


def _parts(predictions: Predictions, average: Average) -> list[tuple[NDArray[np.int64], float]]:
    """Return the items of each data set, and its weight."""
    groups = predictions.groups
    if groups is None:
        return [(np.arange(len(predictions.gold)), 1.0)]
    parts = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    sizes = [len(part) if average == "weighted" else 1 for part in parts]
    return [(part, size / sum(sizes)) for part, size in zip(parts, sizes, strict=True)]


def _scores(asked: _Answers) -> NDArray[np.float64]:
    total = np.zeros(len(asked.answers))
    for part, weight in asked.parts:
        answers, gold = torch.from_numpy(asked.answers[:, part]), torch.from_numpy(asked.gold[part])
        total += weight * score(answers, gold, asked.metric).numpy()
    return total


def _p(asked: _Answers, place: int, at: int) -> float:
    one, two = asked.answers[place], asked.answers[at]
    if asked.metric == "accuracy" and len(asked.parts) == 1:
        return mcnemar(one, two, asked.gold)
    generator, differences = np.random.default_rng(asked.seed), np.zeros(asked.draws + 1)
    for part, weight in asked.parts:
        gold = asked.gold[part]
        differences += weight * swapped(one[part], two[part], gold, asked.metric, asked.draws, generator)
    return two_sided(differences)


def _intervals(asked: _Answers, others: list[int], at: int) -> NDArray[np.float64]:
    """Return the ends of the intervals of the other heads' differences; float64 (2, others)."""
    answers, gold = asked.answers, asked.gold
    if asked.metric == "accuracy":  # only right or wrong counts, which is quick to sample
        answers, gold = (answers == gold).astype(np.int64), np.ones_like(gold)
    # graded answers are sampled all at once, classes by the few kinds of items of a pair of heads
    graded = asked.metric in SCORE_METRICS
    sets = [others] if graded else [[place] for place in others]
    found = []
    for places in sets:
        generator, total = np.random.default_rng(asked.seed), np.zeros((len(places), asked.draws))
        for part, weight in asked.parts:
            pairs = answers[[*places, at]][:, part]
            drawn = resampled(pairs, gold[part], asked.metric, asked.draws, generator)
            total += weight * (drawn[:-1] - drawn[-1])
        found.append(np.quantile(total, [0.025, 0.975], axis=1))
    return np.concatenate(found, axis=1)
