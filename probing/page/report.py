"""One self-contained HTML page of all results under a folder, to explore, compare and cite."""

from __future__ import annotations

from pathlib import Path

from probing.errors import ProbingError
from probing.io.streams import complain
from probing.validation.arguments import checked

_TITLE = b"<title>probing: "


def is_page(path: Path) -> bool:
    """Return whether a file is a page that `report` wrote."""
    with path.open("rb") as file:
        return _TITLE in file.read(4096)


@checked()
def report(root: str | Path = "outputs", out: str | Path | None = None) -> Path:
    """Write an HTML page of all results under a folder.

    If the folder has no results, the page shows the commands to run. A damaged result file is left out and
    named on the page.

    Args:
        root: Folder that `paths.root` named.
        out: Path of the page; None writes `<root>/report.html`. A file of that name is overwritten.

    Returns:
        The path of the page.

    Raises:
        ProbingError: If there is no such folder, or if `out` is a folder.

    Example:
        >>> import probing
        >>> probing.report("outputs")  # doctest: +SKIP
        PosixPath('outputs/report.html')
    """
    from probing.io.files import replace_file
    from probing.page.collect import collect
    from probing.page.document import document

    folder = Path(root)
    path = folder / "report.html" if out is None else Path(out)
    if path.is_dir():
        raise ProbingError(f"out={path} is a folder; give a file, out={path / 'report.html'}")
    found = collect(folder)
    replace_file(path, document(found).encode())
    for damaged in found.damaged:
        complain(f"probing: left out {damaged.file}: {damaged.problem}")
    return path
