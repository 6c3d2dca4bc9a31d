"""The style that all pictures share, and the settings under which they are drawn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib import colormaps
from matplotlib.colors import Colormap

INK: Final = "#1a1a1a"
FAINT: Final = "#595959"
PAPER: Final = "#ffffff"
NO_SCORE: Final = "#c4c4c4"

TITLE_SIZE: Final = 11.0
TEXT_SIZE: Final = 8.5
TICK_SIZE: Final = 7.5
SMALL_SIZE: Final = 7.0

RULE: Final = "#8c8c8c"

# Okabe & Ito's colours without yellow, which is faint on paper; dashes and markers distinguish lines in grey
LINES: Final = (
    ("#0072b2", "-", "o"), ("#d55e00", (0, (5, 1.5)), "s"), ("#009e73", (0, (1.2, 1.2)), "^"),
    ("#cc79a7", (0, (5, 1.2, 1.2, 1.2)), "D"), ("#e69f00", (0, (8, 2)), "v"), ("#56b4e9", (0, (2.5, 1)), "P"),
    ("#000000", (0, (3, 1, 1, 1, 1, 1)), "X"),
)  # fmt: skip

_FAMILIES: Final = (
    "axes.", "errorbar.", "figure.", "font.", "image.", "legend.", "lines.", "patch.", "path.", "pdf.",
    "savefig.", "scatter.", "svg.", "text.", "xtick.", "ytick.", "markers.", "pcolor", "mathtext.",
)  # fmt: skip
_STYLE: Final[dict[str, Any]] = {
    "font.family": "sans-serif",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "pdf.fonttype": 42,  # letters that a publisher's tools can read and search
    "svg.fonttype": "none",
    "svg.hashsalt": "probing",
}
_LOCK: Final = threading.RLock()


def score_colours() -> Colormap:
    """A perceptually uniform map from dark (low) to bright (high), safe for colour-blind readers."""
    return colormaps["viridis"].with_extremes(bad=(0, 0, 0, 0))


def signed_colours() -> Colormap:
    """A diverging map from -1 through a pale 0 to 1; colour-blind readers can distinguish its ends."""
    return colormaps["PuOr_r"].with_extremes(bad=(0, 0, 0, 0))


@contextmanager
def drawing() -> Iterator[None]:
    """Draw and save in the style of the project, independently of the user's matplotlibrc.

    matplotlib reads the SVG settings from process-wide state while it saves. Therefore one picture is drawn
    at a time, and the settings of the user are restored afterwards.
    """
    settings: dict[Any, Any] = {k: v for k, v in mpl.rcParamsDefault.items() if k.startswith(_FAMILIES)}
    settings.update(_STYLE)
    with _LOCK, mpl.rc_context(settings):
        yield
