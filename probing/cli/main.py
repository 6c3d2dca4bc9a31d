"""The command `probing`: arguments in, exit code out. Heavy modules are imported only when needed."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from probing.cli.commands import COMMANDS
from probing.cli.flags import Line, added_folder, parse, refuse_unknown, searched
from probing.config.choices import also_from
from probing.errors import ProbingError, explained
from probing.io.lazy import ALONE
from probing.io.log import showing
from probing.io.streams import complain, end_quietly, output, speak_any_letters
from probing.validation.suggestions import suggest

DONE, BUG, MISTAKE, STOPPED, CLOSED = 0, 1, 2, 130, 141
_HINTS = {"run": "a run needs no command, only options: probing task=...", "list": "did you mean ls?"}
"""Hints for words that are commands of other tools."""
# flags that only a run, a sweep or --cfg takes
_OF_RUNS = ("multirun", "cfg", "resolve", "package")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 on success; 2 for errors that the user can fix, such as a mistake or a full disk; 130 if stopped
        from the keyboard; 141 if the reader of the output has gone; 1 for a bug in probing in a job of a
        sweep. A bug in a single run raises a traceback.
    """
    speak_any_letters()
    words = sys.argv[1:] if arguments is None else arguments
    ALONE.set(arguments is None)
    try:
        line = parse(words)
        with showing(_level(line)), also_from(added_folder(line)):
            code = _dispatch(line)
        output().flush()
        return code
    except KeyboardInterrupt:
        _complain("stopped; run the same command again to resume")
        return STOPPED
    except BrokenPipeError:  # as `| head` leaves it
        end_quietly()
        return CLOSED
    except (ProbingError, OSError) as error:
        if "--debug" in words:
            complain(traceback.format_exc().rstrip())
        return _complain(explained(error) if isinstance(error, OSError) else str(error))


def _level(line: Line) -> int:
    """Return the level from which log lines are shown on the terminal."""
    if "debug" in line or "verbose" in line:
        return logging.DEBUG
    return logging.ERROR if "quiet" in line else logging.INFO


def _dispatch(line: Line) -> int:
    first = line.words[0] if line.words else ""
    if "version" in line:
        from probing import __version__

        output().write(f"probing {__version__}\n")
        return DONE
    if first in COMMANDS:
        return _command(line)
    refuse_unknown(line)
    if "help" in line:
        from probing.cli.help import command

        command([])
        return DONE
    if "shell-completion" in line:
        from probing.cli.completion import complete

        complete(line.words)
        return DONE
    overrides = [*line.words, *searched(line)]
    if "cfg" in line:
        _print_config(line, overrides)
        return DONE
    for flag in ("resolve", "package"):
        if flag in line:
            raise ProbingError(f"--{flag} needs --cfg; add --cfg")
    _check_first(first)
    return _sweep(overrides) if "multirun" in line else _run(overrides)


def _print_config(line: Line, overrides: Sequence[str]) -> None:
    if "multirun" in line:
        raise ProbingError("--cfg prints one job; leave out -m, and give one value for each key")
    from probing.config.compose import composed_yaml

    package, resolve = line.flags.get("package", ""), "resolve" in line
    output().write(composed_yaml(overrides, line.flags["cfg"], package, resolve=resolve))


def _command(line: Line) -> int:
    """Run a command, or print its help."""
    name, *rest = line.words
    module = import_module(COMMANDS[name])
    own = getattr(module, "OWN_FLAGS", ())
    refuse_unknown(line, own)
    if "help" in line:
        output().write(module.USAGE)
        return DONE
    for flag in _OF_RUNS:
        if flag in line:
            raise ProbingError(f"--{flag} does not apply to probing {name}; see probing {name} --help")
    module.command([*rest, *line.unknown])
    return DONE


def _check_first(word: str) -> None:
    """Refuse a misspelt command; a key without its value is explained when it is composed."""
    if not re.fullmatch(r"[A-Za-z][\w-]*", word):
        return
    from probing.config.choices import choices_called, conf_folder, groups, read

    if word in {*groups(), *read(conf_folder() / "config.yaml")}:
        return
    hints = _HINTS | {f"{group}s": f"see probing help {group}" for group in groups()}
    guess = hints.get(word) or choices_called(word) or suggest(word, list(COMMANDS))
    raise ProbingError(f"unknown command {word}; {guess}")


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


def _complain(message: str) -> int:
    line = message.replace("\r", "\\r").replace("\n", "\\n")  # the user's words may contain them
    complain(f"probing: {line}")
    return MISTAKE
