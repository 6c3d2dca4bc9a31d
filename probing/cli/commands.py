"""The commands by their first word."""

from __future__ import annotations

COMMANDS = {
    "agree": "probing.cli.agree",
    "clean": "probing.cli.clean",
    "draw": "probing.cli.draw",
    "help": "probing.cli.help",
    "look": "probing.cli.look",
    "ls": "probing.cli.ls",
    "report": "probing.cli.report",
    "show": "probing.cli.show",
    "table": "probing.cli.table",
}
"""Modules of the commands.

A module has `USAGE`, the text that `--help` prints after the command, and `command(words)`, which takes the
words after the command. Its docstring starts with the name of the command and a phrase for `probing --help`.
If the command has flags besides those of `probing.cli.flags`, `OWN_FLAGS` is a tuple of them, such as
`("--yes",)`; they stay among the words.
"""
