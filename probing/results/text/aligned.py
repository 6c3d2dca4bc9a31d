"""Lines of cells as columns of text."""

from __future__ import annotations

from collections.abc import Sequence


def aligned(lines: Sequence[Sequence[str]], sides: str) -> list[str]:
    """Return lines whose cells are under each other, without blanks at their ends.

    Args:
        lines: The cells of each line, as many in all lines.
        sides: For each column `<` or `>`, the side that its cells are aligned to.
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    found = []
    for line in lines:
        cells = zip(line, sides, widths, strict=True)
        found.append("  ".join(f"{text:{side}{width}}" for text, side, width in cells).rstrip())
    return found
