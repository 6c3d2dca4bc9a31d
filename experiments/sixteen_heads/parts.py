"""The tables and figures of Are Sixteen Heads Really Better than One?, each from result rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

import probing
from experiments.study import place
from probing.errors import ProbingError
from probing.results.finding import main_rows
from probing.results.select import of_variant, own_metric
from probing.results.units import LOSS
from probing.statistics.paired_tests import holm

NAMED = ["model", "task"]
_Z = float(norm.ppf(0.975))
_SHARES = (0.2, 0.4, 0.5, 0.6)


@dataclass(frozen=True)
class Part:
    """A table or figure.

    Attributes:
        what: Description, with its number in the paper.
        analyses: Choices of conf/analysis that it needs, with their settings.
        make: Function that writes it below a path without suffix and returns the table to print.
    """

    what: str
    analyses: tuple[tuple[str, ...], ...]
    make: Callable[[pd.DataFrame, Path], pd.DataFrame]


def remove(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report the change of score when each head is removed, and the number of significant changes."""
    rows = own_metric(frame, "leave_one_out")
    probing.draw_sheet(rows, path, value="value")
    table = []
    for named, of_task in rows.groupby(NAMED):
        own = of_task.sort_values("value")
        p, worst, best = p_values(own), own.iloc[0], own.iloc[-1]
        table.append(
            dict(zip(NAMED, named, strict=True))
            | {"full": own["full"].iloc[0], "heads": len(own)}
            | {"worst": place(worst), "worst_delta": worst["value"]}
            | {"low": worst["value_low"], "high": worst["value_high"]}
            | {"best": place(best), "best_delta": best["value"]}
            | {"worse_p01": int(((p < 0.01) & (own["value"] < 0)).sum())}
            | {"better_p01": int(((p < 0.01) & (own["value"] > 0)).sum())}
            | {"holm_05": int((holm(p) < 0.05).sum())}
        )
    return pd.DataFrame(table)


def alone(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report the head of every layer that is best on dev as its only head, with its test score."""
    rows = own_metric(frame, "only_best")
    probing.draw_sheet(own_metric(frame, "only_one"), path, value="value")
    columns = [*NAMED, "layer", "head", "full", "test", "value", "value_low", "value_high"]
    return rows[columns].rename(columns={"value": "delta", "value_low": "low", "value_high": "high"})


def transfer(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report whether the same heads matter for several tasks."""
    rows = of_loss(frame)
    if len(rows["task"].unique()) < 2:
        raise ProbingError("transfer compares tasks; give at least two, task=a,b")
    probing.draw_agreement(rows, path)
    return probing.agreement(rows)


def curve(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report the score as heads are masked by every ranking, and how many heads each ranking can mask."""
    for task, rows in frame.groupby("task"):
        probing.draw_masking(rows, path.with_name(f"{path.name}-{str(task).replace('/', '-')}"))
    table = []
    for named, own in frame.groupby([*NAMED, "variant"]):
        steps = own.groupby("n_heads")[["dev", "test", "full"]].mean().sort_index(ascending=False)
        n, full = int(steps.index[0]), float(steps["dev"].iloc[0])
        # the longest start of the curve that keeps nine tenths of the dev score
        kept = steps[np.logical_and.accumulate(steps["dev"] >= 0.9 * full)].iloc[-1]
        row = dict(zip([*NAMED, "ranking"], named, strict=True))
        row |= {"can_go": 1 - int(str(kept.name)) / n, "test": kept["test"], "full": kept["full"]}
        shares = 1 - steps.index.to_numpy(dtype=float) / n
        for share in _SHARES:
            nearest = int(np.abs(shares - share).argmin())
            near = abs(shares[nearest] - share) < 0.06
            row[f"test_{share:.0%}"] = steps["test"].iloc[nearest] if near else np.nan
        table.append(row)
    return pd.DataFrame(table)


def pruned(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Compare a model with half of its heads cut out with the full model: scores, size, time."""
    probing.draw_sheet(of_variant(frame, "kept"), path, value="value")
    table = []
    for named, own in frame.groupby(NAMED):
        scores = own[own["test"].notna()].set_index("variant")["test"]
        row = dict(zip(NAMED, named, strict=True))
        row |= {f"{name}_test": scores[name] for name in ("full", "masked", "pruned")}
        for what in ("parameters", "megabytes", "seconds"):
            sizes = own[own["metric"] == what].set_index("variant")["value"]
            row |= {what: sizes["pruned"], f"{what}_ratio": sizes["pruned"] / sizes["full"]}
        table.append(row)
    return pd.DataFrame(table)


def agree(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Compare what heads encode, by probes, with the heads that the model uses; not in the paper."""
    # one measure of each analysis: ablation by loss, all others by their main grid
    mains = main_rows(frame[frame["analysis"] != "ablation"])
    rows = pd.concat([mains, of_loss(frame)])
    tables = []
    for task, own in rows.groupby("task"):
        probing.draw_agreement(own, path.with_name(f"{path.name}-{str(task).replace('/', '-')}"))
        tables.append(probing.agreement(own).assign(task=task))
    return pd.concat(tables, ignore_index=True)


def of_loss(frame: pd.DataFrame) -> pd.DataFrame:
    """The loss without each head."""
    rows = of_variant(frame, "leave_one_out")
    return rows[rows["metric"] == LOSS]


def p_values(rows: pd.DataFrame) -> np.ndarray:
    """Return the two-sided p of each difference, from its 95 % interval; 1 where no example changed.

    Intervals need not be symmetric. The side towards 0 gives the error, so that p is below 0.05 exactly when
    the interval excludes 0. Smaller p follow the normal distribution from there.
    """
    value, low, high = (rows[name].to_numpy(dtype=float) for name in ("value", "value_low", "value_high"))
    half = np.where(value > 0, value - low, high - value)
    z = np.divide(np.abs(value) * _Z, half, out=np.zeros_like(value), where=half > 0)
    found: np.ndarray = 2 * norm.sf(z)
    return found


ABLATION = ("analysis=ablation",)
PARTS = {
    "remove": Part("table 1, figure 1: the score without each head", (ABLATION,), remove),
    "alone": Part("tables 2 and 3: every layer with only its best head", (ABLATION,), alone),
    "transfer": Part("section 3.4: do the same heads matter for other tasks?", (ABLATION,), transfer),
    "curve": Part("figure 3: the score as heads are masked", (("analysis=masking",),), curve),
    "prune": Part(
        "table 4: half of the heads cut out, by ablation",
        (("analysis=prune", "analysis.ranking=ablation", "analysis.share=0.5"),),
        pruned,
    ),
    "agree": Part(
        "beyond the paper: does the model use the heads that encode the task?",
        (("analysis=probe",), ("analysis=importance",), ABLATION, ("analysis=entropy",)),
        agree,
    ),
}
