"""Origin and licence of a treebank, for the record."""

from __future__ import annotations

import os
import re
from pathlib import Path

from probing.datasets.treebank.files import treebank_files

UNKNOWN = "unknown"
FORMATS = {".conllu": "CoNLL-U", ".mrg": "bracketed trees"}
_NAMES = re.compile(r"(licen[cs]e|copying|readme)(\.(txt|md))?", re.IGNORECASE)
# field at the end of UD's READMEs
_FIELD = re.compile(r"^\s*licen[cs]e\s*:\s*(\S.*)$", re.IGNORECASE | re.MULTILINE)
_SAYS = re.compile(r"licen[cs]ed?\b|creative commons|commercial use|public domain", re.IGNORECASE)


def source_of(path: Path) -> str:
    """Return the source for the task card: the treebank's name and format.

    Raises:
        ProbingError: If there is no treebank.
    """
    return f"treebank {path.resolve().name} ({FORMATS[treebank_files(path)[0].suffix]})"


def licence_of(path: Path) -> str:
    """Return the licence that a LICENSE, or else a README, next to the treebank states.

    Args:
        path: A treebank file or folder.

    Returns:
        The content of a README's field `License:`, the first line of a LICENSE, or the first sentence of a
        README that mentions a licence or commercial use; "unknown" otherwise.
    """
    folder = path if path.is_dir() else path.parent
    # LICENSE comes before README
    for file in _notes(folder):
        text = file.read_text(encoding="utf-8-sig", errors="replace")
        named = _FIELD.search(text)
        if named:
            return named[1].strip()
        if not file.name.lower().startswith("readme"):
            said = [line.strip() for line in text.splitlines() if line.strip()]
        else:
            sentences = re.split(r"(?<=\.)\s+|\n\s*\n", text)
            said = [" ".join(sentence.split()) for sentence in sentences if _SAYS.search(sentence)]
        if said:
            return said[0]
    return UNKNOWN


def _notes(folder: Path) -> list[Path]:
    """Return files that may state a licence; files that cannot be read are ignored."""
    if not os.access(folder, os.R_OK):
        return []
    found = sorted(f for f in folder.iterdir() if _NAMES.fullmatch(f.name))
    return [file for file in found if file.is_file() and os.access(file, os.R_OK)]
