"""What rows of different analyses say of one thing: how much the model needs a head."""

from __future__ import annotations

import numpy as np
import pandas as pd


def needed(rows: pd.DataFrame) -> pd.Series:
    """A number for each row that is larger the more the model needs the head, or the more it holds.

    Importances, gates and what was kept count as they are, as do probe scores (`test`); the Δ of an ablated
    score with its sign turned, that of a loss as it is; of a head alone in its layer the other way round.

    Args:
        rows: Result rows of any analyses.

    Returns:
        float64, missing where a row has neither value nor score.
    """
    value = rows["value"].astype(float)
    found = value.where(value.notna(), rows["test"].astype(float))
    ablated = (rows["analysis"] == "ablation").fillna(False).to_numpy(dtype=bool)
    alone = rows["variant"].fillna("").str.startswith("only").to_numpy(dtype=bool)
    of_loss = (rows["metric"] == "loss").fillna(False).to_numpy(dtype=bool)
    turned = ablated & (alone == of_loss)
    return found * np.where(turned, -1.0, 1.0)
