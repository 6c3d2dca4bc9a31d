"""`probing -sc`: completion of words in bash, zsh and fish, by Hydra's plugins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from probing.cli.commands import COMMANDS
from probing.cli.flags import FLAGS, Line, added_folder, parse, searched
from probing.config.choices import also_from, choices, groups
from probing.config.compose import hydra_session
from probing.errors import ProbingError
from probing.inventory.find import places_of
from probing.validation.suggestions import suggest

_DOINGS = ("install", "uninstall", "query")


def complete(words: Sequence[str]) -> None:
    """Print the script that installs or removes the completion of a shell, or answer the shell.

    Args:
        words: `install=bash`, `uninstall=bash` or `query=bash`, or another shell. The shell hands over the
            line to complete in `COMP_LINE`.

    Raises:
        ProbingError: If the words say something else.
    """
    doing, _, shell = words[0].partition("=") if len(words) == 1 else ("", "", "")
    if doing not in _DOINGS:
        given = f" {' '.join(words)}" if words else ""
        raise ProbingError(f"--shell-completion{given}: give install=bash, uninstall=bash, or zsh or fish")
    with hydra_session() as session:
        assert session.hydra is not None
        plugins = session.hydra.get_shell_to_plugin_map(session.hydra.config_loader)
        if not plugins.get(shell):
            raise ProbingError(f"-sc {doing}={shell}: no such shell; {suggest(shell, sorted(plugins))}")
        (plugin,) = plugins[shell]
        if doing == "query":
            hydras = plugin._query
            ours = partial(_query, hydras)
            setattr(plugin, "_query", ours)  # noqa: B010  # a method of Hydra's, which the shells' queries print
            plugin.query(config_name="config")
            return
        sys.argv[0] = "probing"  # the command that the plugin installs; python -m probing has another name
        getattr(plugin, doing)()


def _query(hydras: Callable[[str, str], list[str]], config_name: str, line: str) -> list[str]:
    return candidates(line, lambda text: hydras(config_name, text))


def candidates(line: str, hydras: Callable[[str], list[str]]) -> list[str]:
    """Return the words that may stand at the end of a line.

    Args:
        line: The line up to the cursor, without the name of the command.
        hydras: Hydra's completion of a line of overrides, which knows keys and the top folder of a group.
    """
    words = line.split()
    last = words.pop() if words and not line[-1].isspace() else ""
    if last.startswith("-"):
        return [name for flag in FLAGS for name in flag.names if name.startswith(last)]
    try:
        given = parse(words)
        with also_from(added_folder(given)):
            return [word for word in _words(given, last, hydras) if word.startswith(last)]
    except (ProbingError, HydraException, OmegaConfBaseException, ValueError):  # such as an unfinished flag
        return []


def _words(given: Line, last: str, hydras: Callable[[str], list[str]]) -> list[str]:
    first, *rest = given.words or [""]
    if first == "draw":
        return [] if rest else list(import_module(COMMANDS["draw"]).KINDS)
    if first == "show":
        return [place.key for place in places_of(Path("outputs"))]
    if first == "look":
        return [*_look_words(last), *_overrides([*_options(rest), *searched(given)], last, hydras)]
    if first in COMMANDS and first != "help":
        return []
    if first == "help":
        return [*(COMMANDS if not rest else ()), *_overrides([], last, hydras)]
    commands = [] if given.words or given.flags else list(COMMANDS)
    return [*commands, *_overrides([*given.words, *searched(given)], last, hydras)]


def _look_words(last: str) -> list[str]:
    """Return the words of `probing look` that are not options of a run, or the values of one of them."""
    look = import_module(COMMANDS["look"])
    name, equals, _ = last.partition("=")
    if equals:
        return [f"{name}={value}" for value in look.VALUES.get(name, ())]
    return [f"{key}=" for key in look.KEYS]


def _options(words: Sequence[str]) -> list[str]:
    """Return the words of `probing look` that are options of a run, which decide what completes."""
    own = import_module(COMMANDS["look"]).KEYS
    return [word for word in words if word.partition("=")[0] not in own]


def _overrides(words: Sequence[str], last: str, hydras: Callable[[str], list[str]]) -> list[str]:
    """Return overrides: the choices of a group, those in subfolders included, or groups and keys."""
    group, equals, value = last.partition("=")
    if equals and group in groups():
        swept = "".join(value.rpartition(",")[:2])  # values of a sweep before the last one
        return [f"{group}={swept}{choice}" for choice in choices(group)]
    found = [_named(word) for word in hydras(" ".join([*words, last]))]
    return list(dict.fromkeys(word for word in found if "/_" not in word and "._target_" not in word))


def _named(word: str) -> str:
    """Return a group, or a key whose value is a list, with the `=` that Hydra leaves out."""
    a_list = word.endswith(".") and word.count(".") == 2 and not word.startswith("hydra.")
    return f"{word.rstrip('.')}=" if word in groups() or a_list else word
