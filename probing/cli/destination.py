"""The files that a command writes: none of them replaces other content unless the user says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from probing.cli.selection import places
from probing.errors import ProbingError
from probing.io.files import make_folder, replace_file
from probing.io.streams import complain

Draw = Callable[[Path], Sequence[Path]]
_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True)
class Target:
    """The start of the names of the files of a command.

    Attributes:
        path: Path of the files, without what is added to it.
        chosen: Whether the user chose the path.
        overwrite: Whether existing files are replaced.
    """

    path: Path
    chosen: bool
    overwrite: bool

    def write(self, draw: Draw) -> tuple[Path, ...]:
        """Draw, and move the files to their place.

        Files with the same content stay as they are. A path that the user did not choose gets a number,
        `figure-2`, where files of that name have other content.

        Args:
            draw: Function that writes files whose names start with the given path, and returns them.

        Raises:
            ProbingError: If a file exists with other content, and the user chose its path.
        """
        with TemporaryDirectory(prefix="probing-") as folder:
            drawn = draw(Path(folder) / self.path.name)
            # files that a function from outside wrote elsewhere stay there
            own = {file: file.read_bytes() for file in drawn if file.is_relative_to(folder)}
            names = {file: str(file.relative_to(folder)) for file in own}
        number = self._number({names[file]: content for file, content in own.items()})
        placed = {file: self._place(names[file], number) for file in own}
        if number > 1:
            made = (
                "has this content already"
                if all(place.exists() for place in placed.values())
                else "is written"
            )
            complain(f"probing: {self.path} exists with other content; {self._place('', number)} {made}")
        for file, content in own.items():
            make_folder(placed[file].parent)
            replace_file(placed[file], content)
        return tuple(placed.get(file, file) for file in drawn)

    def _number(self, contents: Mapping[str, bytes]) -> int:
        """Return the first number under which no file has other content."""
        if self.overwrite:
            return 1
        for number in count(1):
            places = {self._place(name, number): content for name, content in contents.items()}
            other = [place for place, content in places.items() if not _free(place, content)]
            if not other:
                break
            if self.chosen:
                raise ProbingError(f"{other[0]} exists with other content; give overwrite=true or a new out=")
        return number

    def _place(self, name: str, number: int) -> Path:
        """Return the path of a file; from 2 on, its number follows the name of the target."""
        start = self.path.name
        if number > 1:
            name = f"{start}-{number}{name.removeprefix(start)}"
        return self.path.parent / name


def target(asked: dict[str, str], default: str) -> tuple[str, Target]:
    """Return the folder to read and the target to write, taken out of the given words.

    Args:
        asked: Output of `probing.cli.selection.parse`; `out`, `overwrite` and the folder are removed.
        default: Path of the target if `out` is not given.

    Raises:
        ProbingError: If `overwrite` is neither true nor false, or a path cannot be read.
    """
    chosen, switch = "out" in asked, asked.pop("overwrite", "false")
    if switch.lower() not in _SWITCH:
        raise ProbingError(f"overwrite={switch}: is not true or false; give overwrite=true to replace files")
    root, path = places(asked, default)
    if path.name in ("", ".."):
        raise ProbingError(f"out={path} is a folder; give the start of a file name, out={path / 'figure'}")
    return root, Target(path, chosen, _SWITCH[switch.lower()])


def _free(place: Path, content: bytes) -> bool:
    """Return whether a file can be written without replacing other content."""
    return not place.exists() or (place.is_file() and place.read_bytes() == content)
