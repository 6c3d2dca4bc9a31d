"""A table written in a format: Markdown as on GitHub, LaTeX with booktabs, CSV, plain text."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence

from probing.results.tables.layout import MISSING, Cell, Layout
from probing.results.text.found_text import plain

_LATEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "\N{MINUS SIGN}": "$-$",
    MISSING: "--",
    "\N{GREEK SMALL LETTER LAMDA}": r"$\lambda$",
    "\N{GREEK CAPITAL LETTER DELTA}": r"$\Delta$",
    "\N{SCRIPT SMALL L}": r"$\ell$",
    "\N{DIVISION SIGN}": r"$\div$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
}
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_POWER = re.compile("([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
# a hyphen before a digit that does not follow a letter or a digit is the sign of a number
_SIGN = re.compile(r"(?<![\w.-])-(?=\d)")
_MARKDOWN = re.compile(r"([\\`*|<~$]|(?<![^\W_])_|_(?![^\W_]))")


def markdown(table: Layout) -> str:
    """Write a table in the Markdown of GitHub, the caption below it."""
    rows = [[_markdown(heading) for heading in table.headings]]
    rows += [[_emphasised(cell, "**", _markdown) for cell in line] for line in table.lines]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rule = [
        "-" * width if place < table.texts else "-" * (width - 1) + ":" for place, width in enumerate(widths)
    ]
    lines = [f"| {' | '.join(_aligned(row, widths, table.texts))} |" for row in (rows[0], rule, *rows[1:])]
    return "\n".join([*lines, *(["", _markdown(table.caption)] if table.caption else [])]) + "\n"


def latex(table: Layout) -> str:
    """Write a table in LaTeX; it needs the package booktabs."""
    rows = [[_latex(heading) for heading in table.headings]]
    rows += [
        [f"\\textbf{{{_latex(cell.text)}}}" if cell.bold else _latex(cell.text) for cell in line]
        for line in table.lines
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{' & '.join(_aligned(row, widths, table.texts))} \\\\".lstrip() for row in rows]
    # a line break reads a bracket or a star after it as its own
    lines = [f"{{}}{line}" if line.startswith(("[", "*")) else line for line in lines]
    kinds = "l" * table.texts + "r" * (len(table.headings) - table.texts)
    caption = [f"\\caption{{{_latex(table.caption)}}}"] if table.caption else []
    start = ["% needs \\usepackage{booktabs}", "\\begin{table}", "\\centering", *caption]
    body = [f"\\begin{{tabular}}{{{kinds}}}", "\\toprule", lines[0], "\\midrule", *lines[1:], "\\bottomrule"]
    return "\n".join([*start, *body, "\\end{tabular}", "\\end{table}"]) + "\n"


def separated(table: Layout) -> str:
    """Write a table as comma-separated values: no caption, no bold, missing values empty."""
    file = io.StringIO()
    rows = [[cell.text for cell in line] for line in table.lines]
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([[_bare(text) for text in row] for row in (table.headings, *rows)])
    return file.getvalue()


def text(table: Layout) -> str:
    """Write a table for a terminal, the best marked with *, the caption below it."""
    rows = [list(map(_terminal, table.headings))]
    rows += [[_terminal(f"{cell.text}{'*' if cell.bold else ''}") for cell in line] for line in table.lines]
    rows = [[("-" if each == MISSING else each) for each in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_aligned(row, widths, table.texts)).rstrip() for row in rows]
    caption = textwrap.wrap(_terminal(table.caption).replace("in bold", "marked with *"), 110)
    return "\n".join([*lines, *caption]) + "\n"


FORMATS: Mapping[str, Callable[[Layout], str]] = {
    "markdown": markdown,
    "latex": latex,
    "csv": separated,
    "text": text,
}
"""The formats of tables, by name."""


def _aligned(row: Sequence[str], widths: Sequence[int], texts: int) -> list[str]:
    return [
        f"{cell:<{width}}" if place < texts else f"{cell:>{width}}"
        for place, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _emphasised(cell: Cell, mark: str, escape: Callable[[str], str]) -> str:
    return f"{mark}{escape(cell.text)}{mark}" if cell.bold else escape(cell.text)


def _terminal(text: str) -> str:
    """Write powers and signs with letters that every terminal has."""
    return plain(_POWER.sub(r"^\1", text))


def _bare(text: str) -> str:
    return "" if text == MISSING else text.replace("\N{MINUS SIGN}", "-")


def _markdown(text: str) -> str:
    """Escape the characters that Markdown reads; an underscore within a word is one already."""
    return _MARKDOWN.sub(r"\\\1", _one_line(text))


def _latex(text: str) -> str:
    """Escape the characters that LaTeX reads, and write signs and powers in math."""
    signed = _SIGN.sub("\N{MINUS SIGN}", _one_line(text))
    parts = _POWER.split(signed)  # powers are at odd places
    return "".join(
        f"$^{{{part.translate(_RAISED)}}}$" if place % 2 else "".join(_LATEX.get(sign, sign) for sign in part)
        for place, part in enumerate(parts)
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
