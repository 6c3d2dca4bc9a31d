"""Flags of the command line, which may be anywhere among the words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from probing.errors import ProbingError
from probing.validation.suggestions import suggest


@dataclass(frozen=True)
class Flag:
    """A flag.

    Attributes:
        names: Its spellings, the one shown in messages last.
        what: Description for the help.
        value: Placeholder of its value; "" if it takes none.
        choices: Values that it takes; empty for any text.
        default: Value if none follows; None if a value must follow.
    """

    names: tuple[str, ...]
    what: str
    value: str = ""
    choices: tuple[str, ...] = ()
    default: str | None = None

    @property
    def name(self) -> str:
        """Long name, without dashes."""
        return self.names[-1].lstrip("-")

    def __str__(self) -> str:
        """Return the flag as in a usage text."""
        value = f"[{self.value}]" if self.default is not None else self.value
        return f"{', '.join(self.names)} {value}".rstrip()


FLAGS = (
    Flag(("-h", "--help"), "print this text; after a command, the help of the command"),
    Flag(("--version",), "print the version"),
    Flag(("-m", "--multirun"), "run a sweep over all combinations of values that commas separate"),
    Flag(
        ("-c", "--cfg"),
        "print the composed configuration; nothing is run",
        "job|hydra|all",
        ("job", "hydra", "all"),
        "job",
    ),
    Flag(("--resolve",), "with --cfg: replace references such as ${paths.root} by their values"),
    Flag(("-p", "--package"), "with --cfg: print one part, such as task", "KEY"),
    Flag(("-cd", "--config-dir"), "add a folder of your own choices, such as DIR/task/mine.yaml", "DIR"),
    Flag(("-q", "--quiet"), "show results and errors only, without progress and log"),
    Flag(("-v", "--verbose"), "show debug lines of the log too"),
    Flag(("--debug",), "show the traceback of any error"),
    Flag(
        ("-sc", "--shell-completion"),
        'complete words in a shell; eval "$(probing -sc install=bash)", or zsh, fish',
    ),
)
_BY_NAME = {name: flag for flag in FLAGS for name in flag.names}


@dataclass
class Line:
    """A command line, taken apart.

    Attributes:
        flags: Values of the flags by long name, "" for flags without a value.
        words: All other words.
        unknown: Words that look like flags but are not in `FLAGS`; a command may have flags of its own.
    """

    flags: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def __contains__(self, name: str) -> bool:
        """Return whether a flag is given."""
        return name in self.flags


def parse(arguments: Sequence[str]) -> Line:
    """Return a command line taken apart; all words after `--` are words.

    Raises:
        ProbingError: If a flag lacks its value, or has one that it does not take.
    """
    line, left = Line(), list(arguments)
    while left:
        word = left.pop(0)
        if word == "--":
            line.words += left
            break
        name, equals, value = word.partition("=")
        if name in _BY_NAME:
            flag = _BY_NAME[name]
            line.flags[flag.name] = _value(flag, value if equals else None, left)
        else:
            (line.unknown if word.startswith("-") else line.words).append(word)
    return line


def _value(flag: Flag, given: str | None, left: list[str]) -> str:
    """Return the value of a flag, taken from the words that follow it unless it is given with `=`."""
    name = flag.names[-1]
    if not flag.value:
        if given is not None:
            raise ProbingError(f"{name}={given}: {name} takes no value; leave out ={given}")
        return ""
    if given is None and flag.default is not None:
        return left.pop(0) if left and left[0] in flag.choices else flag.default
    if given is None:
        given = left.pop(0) if left else ""
    if not given:
        raise ProbingError(f"{name} needs a value; give {name} {flag.value}")
    if flag.choices and given not in flag.choices:
        raise ProbingError(f"{name}={given} is unknown; {suggest(given, list(flag.choices))}")
    return given


def refuse_unknown(line: Line, own: Sequence[str] = ()) -> None:
    """Refuse flags that nobody knows.

    Args:
        line: The command line.
        own: Flags of the command besides `FLAGS`.

    Raises:
        ProbingError: If there is one. The message suggests the nearest flag.
    """
    for word in line.unknown:
        if word not in own:
            known = [*own, *(flag.names[-1] for flag in FLAGS)]
            raise ProbingError(f"unknown flag {word}; {_option(word) or suggest(word, known)}")


def _option(word: str) -> str:
    """Return the option that is written like a flag, as `--model minilm`; "" if there is none."""
    from probing.config.choices import groups

    name, _, value = word.lstrip("-").partition("=")
    names = [*groups(), "seed", "overwrite", "out", "value", "format"]
    found = next((each for each in names if name in (each, f"{each}s") or name.startswith(f"{each}.")), None)
    if found is None:
        return ""
    option = name if "." in name else found
    return f"options have no dashes, write {option}={value or '...'}"


def added_folder(line: Line) -> Path | None:
    """Return the folder of `--config-dir`; None if it is not given.

    Raises:
        ProbingError: If there is no such folder.
    """
    if "config-dir" not in line:
        return None
    folder = Path(line.flags["config-dir"]).expanduser().absolute()
    if not folder.is_dir():
        raise ProbingError(
            f"--config-dir {line.flags['config-dir']}: no such folder; give a folder of choices"
        )
    return folder


def searched(line: Line) -> list[str]:
    """Return the override by which Hydra, and a result that is read later, find the folder of `--config-dir`.

    Raises:
        ProbingError: If `hydra.searchpath` is given too.
    """
    folder = added_folder(line)
    if folder is None:
        return []
    if any(word.startswith("hydra.searchpath=") for word in line.words):
        raise ProbingError("--config-dir and hydra.searchpath= name folders of choices; give one of them")
    from probing.config.quoting import exact  # imports Hydra, which --help does not need

    return [f"hydra.searchpath=[{exact(f'file://{folder}')}]"]
