"""`probing help`: groups, their choices and keys, as the comments of conf/ explain them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from importlib import import_module

from probing.cli.commands import COMMANDS
from probing.cli.overview import overview
from probing.config.choices import choices, choices_called, groups
from probing.errors import ProbingError
from probing.io.streams import output
from probing.validation.suggestions import suggest

USAGE = """\
probing help [GROUP | GROUP=CHOICE | GROUP.KEY | COMMAND] ...

Explains a group of choices, the keys of a choice with their default, range and meaning, or a single key. The
text comes from the comments in conf/. Without a word, it prints the overview of probing --help.

  --config-dir DIR   explain the choices in a folder of your own too

Examples
  probing help analysis
  probing help analysis=ablation
  probing help extract.device
  probing help draw
"""
_WIDTH = 100


def command(words: Sequence[str]) -> None:
    """Run `probing help`: print the overview, or a page for each word.

    Raises:
        ProbingError: If there is no such group, choice, key or command. The message suggests the nearest.
    """
    pages = [_page(word) for word in words] or [overview()]
    output().write("\n".join(pages))


def _page(word: str) -> str:
    group, equals, choice = word.partition("=")
    if word in COMMANDS:
        return str(import_module(COMMANDS[word]).USAGE)
    if group in groups() and not choice:
        return _group(group)
    if group in groups():
        return _choice(group, choice)
    if equals:
        raise ProbingError(f"help: unknown group {group}; {suggest(group, groups())}")
    return _key(word)


def _group(group: str) -> str:
    """Return the choices of a group with their descriptions; for a single choice its keys."""
    from probing.config.meanings import description

    names = choices(group)
    if len(names) == 1:
        return _choice(group, names[0])
    width = max(map(len, names))
    lines = [f"{group}=CHOICE"]
    for name in names:
        lines += _wrapped(description(group, name), f"  {name:<{width}}  ", " " * (width + 4))
    lines += ["", f"probing help {group}={names[0]} lists the keys of a choice."]
    return "\n".join([*lines, ""])


def _choice(group: str, choice: str) -> str:
    """Return the description of a choice, and its keys with default, range and meaning."""
    from probing.config.meanings import description, example, general_keys, keys_of

    if choice not in choices(group):
        raise ProbingError(f"there is no {group}={choice}; {suggest(choice, choices(group))}")
    lines = [f"{group}={choice}", *_wrapped(description(group, choice), "  ", "  ")]
    lines += ["", "Example", f"  {example(group, choice)}"]
    keys = [] if group == "experiment" else keys_of(group, choice)
    keys += [key for key in general_keys() if key.name.startswith(f"{group}.")]
    if keys:
        lines += ["", "Keys, each with its default, its values and its meaning"]
    for key in keys:
        lines += _entry(f"{key.name}={written(key.default)}", key.values, key.meaning)
    return "\n".join([*lines, ""])


def _key(name: str) -> str:
    """Return what a key means, with its defaults in the choices that have it."""
    from probing.config.meanings import general_keys, keys_of

    group = name.partition(".")[0]
    found = [(key, "") for key in general_keys() if key.name == name]
    for choice in choices(group) if group in groups() and group != "experiment" else ():
        found += [(key, choice) for key in keys_of(group, choice) if key.name == name]
    if not found:
        raise ProbingError(f"help: there is no {name}; {_nearest(name)}")
    lines = [name]
    for values, meaning in dict.fromkeys((key.values, key.meaning) for key, _ in found):
        lines += ["", *_wrapped(values, "  ", "  "), *_wrapped(meaning, "  ", "  ")]
        defaults: dict[str, list[str]] = {}
        for key, choice in found:
            if (key.values, key.meaning) == (values, meaning):
                defaults.setdefault(written(key.default), []).append(choice)
        for default, names in defaults.items():
            where = _without_folders(group, names) if any(names) else []
            lines += _wrapped(f"default {default}", "    ", "      ")
            lines += _wrapped(f"with {group}={', '.join(where)}" if where else "", "      ", "        ")
    return "\n".join([*lines, ""])


def _without_folders(group: str, names: Sequence[str]) -> list[str]:
    """Return choices, with `folder/*` for all choices of a folder; none if they are all of the group."""
    every = choices(group)
    if set(names) == set(every):
        return []
    folders = dict.fromkeys(name.partition("/")[0] for name in every if "/" in name)
    whole = [
        each for each in folders if {name for name in every if name.startswith(f"{each}/")} <= set(names)
    ]
    alone = [name for name in names if name.partition("/")[0] not in whole]
    return [*(f"{each}/*" for each in whole), *alone]


def _nearest(name: str) -> str:
    """Return a suggestion for an unknown word: a choice of that name, a key, a group or a command."""
    from probing.config.meanings import general_keys, keys_of

    if meant := choices_called(name):
        return meant
    group = name.partition(".")[0]
    if group not in groups() or "." not in name:
        return suggest(name, [*groups(), *COMMANDS, *(key.name for key in general_keys())])
    keys = [key.name for choice in choices(group) for key in keys_of(group, choice)]
    return suggest(name, list(dict.fromkeys(keys)))


def written(value: object) -> str:
    """Return a value as on the command line; "(must be given)" for one without a default."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, float):
        return f"{value:g}"
    return {"": '""', "???": "(must be given)"}.get(str(value), str(value))


def _entry(head: str, values: str, meaning: str) -> Iterable[str]:
    yield from ("", *_wrapped(head, "  ", "    "))
    yield from _wrapped(values, "    ", "    ")
    yield from _wrapped(meaning, "    ", "    ")


def _wrapped(text: str, first: str, others: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=others, break_on_hyphens=False)
