"""The one error that a user is meant to read."""

from __future__ import annotations

import errno


class ProbingError(Exception):
    """A mistake that the user can fix: what was wrong, where, and what to do.

    The command line prints it as one line and exits with code 2; a traceback means a bug of ours.
    """


class CorruptFileError(ProbingError):
    """A cached file does not hold what was written to it.

    Attributes:
        path: The damaged file.
        reason: The check that noticed it.
    """

    _message = "{path}: damaged ({reason})"

    def __init__(self, path: str, reason: str, advice: str = "") -> None:
        """Say which file is damaged, how it was noticed, and what to do if there is something to do."""
        super().__init__(self._message.format(path=path, reason=reason) + (advice and f"; {advice}"))
        self.path = path
        self.reason = reason


class MisplacedFileError(CorruptFileError):
    """A file is whole, but it is not the file that belongs in its place: moved, copied, or of other code."""

    _message = "{path}: {reason}"


class OldFileError(MisplacedFileError):
    """A file of a version that did not yet say in its files what they are, nor sealed them."""


_REMEDIES = {
    errno.ENOSPC: "free some space there, or choose another paths.root, and run again",
    errno.EDQUOT: "free some of your quota there, or choose another paths.root, and run again",
    errno.EFBIG: "the system limits the size of files; lift the limit, or choose another paths.root",
    errno.EROFS: "choose another paths.root, on a disk that can be written to",
    errno.EACCES: "get permission to write there, or choose another paths.root",
    errno.EPERM: "get permission to write there, or choose another paths.root",
    errno.ENAMETOOLONG: "give a shorter name or path",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n), and run again",
    errno.EIO: "the disk fails; choose another paths.root, and run again",
}


def explained(error: OSError) -> str:
    """One line for an error of the system's: the path, what it refused, and the remedy."""
    where = error.filename if error.filename is not None else "writing"
    remedy = _REMEDIES.get(error.errno or 0, "fix that, or choose another paths.root, and run again")
    return f"{where}: {error.strerror or error}; {remedy}"
