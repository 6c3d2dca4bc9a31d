"""The command `probing`: arguments in, exit code out. Heavy modules are imported only when needed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from probing.errors import ProbingError, explained
from probing.io.streams import complain, end_quietly, output, speak_any_letters

DONE, BUG, MISTAKE, STOPPED, CLOSED = 0, 1, 2, 130, 141
COMMANDS = {"agree": "probing.cli.agree", "draw": "probing.cli.draw", "report": "probing.cli.report"}
"""Subcommands by their first word, and the modules whose `command` takes the words after it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 on success; 2 for errors that the user can fix, such as a mistake or a full disk; 130 if stopped
        from the keyboard; 141 if the reader of the output has gone; 1 for a bug in probing in a job of a
        sweep. A bug in a single run raises a traceback.
    """
    speak_any_letters()
    try:
        code = _dispatch(_parser().parse_intermixed_args(arguments))
        output().flush()
        return code
    except ProbingError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        _complain("stopped; run the same command again to resume")
        return STOPPED
    except BrokenPipeError:  # as `| head` leaves it
        end_quietly()
        return CLOSED
    except OSError as error:
        return _complain(explained(error))


def _dispatch(options: argparse.Namespace) -> int:
    if options.help:
        from probing.cli.help import help_text

        output().write(help_text())
        return DONE
    if options.version:
        from probing import __version__

        output().write(f"probing {__version__}\n")
        return DONE
    if options.cfg:
        from probing.config.compose import composed_yaml

        output().write(composed_yaml(options.overrides))
        return DONE
    if options.overrides and options.overrides[0] in COMMANDS:
        import_module(COMMANDS[options.overrides[0]]).command(options.overrides[1:])
        return DONE
    return _sweep(options.overrides) if options.multirun else _run(options.overrides)


def _run(overrides: Sequence[str]) -> int:
    from probing.cli.run import run

    run(overrides)
    return DONE


def _sweep(overrides: Sequence[str]) -> int:
    from probing.cli.multirun import run_sweep

    outcomes = run_sweep(overrides)
    if any(outcome.ours for outcome in outcomes):
        return BUG
    return MISTAKE if any(outcome.problem for outcome in outcomes) else DONE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ProbingError(f"{message}; see probing --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="probing", add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("--cfg", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("overrides", nargs="*")
    return parser


def _complain(message: str) -> int:
    line = message.replace("\r", "\\r").replace("\n", "\\n")  # the user's words may contain them
    complain(f"probing: {line}")
    return MISTAKE


if __name__ == "__main__":
    sys.exit(main())
