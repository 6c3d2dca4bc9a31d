"""A grid as lines of text: layers upward from the input, heads across."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

import pandas as pd


def grid_lines(rows: pd.DataFrame, texts: Mapping[Hashable, str], marked: Hashable | None) -> list[str]:
    """The lines of one grid.

    Args:
        rows: Result rows of one grid.
        texts: Text of each cell, by the index of its row.
        marked: Index of the row whose cell gets a *.
    """
    heads = sorted(rows["head"].dropna().unique()) or [None]
    width = max(6, 2 + max((len(text) for text in texts.values()), default=0))
    lines = ["layer" + "".join(f"{'' if head is None else head:>{width}}" for head in heads)]
    for layer, of_layer in sorted(rows.groupby("layer"), reverse=True):
        cells = {
            None if pd.isna(head) else head: texts.get(index, "") + ("*" if index == marked else " ")
            for index, head in of_layer["head"].items()
        }
        name = "emb" if layer == -1 else str(layer)
        lines.append(f"{name:>5}" + "".join(f"{cells.get(head, ''):>{width}}" for head in heads))
    return [line.rstrip() for line in lines]


def place_text(row: pd.Series) -> str:
    """The place of a row, "layer 4 head 10"."""
    if pd.isna(row["layer"]):
        return f"{row['n_heads']} heads together"
    layer = "embeddings" if row["layer"] < 0 else f"layer {row['layer']}"
    stack = "" if pd.isna(row.get("stack")) else f"{row['stack']} "
    return stack + (layer if pd.isna(row["head"]) else f"{layer} head {row['head']}")


def share_text(score: float, digits: int = 1) -> str:
    """A share in percent."""
    return f"{100 * score:.{digits}f}%"
