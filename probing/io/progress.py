"""Progress of long work, with its rate and the remaining time."""

from __future__ import annotations

from tqdm import tqdm

from probing.io.log import quiet
from probing.io.streams import errors

_TERMINAL = "{desc} {percentage:3.0f}%|{bar:20}| {elapsed} elapsed, {remaining} remaining{postfix}"
_LOG = "{desc} {percentage:3.0f}%, {elapsed} elapsed, {remaining} remaining{postfix}"


class Progress:
    """A bar on a terminal, or an occasional line in a log.

    The remaining time is estimated from `work`, for example characters, since items differ in cost. The rate
    is shown in items.
    """

    def __init__(self, what: str, items: str, work: int) -> None:
        """Start counting towards `work`."""
        terminal = errors().isatty()
        self._items = items
        self._done = 0
        self._bar = tqdm(
            total=work,
            desc=what,
            file=errors(),
            disable=quiet(),
            leave=not terminal,
            mininterval=0.2 if terminal else 15.0,
            delay=1.0 if terminal else 15.0,
            bar_format=_TERMINAL if terminal else _LOG + "\n",
        )

    def add(self, items: int, work: int) -> None:
        """Count some items as done."""
        self._done += items
        seconds = max(self._bar.format_dict["elapsed"], 1e-9)
        self._bar.set_postfix_str(f"{self._done / seconds:,.0f} {self._items}/s", refresh=False)
        self._bar.update(work)

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()
