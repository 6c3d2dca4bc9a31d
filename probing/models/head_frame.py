"""Frames with a row for each head, in the columns of results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from probing.errors import ProbingError
from probing.models.heads import Heads, stack_name
from probing.models.sites import Site

PLACE = {"stack": "string", "layer": "Int64", "head": "Int64"}
FEATURE = "feature_"


def head_frame(
    heads: Heads, values: Mapping[str, NDArray[np.floating]], *, whole_layers: bool = False
) -> pd.DataFrame:
    """Return a frame with the columns stack, layer and head of results, and columns of values.

    Args:
        heads: Heads of a model, N in total.
        values: Arrays (N,) by name; with `whole_layers`, one number for each site.
        whole_layers: Whether a row is for all heads of a layer; its `head` is missing.

    Returns:
        Layers and heads from 0; `stack` is missing for a model with a single stack.
    """
    cells = [dict(cell) for cell in heads.cells]
    if whole_layers:
        cells = [cells[place.start] | {"head": None} for place in heads.slices.values()]
    frame = pd.DataFrame(cells, columns=list(PLACE)).astype(PLACE)
    return pd.concat([frame, pd.DataFrame(dict(values), index=frame.index)], axis=1)


def frame_of_vectors(heads: Heads, vectors: Mapping[Site, Tensor]) -> pd.DataFrame:
    """Return vectors (heads, head_dim) of each site as columns `feature_0`, ...; missing beyond head_dim."""
    widest = max(site.head_dim for site in heads.sites)
    rows = [
        np.pad(vectors[site].cpu().numpy(), ((0, 0), (0, widest - site.head_dim)), constant_values=np.nan)
        for site in heads.sites
    ]
    joined = np.concatenate(rows)
    return head_frame(heads, {f"{FEATURE}{number}": joined[:, number] for number in range(widest)})


def vectors_of_frame(heads: Heads, frame: pd.DataFrame) -> dict[Site, Tensor]:
    """Return the vectors of each site, float32 (heads, head_dim), from a frame of `frame_of_vectors`.

    Raises:
        ProbingError: If the frame has other columns, or lacks a head.
    """
    lacking = [name for name in (*PLACE, f"{FEATURE}0") if name not in frame]
    if lacking:
        raise ProbingError(f"means has no column {lacking[0]!r}; pass what mean_outputs returns")
    placed: Any = frame.assign(stack=frame["stack"].fillna("")).set_index(list(PLACE))
    several = len({stack_name(site) for site in heads.sites}) > 1
    found = {}
    for site in heads.sites:
        stack = stack_name(site) if several else ""
        cells = [(stack, site.layer, head) for head in range(site.heads)]
        names = [f"{FEATURE}{number}" for number in range(site.head_dim)]
        try:
            values = placed.loc[cells, names].to_numpy(np.float32)
        except KeyError as error:
            raise ProbingError(
                f"means: none for {site}; pass what mean_outputs returns for all heads"
            ) from error
        found[site] = torch.tensor(values)
    return found
