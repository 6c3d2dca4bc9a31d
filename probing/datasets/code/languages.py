"""Parsers of programming languages, from the tree-sitter grammar packages that are installed."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from probing.errors import ProbingError

if TYPE_CHECKING:
    from tree_sitter import Parser

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@cache
def parser_of(language: str) -> Parser:
    """Return the parser of a language, whose grammar package `tree_sitter_<language>` must be installed.

    Args:
        language: Name of the language as in the name of its package: python, java, c_sharp.

    Raises:
        ProbingError: If tree-sitter or the package is not installed, or they do not fit each other.
    """
    if not _NAME.fullmatch(language):
        raise ProbingError(
            f"language is {language!r}; give the name of a tree-sitter grammar, as in python or c_sharp"
        )
    try:
        import tree_sitter
    except ImportError as error:
        raise ProbingError(
            "code is parsed by tree-sitter, which is not installed; run pip install "
            f"'transformer-probing[code]' {_distribution(language)}"
        ) from error
    module = f"tree_sitter_{language}"
    try:
        grammar = import_module(module)
    except ImportError as error:
        raise ProbingError(
            f"language={language}: there is no package {module}; run pip install {_distribution(language)}, "
            "or name another language"
        ) from error
    # packages with several grammars, such as typescript, name each
    found = getattr(grammar, "language", None) or getattr(grammar, f"language_{language}", None)
    if found is None:
        raise ProbingError(f"language={language}: package {module} has no such grammar; update the package")
    try:
        return tree_sitter.Parser(tree_sitter.Language(found()))
    except (TypeError, ValueError) as error:
        raise ProbingError(
            f"language={language}: package {module} does not fit the installed tree-sitter ({error}); "
            f"run pip install --upgrade tree-sitter {_distribution(language)}"
        ) from error


def grammar_version(language: str) -> str:
    """Return the version of a language's grammar, on which its trees depend.

    Raises:
        ProbingError: If the grammar is not installed; see `parser_of`.
    """
    parser_of(language)
    try:
        return version(_distribution(language))
    except PackageNotFoundError:  # a grammar that is on the path without being installed
        return ""


def _distribution(language: str) -> str:
    return f"tree-sitter-{language.replace('_', '-')}"
