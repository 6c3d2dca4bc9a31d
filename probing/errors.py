"""The error that users are meant to read, and the explanation of system errors."""

from __future__ import annotations

import errno


class ProbingError(Exception):
    """A mistake that the user can fix. The message says what is wrong, where, and what to do.

    The command line prints it as one line and exits with code 2. A traceback means a bug in probing.

    Example:
        >>> import pandas as pd, probing
        >>> try:
        ...     probing.grid(pd.DataFrame())
        ... except probing.ProbingError as error:
        ...     print(error)
        grid: frame has no column 'layer'; give rows as returned by load_results
    """


class CorruptFileError(ProbingError):
    """A cached file whose contents differ from those that were written.

    Attributes:
        path: The damaged file.
        reason: The check that noticed it.
    """

    _message = "{path}: damaged ({reason})"

    def __init__(self, path: str, reason: str, advice: str = "") -> None:
        """Name the damaged file, the check that noticed it, and the remedy, if there is one."""
        super().__init__(self._message.format(path=path, reason=reason) + (advice and f"; {advice}"))
        self.path = path
        self.reason = reason


class MisplacedFileError(CorruptFileError):
    """An intact file that does not belong in its place: moved, copied, or written by other code."""

    _message = "{path}: {reason}"


class OldFileError(MisplacedFileError):
    """A file of an older version, which neither marked nor sealed its files."""


class NewerFileError(MisplacedFileError):
    """A file of a newer version, which only that version can read."""


class ForeignFileError(MisplacedFileError):
    """A file that probing did not write."""


_REMEDIES = {
    errno.ENOSPC: "free some space there, or choose another paths.root, and run again",
    errno.EDQUOT: "free some of your quota there, or choose another paths.root, and run again",
    errno.EFBIG: "the system limits the size of files; lift the limit, or choose another paths.root",
    errno.EROFS: "choose another paths.root, on a disk that can be written to",
    errno.EACCES: "get permission to write there, or choose another paths.root",
    errno.EPERM: "get permission to write there, or choose another paths.root",
    errno.ENAMETOOLONG: "give a shorter name or path",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n), and run again",
    errno.EIO: "the disk is failing; choose another paths.root, and run again",
}


def explained(error: OSError) -> str:
    """Return one line for a system error: the path, the reason, and the remedy."""
    where = error.filename if error.filename is not None else "writing"
    remedy = _REMEDIES.get(error.errno or 0, "fix that, or choose another paths.root, and run again")
    return f"{where}: {error.strerror or error}; {remedy}"
