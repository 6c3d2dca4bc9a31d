"""A figure measured in inches from its upper left corner, so that its parts do not overlap."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from probing.figures.picture import Picture
from probing.figures.style import INK

POINTS = 72.0
WIDEST_TITLE = 7.0
"""Width in inches to which a title may extend a narrow page; files are as wide as what is drawn."""
_LEADING = 1.45


@dataclass(frozen=True)
class Line:
    """A line of text.

    Attributes:
        text: Content of the line.
        size: Font size in points.
        color: Colour of the letters.
        bold: Whether the letters are bold.
    """

    text: str
    size: float
    color: str = INK
    bold: bool = False

    @property
    def height(self) -> float:
        """Height in inches, including the space to the next line."""
        return self.size * _LEADING / POINTS


class Page:
    """A figure with a given size in inches.

    Attributes:
        figure: The figure.
    """

    def __init__(self, width: float, height: float) -> None:
        """Start an empty page."""
        self.figure = Picture(figsize=(width, height))
        self._width, self._height = width, height

    def axes(self, left: float, top: float, width: float, height: float, label: str = "") -> Axes:
        """Add axes whose frame fills the given box."""
        bottom = self._height - top - height
        box = (left / self._width, bottom / self._height, width / self._width, height / self._height)
        return self.figure.add_axes(box, label=label)

    def write(self, left: float, top: float, lines: Iterable[Line]) -> None:
        """Write lines of text from `top` downward."""
        for line in lines:
            x, y = left / self._width, 1 - top / self._height
            self.figure.text(
                x, y, line.text, fontsize=line.size, color=line.color,
                weight="bold" if line.bold else "normal", va="top", parse_math=False,
            )  # fmt: skip
            top += line.height


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width of a text in inches."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS


def wrap(parts: Sequence[str], width: float, size: float) -> list[str]:
    """Join parts by middle dots into lines of at most the given width, without breaking a part."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]} · {part}" if lines else part
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def shorten(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return a text that fits the width, without its middle where it is too long."""
    kept, result = len(text), text
    while kept > 2 and text_width(result, size, bold=bold) > width:
        kept -= 1
        result = f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"
    return result
