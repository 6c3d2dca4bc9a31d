"""The tables and figures of What Does BERT Look At?, each from result rows alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import probing
from experiments.study import place
from probing.results.schema import of_pairs

PUBLISHED = {
    "all": (0.347, 0.267),
    "det": (0.943, 0.517),
    "obj": (0.868, 0.400),
    "case": (0.763, 0.346),
    "nsubj": (0.585, 0.455),
    "amod": (0.756, 0.683),
    "nmod:poss": (0.805, 0.477),
    "aux:pass": (0.941, 0.825),
    "compound:prt": (0.991, 0.914),
}
"""Accuracies of BERT-base's heads and of offsets in table 1 of Clark et al. (2019).

They are of WSJ in Stanford dependencies, here by the nearest relation of UD: `obj` is dobj, and `case` is
pobj turned round, since UD attaches a preposition to its noun. The head and direction are selected on the
reported sentences.
"""
PUBLISHED_UAS = {
    ("trained", "attention_only", "uas"): 0.61,
    ("trained", "attention_and_words", "uas"): 0.77,
    ("untrained", "attention_and_words", "uas"): 0.30,
    ("trained", "right_branching", "uas"): 0.26,
}
"""UAS in table 3 of Clark et al. (2019): BERT-base on WSJ. Its words are vectors of GloVe."""
TREEBANK = "task=treebank/dependencies"
SENTENCES = "task=treebank/length"


@dataclass(frozen=True)
class Part:
    """A table or figure.

    Attributes:
        what: Description, with its number in the paper.
        overrides: Overrides of the run that it needs, apart from model, treebank and size.
        make: Function that writes its picture below a path without suffix and returns the table to print.
    """

    what: str
    overrides: tuple[str, ...]
    make: Callable[[pd.DataFrame, Path], pd.DataFrame]


def surface(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report the mean share of attention in each layer, and the head with the largest share."""
    main = frame[frame["main"]]
    probing.draw_sheet(main, path, value="value")
    rows = []
    for variant, own in frame.groupby("variant", sort=False):
        best = highest(own)
        layers = own.groupby("layer")["value"].mean()
        rows.append(
            {
                "measure": variant,
                "chance": own["chance"].mean(),
                "highest": place(best),
                "value": best["value"],
            }
            | {f"layer_{layer}": mean for layer, mean in layers.items()}
        )
    return pd.DataFrame(rows)


def dependencies(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report the head that is best on dev for every relation, with its test accuracy and the paper's."""
    probing.draw_sheet(frame[frame["main"]], path, value="value")
    chosen = frame[frame["rank"] == 1].groupby("variant", sort=False).head(1)
    rows = []
    for _, row in chosen.sort_values("n_test", ascending=False).iterrows():
        accuracy, offset = PUBLISHED.get(str(row["variant"]), (float("nan"), float("nan")))
        rows.append(
            {
                "relation": row["variant"],
                "n": row["n_test"],
                "head": place(row),
                "direction": row["direction"],
            }
            | {"accuracy": row["value"], "low": row["value_low"], "high": row["value_high"]}
            | {"offset": row["offset"], "offset_accuracy": row["chance"], "p_adjusted": row["p_adjusted"]}
            | {"paper": accuracy, "paper_offset": offset}
        )
    return pd.DataFrame(rows)


def distance(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report whether heads of one layer attend more alike than others, and the clusters with their tags."""
    from probing.figures.head_map import draw_head_map

    draw_head_map(frame, path)
    pairs = frame[of_pairs(frame)]
    same = pairs["layer"] == pairs["layer_2"]
    table = [
        {"what": "pairs of one layer", "n": int(same.sum()), "mean": pairs.loc[same, "value"].mean()},
        {"what": "pairs of two layers", "n": int((~same).sum()), "mean": pairs.loc[~same, "value"].mean()},
    ]
    heads = frame[frame["variant"].eq("mean") & frame["head"].notna()]
    for tag, own in heads.groupby(heads["roles"].fillna("no tag")):
        table.append({"what": f"heads tagged {tag}", "n": len(own), "mean": own["value"].mean()})
    return pd.DataFrame(table)


def probe(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report UAS and LAS of the probes of attention maps and of their controls, next to the paper."""
    trained = frame["baseline"].eq("none")
    probing.draw_sheet(frame[trained & frame["layer"].notna() & frame["main"]], path, value="value")
    # the next word is the same word for every model
    scores = frame[frame["layer"].isna() & (trained | frame["variant"].ne("right_branching"))]
    model = scores["baseline"].where(~trained, "trained")
    names = zip(model, scores["variant"], scores["metric"], strict=True)
    columns = ["variant", "metric", "dev", "value", "value_low", "value_high", "l2"]
    table = scores[columns].assign(paper=[PUBLISHED_UAS.get(name, float("nan")) for name in names])
    table.insert(0, "weights", model)
    return table.reset_index(drop=True)


def roles(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Report how many heads have each role, and the head with the highest score."""
    probing.draw_sheet(frame[frame["main"]], path, value="value")
    heads = frame.drop_duplicates(["layer", "head"])["roles"].fillna("").str.split()
    counts = heads.explode().value_counts()
    rows = []
    for variant, own in frame.groupby("variant", sort=False):
        best = highest(own)
        rows.append(
            {"score": variant, "chance": own["chance"].mean(), "mean": own["value"].mean()}
            | {"highest": place(best), "value": best["value"], "heads": int(counts.get(str(variant), 0))}
        )
    return pd.DataFrame(rows)


def highest(rows: pd.DataFrame) -> pd.Series:
    """Return the first row with the highest value; a missing value is the lowest."""
    values = rows["value"].to_numpy(dtype=float, na_value=np.nan)
    found: pd.Series = rows.iloc[int(np.where(np.isnan(values), -np.inf, values).argmax())]
    return found


CLARK = ("analysis.split=test", "analysis.segments=2")
PARTS = {
    "surface": Part(
        "figures 2 and 4: attention to positions, separators and punctuation, and entropy",
        (SENTENCES, "analysis=surface", *CLARK, "analysis.smoothing=0.0001"),
        surface,
    ),
    "dependencies": Part(
        "table 1: the head that finds each relation, selected on dev and reported on test",
        (TREEBANK, "analysis=dependencies", "analysis.least=30"),
        dependencies,
    ),
    "probe": Part(
        "table 3: probes of all attention maps, of the model and of one with random weights",
        (TREEBANK, "analysis=attention_probe", "baseline=none,untrained"),
        probe,
    ),
    "distance": Part(
        "figure 6: distances between heads", (SENTENCES, "analysis=head_distance", *CLARK), distance
    ),
    "roles": Part(
        "roles after Voita et al. (2019)", (TREEBANK, "analysis=roles", "analysis.split=test"), roles
    ),
}
