"""A frame as aligned columns of text that fit the width of a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

_GAP = "  "
_LEAST = 8
"""Width in characters below which a column is not shortened further."""


def columns_text(
    frame: pd.DataFrame, width: int | None, spare: Sequence[str] = (), whole: Sequence[str] = ()
) -> str:
    """Write a line for each row, with numbers to the right. Columns without any value are left out.

    Args:
        frame: The rows.
        width: Number of characters in a line; None writes every column in full.
        spare: Columns that may be left out if lines are too long, the first one first.
        whole: Columns whose texts are never cut.

    Returns:
        A heading, a line for each row, and a note if columns are left out.
    """
    texts = _texts(frame.loc[:, frame.notna().any()])
    left_out = []
    for name in spare:
        if width is None or _width(texts) <= width:
            break
        if texts.pop(name, None) is not None:
            left_out.append(name)
    lines = _lines(_shortened(texts, width, whole), [name for name in texts if _is_number(frame[name])])
    if left_out:
        lines.append(f"(left out for lack of width: {', '.join(left_out)})")
    return "\n".join(lines)


def size_text(size: int) -> str:
    """Return a number of bytes, "44.9 kB"."""
    number = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if number < 999.5:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 99.95 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def _texts(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the heading and the values of each column, on one line each."""
    return {
        str(name): [
            str(name), *("" if pd.isna(value) else " ".join(str(value).split()) for value in values)
        ]
        for name, values in frame.items()
    }  # fmt: skip


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values)) and not pd.api.types.is_bool_dtype(values)


def _widths(texts: Mapping[str, list[str]]) -> dict[str, int]:
    return {name: max(map(len, column)) for name, column in texts.items()}


def _width(texts: Mapping[str, list[str]]) -> int:
    return sum(_widths(texts).values()) + len(_GAP) * (len(texts) - 1)


def _shortened(texts: dict[str, list[str]], width: int | None, whole: Sequence[str]) -> dict[str, list[str]]:
    """Cut the widest columns until a line fits, as far as `_LEAST` allows."""
    over = 0 if width is None else _width(texts) - width
    widths = _widths(texts)
    long = [name for name in widths if name not in whole]
    while over > 0 and long:
        widest = max(long, key=widths.__getitem__)
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
        over -= 1
    return {name: [_cut(text, widths[name]) for text in column] for name, column in texts.items()}


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _lines(texts: Mapping[str, list[str]], right: Sequence[str]) -> list[str]:
    widths = _widths(texts)
    aligned = [
        [text.rjust(widths[name]) if name in right else text.ljust(widths[name]) for text in column]
        for name, column in texts.items()
    ]
    return [_GAP.join(row).rstrip() for row in zip(*aligned, strict=True)]
