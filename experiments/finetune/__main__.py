"""Fine-tune a classifier on a task, and probe what training does to the heads; see `options.USAGE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from experiments.finetune.options import parse
from probing.cli.main import DONE, MISTAKE, STOPPED
from probing.errors import ProbingError, explained
from probing.io.streams import complain


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study.

    Returns:
        0 on success, 2 for errors that the user can fix, 130 if stopped from the keyboard.
    """
    try:
        command = parse(arguments)
        from experiments.finetune.study import study

        study(command)
    except ProbingError as error:
        return _complain(str(error), MISTAKE)
    except KeyboardInterrupt:
        return _complain("stopped; run the same command again to resume", STOPPED)
    except OSError as error:
        return _complain(explained(error), MISTAKE)
    return DONE


def _complain(message: str, code: int) -> int:
    complain(f"finetune: {message}")
    return code


if __name__ == "__main__":
    sys.exit(main())
