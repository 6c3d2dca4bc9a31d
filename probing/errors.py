"""The one error that a user is meant to read."""


class ProbingError(Exception):
    """A mistake that the user can mend: what was wrong, where, and what to do.

    The command line prints it as one line and exits with code 2; a traceback means a bug of ours.
    """


class CorruptFileError(ProbingError):
    """A cached file does not hold what was written to it.

    Attributes:
        path: The damaged file.
    """

    def __init__(self, path: str, reason: str) -> None:
        """Say which file is damaged and how it was noticed."""
        super().__init__(f"{path}: damaged ({reason})")
        self.path = path
