"""Removal of what nothing refers to, under the lock of those who would write it."""

from __future__ import annotations

from contextlib import nullcontext, suppress

from probing.inventory.unused import Outputs, Unused, result_files, stamp
from probing.io import locks
from probing.io.files import discard
from probing.runs.folder import running_in


def remove(piece: Unused, found: Outputs) -> str:
    """Remove one piece, unless it has changed since it was found, or a process works on it.

    Args:
        piece: What to remove.
        found: The folder that it was found in.

    Returns:
        Reason why it stays; empty if it was removed.
    """
    if not piece.path.parent.resolve().is_relative_to(found.root.resolve()):
        return "it is reached by a link, and links are not followed"
    try:
        with locks.held(piece.lock, wait=False) if piece.lock is not None else nullcontext():
            if reason := _reason_to_stay(piece, found):
                return reason
            discard(piece.path)
    except locks.BusyError:
        return "a process is working on it"
    except OSError as error:
        return error.strerror or str(error)
    if piece.lock is not None:
        locks.remove(piece.lock)
    if piece.kind == "runs" and piece.path.name.isdecimal():
        with suppress(OSError):  # other jobs of the sweep, or its pictures
            piece.path.parent.rmdir()
    return ""


def _reason_to_stay(piece: Unused, found: Outputs) -> str:
    """Return what has happened since a piece was found; empty if nothing has."""
    if stamp(piece.path) != piece.stamp:
        return "it has changed meanwhile"
    running = running_in(found.root)
    if piece.kind == "runs" and piece.path.resolve() in {folder.resolve() for folder in running}:
        return "a run is at work there"
    if piece.kind == "vectors" or piece.path.parent == found.root / "models" / "given":
        if running:
            return "a run that may be reading it has started meanwhile"
        if result_files(found.root) - found.files:
            return "a run has ended meanwhile, and may have read it"
    return ""
